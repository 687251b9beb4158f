// The page: keeps what is shown, asks for the state again when something changed, and draws it.

import * as api from "./api.js";
import { composer } from "./composer.js";
import { confirmed, reworded } from "./dialogs.js";
import { byId, isPhone, toast } from "./dom.js";
import { permalink } from "./links.js";
import { drawList, entries } from "./messages.js";
import { drawControls, drawRooms } from "./sidebar.js";

const FIRST_PROMPT = "/imagine a red fox in snow";
const WELCOME =
  "A small Slack that lives on this machine. Send /imagine with what you want to see; the picture comes in a thread, and a reply there changes it.";
const READY = " The first one is written below: press Enter.";
const STARTED = "darkroom-sandbox-started";

const shown = { viewer: null, room: null, thread: null, opener: null };
const drafts = new Map();
const seen = new Map();
const hidden = new Set();
let setup = null;
let snapshot = null;
let world = null;
let guide = false;

// What a person can do

const act = async (doing, action) => {
  const answer = await api.act(shown.viewer, doing, action);
  if (!answer.ok && answer.error && doing !== "type" && doing !== "post" && doing !== "press") toast(answer.error);
  return answer;
};

const does = {
  hidden,
  act,
  press: (action) => act("press", action),
  openThread,
  dismiss: (ts) => {
    hidden.add(ts);
    draw();
  },
  edit: async (message) => {
    const text = await reworded("Edit message", asTyped(message.text));
    if (text?.trim()) await act("edit", { channel: shown.room, ts: message.ts, text: text.trim() });
  },
  remove: async (message) => {
    const sure = await confirmed({ title: { text: "Delete message" }, text: { text: "This cannot be undone." }, confirm: { text: "Delete" }, style: "danger" });
    if (sure) await act("delete", { channel: shown.room, ts: message.ts });
  },
};

/** A sent text as somebody would type it again. */
function asTyped(text) {
  const typed = text.replace(/<@([A-Z0-9]+)(?:\|[^>]*)?>/g, (_, id) => `@${world.users.get(id)?.name ?? id}`);
  return typed.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
}

function suggest(sign, start) {
  if (sign === "/") return setup.commands.filter((one) => one.name.slice(1).startsWith(start)).map((one) => ({ insert: one.name, ...one }));
  const members = new Set(room()?.members ?? []);
  return [...world.users.values()]
    .filter((user) => members.has(user.id) && (user.name.startsWith(start) || user.real_name.toLowerCase().startsWith(start)))
    .slice(0, 6)
    .map((user) => ({ insert: `@${user.is_bot ? user.real_name : user.name}`, name: `@${user.name}`, about: user.real_name }));
}

const attach = (file) => api.upload(shown.viewer, file);

const boxes = {
  channel: composer({ id: "channel", label: "Message", suggest, attach, send: (sent) => send(sent, null) }),
  thread: composer({ id: "thread", label: "Reply in the thread", broadcast: true, suggest, attach, send: (sent) => send(sent, shown.thread), escape: closeThread }),
};

function send({ kind, text, files, broadcast }, threadTs) {
  guide ||= kind === "type" && !sessionStorage.getItem(STARTED);
  sessionStorage.setItem(STARTED, "yes");
  const where = { channel: shown.room, text, thread_ts: threadTs };
  scrollDown(byId(threadTs ? "thread-log" : "channel-log"));
  return act(kind, kind === "type" ? where : { ...where, files, broadcast });
}

// Where we are

const room = () => world?.rooms.get(shown.room) ?? null;
const draftKey = (thread) => `${shown.viewer} ${shown.room} ${thread ?? ""}`;

function keepDrafts() {
  drafts.set(draftKey(null), boxes.channel.draft());
  if (shown.thread) drafts.set(draftKey(shown.thread), boxes.thread.draft());
}

