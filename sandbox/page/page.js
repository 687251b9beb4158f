// The page: keeps what is shown, asks for the state again when something changed, and draws it.

import * as api from "./api.js";
import { composer } from "./composer.js";
import { confirmed, reworded } from "./dialogs.js";
import { byId, isPhone, toast } from "./dom.js";
import { hood } from "./hood.js";
import { linkTo, permalink } from "./links.js";
import { reach } from "./messages.js";
import { draw, holdEnd, notice, scrollDown } from "./screen.js";
import { drawControls } from "./sidebar.js";
import { known, learn, now, room } from "./state.js";
import { suggest } from "./suggestions.js";

const FIRST_PROMPT = "/imagine a red fox in snow";
const STARTED = "darkroom-sandbox-started";

/** Whoever asked for these says itself what went wrong. */
const SAID_ELSEWHERE = new Set(["type", "post", "press", "submit", "close"]);

const drafts = new Map();
const below = hood({ place: () => ({ channel: now.room, thread: now.thread, viewer: now.viewer }) });
/** Of the first command of a visit: the newest message before it. Then null: nobody needs to be guided. */
let guide = null;

// What a person can do

const act = async (doing, action) => {
  const answer = await api.act(now.viewer, doing, action);
  if (!answer.ok && answer.error && !SAID_ELSEWHERE.has(doing)) toast(answer.text || answer.error);
  return answer;
};

const attach = (file) => api.upload(now.viewer, file);

const does = {
  hidden: new Set(),
  act,
  attach,
  openRoom,
  showHome,
  press: (action) => act("press", action),
  openThread,
  dismiss: (ts) => {
    does.hidden.add(ts);
    show();
  },
  edit: async (message) => {
    const before = asTyped(message.text);
    const text = (await reworded("Edit message", before))?.trim();
    if (text && text !== before) await act("edit", { channel: now.room, ts: message.ts, text });
  },
  copyLink: async (message) => {
    const link = linkTo(now.room, message);
    const copied = await navigator.clipboard?.writeText(link).then(() => true, () => false);
    if (copied) toast("The link is copied.");
    else await reworded("Copy this link", link);
  },
  remove: async (message) => {
    const sure = await confirmed({ title: { text: "Delete message" }, text: { text: "This cannot be undone." }, confirm: { text: "Delete" }, style: "danger" });
    if (sure) await act("delete", { channel: now.room, ts: message.ts });
  },
};

/** A sent text as somebody would type it again. */
function asTyped(text) {
  const typed = text.replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id) => `@${now.world.users.get(id)?.name ?? id}`);
  return typed.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function globalShortcuts() {
  const mine = now.world.viewer.is_outside ? [] : now.world.shortcuts.filter((one) => one.kind === "global");
  return mine.map((one) => ({ text: one.name, about: now.world.app.name, click: () => act("shortcut", { callback_id: one.callback_id, channel: now.room }) }));
}

const boxes = {
  channel: composer({ id: "channel", label: "Message", suggest, attach, shortcuts: globalShortcuts, send: (sent) => send(sent, null) }),
  thread: composer({ id: "thread", label: "Reply in the thread", broadcast: true, suggest, attach, send: (sent) => send(sent, now.thread), escape: closeThread }),
};

function send({ kind, text, files, broadcast }, threadTs) {
  if (kind === "type" && !sessionStorage.getItem(STARTED)) guide = room().messages.at(-1)?.ts ?? "";
  sessionStorage.setItem(STARTED, "yes");
  const where = { channel: now.room, text, thread_ts: threadTs };
  scrollDown(byId(threadTs ? "thread-log" : "channel-log"));
  return act(kind, kind === "type" ? where : { ...where, files, broadcast });
}

const show = () => draw(does, boxes.channel.draft().text === FIRST_PROMPT);

// Where we are

const draftKey = (thread) => `${now.viewer} ${now.room} ${thread ?? ""}`;

function keepDrafts() {
  drafts.set(draftKey(null), boxes.channel.draft());
  if (now.thread) drafts.set(draftKey(now.thread), boxes.thread.draft());
}

function draftOf(thread) {
  const kept = drafts.get(draftKey(thread));
  const fresh = !kept && !thread && !sessionStorage.getItem(STARTED) && room()?.has_app && drafts.size === 0;
  return kept ?? { text: fresh ? FIRST_PROMPT : "", files: [] };
}

function openRoom(id) {
  keepDrafts();
  Object.assign(now, { room: id, thread: null, home: false });
  toggleMenu(false);
  arrive();
  scrollDown(byId("channel-log"));
  if (!isPhone()) boxes.channel.focus();
}

function openThread(ts, { focus = true } = {}) {
  keepDrafts();
  now.opener = document.activeElement?.dataset?.focus ?? null;
  now.thread = ts;
  guide = null;
  arrive();
  scrollDown(byId("thread-log"));
  if (focus && !isPhone()) boxes.thread.focus();
  else if (focus) byId("thread-close").focus();
}

/** The app's Home tab, or its messages. */
function showHome(home) {
  now.home = home;
  byId("channel-log").replaceChildren();
  show();
  act("home", { tab: home ? "home" : "messages" });
  if (!home) scrollDown(byId("channel-log"));
}

function closeThread() {
  keepDrafts();
  now.thread = null;
  arrive();
  const back = [...document.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === now.opener);
  if (back) back.focus();
  else boxes.channel.focus();
}