function draftOf(thread) {
  const kept = drafts.get(draftKey(thread));
  const fresh = !kept && !thread && !sessionStorage.getItem(STARTED) && room()?.has_app && drafts.size === 0;
  return kept ?? { text: fresh ? FIRST_PROMPT : "", files: [] };
}

function openRoom(id) {
  keepDrafts();
  Object.assign(shown, { room: id, thread: null });
  toggleMenu(false);
  arrive();
  scrollDown(byId("channel-log"));
  if (!isPhone()) boxes.channel.focus();
}

function openThread(ts, { focus = true } = {}) {
  keepDrafts();
  shown.opener = document.activeElement?.dataset?.focus ?? null;
  shown.thread = ts;
  guide = false;
  arrive();
  scrollDown(byId("thread-log"));
  if (focus && !isPhone()) boxes.thread.focus();
  else if (focus) byId("thread-close").focus();
}

function closeThread() {
  keepDrafts();
  shown.thread = null;
  arrive();
  const back = [...document.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === shown.opener);
  if (back) back.focus();
  else boxes.channel.focus();
}

async function become(id) {
  keepDrafts();
  shown.viewer = id;
  await refresh();
  if (!room()) shown.room = [...world.rooms.keys()][0];
  if (shown.thread && !room().messages.some((one) => one.ts === shown.thread)) shown.thread = null;
  arrive();
}

/** After the room, the thread or the viewer changed: the address, the drafts, the lists. */
function arrive() {
  const name = setup.viewers.find((user) => user.id === shown.viewer)?.name ?? shown.viewer;
  history.replaceState(null, "", `/?as=${name}#${[shown.room, shown.thread].filter(Boolean).join("/")}`);
  byId("channel-log").replaceChildren();
  byId("thread-log").replaceChildren();
  byId("thread").hidden = !shown.thread;
  dressBox(boxes.channel, null, draftOf(null));
  if (shown.thread) dressBox(boxes.thread, shown.thread, draftOf(shown.thread));
  draw();
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

// Drawing

function readSnapshot(fresh) {
  snapshot = fresh;
  world = {
    app: fresh.app,
    viewer: fresh.viewer,
    users: new Map(fresh.users.map((user) => [user.id, user])),
    rooms: new Map(fresh.channels.map((one) => [one.id, one])),
    files: fresh.files,
  };
}

const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;
const scrollDown = (box) => requestAnimationFrame(() => { box.scrollTop = box.scrollHeight; });

function draw() {
  const here = room();
  if (!here) return;
  byId("team-name").textContent = snapshot.team.name;
  document.title = `${here.title} · ${snapshot.team.name} sandbox`;
  byId("channel-name").textContent = here.title;
  byId("channel-about").textContent = here.name ? `${here.members.length} members${here.has_app ? "" : `, without ${world.app.name}`}` : "Direct message";
  drawLog("channel-log", here, null);
  byId("shell").classList.toggle("with-thread", Boolean(shown.thread));
  if (shown.thread) {
    byId("thread-about").textContent = here.title;
    drawLog("thread-log", here, shown.thread);
  }
  seenUpTo(here);
  drawRooms(byId("rooms"), world, shown.room, unread, openRoom);
  drawNotice(here);
}

function drawLog(id, here, thread) {
  const box = byId(id);
  const stay = atEnd(box);
  if (!entries(here, thread, hidden).length) {
    const empty = document.createElement("p");
    empty.className = "state";
    empty.textContent = here.has_app && !here.archived ? WELCOME + (boxes.channel.draft().text === FIRST_PROMPT ? READY : "") : "Nothing here yet.";
    box.replaceChildren(empty);
    return;
  }
  if (box.firstElementChild && !box.firstElementChild.dataset.key) box.replaceChildren();
  drawList(box, here, thread, world, does);
  if (stay) scrollDown(box);
}

function drawNotice(here) {
  const { name, installed, connected } = world.app;
  const said = !installed
    ? `${name} was removed from this workspace.`
    : !connected
      ? `${name} is not connected, so nobody answers yet. Start the bot (darkroom demo does both), or wait until it is back.`
      : !here.has_app && here.name
        ? `${name} is not in ${here.title}. Try #design, or its direct message.`
        : "";
  byId("notice").textContent = said;
  byId("notice").hidden = !said;
}

const seenKey = (id) => `${shown.viewer} ${id}`;
const seenUpTo = (here) => seen.set(seenKey(here.id), here.messages.at(-1)?.ts ?? "");

function unread(one) {
  const since = seen.get(seenKey(one.id));
  if (since === undefined) {
    seenUpTo(one);
    return { count: 0, mentions: 0 };
  }
  const news = one.messages.filter((message) => message.ts > since && !message.mine);
  const pinged = new Set(snapshot.notifications.filter((n) => n.channel === one.id).map((n) => n.ts));
  return { count: news.length, mentions: news.filter((message) => pinged.has(message.ts)).length };
}

/** After the first command of a visit, show its thread as soon as something is in it. */
function followFirstPicture() {
  if (!guide || shown.thread || isPhone() || innerWidth < 1000) return;
  const reply = room()?.messages.findLast((one) => one.is_reply && one.user === world.app.user_id);
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
    const viewer = shown.viewer;
    const fresh = await api.state(viewer);
    if (fresh.error) return;
    if (viewer === shown.viewer) readSnapshot(fresh);
  }
}

async function update() {
  await refresh();
  if (!world || world.viewer.id !== shown.viewer) return;
  if (!room()) shown.room = [...world.rooms.keys()][0];
  draw();
  followFirstPicture();
}

function lost() {
  if (!world) {
    byId("connecting").textContent = "Waiting for the sandbox on this machine to answer…";
    return;
  }
  byId("notice").textContent = "The connection to the sandbox is lost. Is it still running? Trying again…";
  byId("notice").hidden = false;
}

async function begin() {
  setup ??= await api.setup().then((given) => (given.viewers ? given : null));
  if (!setup) return;
  if (world) {
    await update();
    return;
  }
  const wanted = new URLSearchParams(location.search).get("as");
  shown.viewer = (setup.viewers.find((user) => [user.name, user.id].includes(wanted)) ?? setup.viewers[0]).id;
  await refresh();
  if (!world) return;
  drawControls(byId("controls"), setup, shown.viewer, become);
  const linked = permalink(location.pathname + location.search);
  const [hashRoom, hashThread] = location.hash.slice(1).split("/");
  const first = [...world.rooms.keys()][0];
  shown.room = [linked?.channel, hashRoom].find((id) => world.rooms.has(id)) ?? first;
  shown.thread = [linked?.thread, hashThread].find((ts) => room().messages.some((one) => one.ts === ts)) ?? null;
  byId("channel-composer").append(boxes.channel.node);
  byId("thread-composer").append(boxes.thread.node);
  arrive();
  scrollDown(byId("channel-log"));
  boxes.channel.focus();
}

function follow(event) {
  const anchor = event.target.closest?.("a[data-permalink]");
  const place = anchor && permalink(anchor.dataset.permalink);
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  if (!world.rooms.has(place.channel)) toast("You are not in that channel.");
  else {
    if (place.channel !== shown.room) openRoom(place.channel);
    openThread(place.thread);
  }
}

function toggleMenu(open) {
  byId("sidebar").classList.toggle("open", open);
  byId("shade").hidden = !open;
  byId("menu").setAttribute("aria-expanded", String(open));
  if (open) byId("sidebar").querySelector("button")?.focus();
}

byId("menu").addEventListener("click", () => toggleMenu(!byId("sidebar").classList.contains("open")));
byId("shade").addEventListener("click", () => toggleMenu(false));
byId("thread-close").addEventListener("click", closeThread);
document.addEventListener("click", follow);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open]")) return;
  if (byId("sidebar").classList.contains("open")) {
    toggleMenu(false);
    byId("menu").focus();
  } else if (shown.thread) closeThread();
});
api.live({ up: begin, changed: update, down: lost });