async function become(id) {
  keepDrafts();
  Object.assign(now, { viewer: id, home: false });
  await refresh();
  if (!room()) now.room = [...now.world.rooms.keys()][0];
  if (now.thread && !room().messages.some((one) => one.ts === now.thread)) now.thread = null;
  arrive();
}

/** After the room, the thread or the viewer changed: the address, the drafts, the lists. */
function arrive() {
  const name = now.setup.viewers.find((user) => user.id === now.viewer)?.name ?? now.viewer;
  history.replaceState(null, "", `/?as=${name}#${[now.room, now.thread].filter(Boolean).join("/")}`);
  byId("channel-log").replaceChildren();
  byId("thread-log").replaceChildren();
  byId("thread").hidden = !now.thread;
  dressBox(boxes.channel, null, draftOf(null));
  if (now.thread) dressBox(boxes.thread, now.thread, draftOf(now.thread));
  show();
  below.moved();
}

function dressBox(box, thread, draft) {
  const here = room();
  box.show({
    draft,
    placeholder: thread ? "Reply…" : `Message ${here.title}`,
    also: `Also send to ${here.name ? `#${here.name}` : here.title}`,
    disabled: here.archived ? `${here.title} is archived` : null,
  });
}

/** After the first command of a visit, show its thread as soon as something is in it. */
function followFirstPicture() {
  if (guide === null || isPhone() || innerWidth < 1000) return;
  const reply = room()?.messages.findLast((one) => one.is_reply && one.ts > guide && one.user === now.world.app.user_id);
  if (reply) openThread(reply.thread_ts, { focus: false });
}

// Staying up to date

let asking = null;
let again = false;

/** Ask for the state; what changes while the answer is on its way is asked for once more. */
function refresh() {
  again = true;
  asking ??= askUntilCurrent().finally(() => {
    asking = null;
  });
  return asking;
}

async function askUntilCurrent() {
  while (again) {
    again = false;
    const viewer = now.viewer;
    const fresh = await api.state(viewer, known());
    if (fresh.error) return;
    if (viewer === now.viewer && !learn(fresh)) learn(await api.state(viewer, ""));
  }
}

async function update() {
  await refresh();
  if (!now.world || now.world.viewer.id !== now.viewer) return;
  if (!room()) now.room = [...now.world.rooms.keys()][0];
  show();
  followFirstPicture();
}

function lost() {
  if (!now.world) {
    byId("connecting").textContent = "Waiting for the sandbox on this machine to answer…";
    return;
  }
  notice("The connection to the sandbox is lost. Is it still running? Trying again…");
}

async function begin() {
  now.setup ??= await api.setup().then((given) => (given.viewers ? given : null));
  if (!now.setup) return;
  if (now.world) {
    await update();
    return;
  }
  const wanted = new URLSearchParams(location.search).get("as");
  now.viewer = (now.setup.viewers.find((user) => [user.name, user.id].includes(wanted)) ?? now.setup.viewers[0]).id;
  await refresh();
  if (!now.world) return;
  drawControls(byId("controls"), now.setup, now.viewer, become);
  const linked = permalink(location.pathname + location.search);
  const [hashRoom, hashThread] = location.hash.slice(1).split("/");
  const first = [...now.world.rooms.keys()][0];
  now.room = [linked?.channel, hashRoom].find((id) => now.world.rooms.has(id)) ?? first;
  now.thread = [linked?.thread, hashThread].find((ts) => room().messages.some((one) => one.ts === ts)) ?? null;
  byId("channel-composer").append(boxes.channel.node);
  byId("thread-composer").append(boxes.thread.node);
  arrive();
  scrollDown(byId("channel-log"));
  if (linked && now.thread === linked.thread) find(linked.ts);
  boxes.channel.focus();
  below.begin(now.setup);
}

function follow(event) {
  const anchor = event.target.closest?.("a[data-permalink]");
  const place = anchor && permalink(anchor.dataset.permalink);
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!now.world.rooms.has(place.channel)) toast("You are not in that channel.");
  else {
    if (place.channel !== now.room) openRoom(place.channel);
    openThread(place.thread);
    find(place.ts);
  }
}

/** Bring a linked message into sight, and mark it for a moment. */
function find(ts) {
  // After the thread has gone to its end, which the next frame does.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const found = reach(byId("thread-log"), ts);
      found?.scrollIntoView({ block: "center" });
      found?.classList.add("found");
    }),
  );
}

function toggleMenu(open) {
  byId("sidebar").classList.toggle("open", open);
  byId("shade").hidden = !open;
  byId("menu").setAttribute("aria-expanded", String(open));
  if (open) byId("sidebar").querySelector("button")?.focus();
}

for (const id of ["channel-log", "thread-log"]) holdEnd(byId(id));
byId("menu").addEventListener("click", () => toggleMenu(!byId("sidebar").classList.contains("open")));
byId("shade").addEventListener("click", () => toggleMenu(false));
byId("thread-close").addEventListener("click", closeThread);
document.addEventListener("click", follow);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open], .popup:popover-open")) return;
  if (byId("sidebar").classList.contains("open")) {
    toggleMenu(false);
    byId("menu").focus();
  } else if (below.isOpen() && (innerWidth <= 1100 || byId("hood").contains(document.activeElement))) below.close();
  else if (now.thread) closeThread();
});
api.live({ up: begin, changed: update, below: below.notice, down: lost });
