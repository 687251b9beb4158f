// The page: keeps what is shown, asks for the state again when something changed, and draws it.

import * as api from "./api.js";
import { composer } from "./composer.js";
import { act, attach, copyLink, edit, globalShortcuts, remove } from "./deeds.js";
import { byId, isPhone, toast } from "./dom.js";
import { FIRST_PROMPT, begun, draftOf, isFirst, keepDraft, outdateFiles } from "./drafts.js";
import { hood } from "./hood.js";
import { permalink } from "./links.js";
import { entries } from "./messages.js";
import { refresh } from "./refresh.js";
import { draw, find, holdEnd, notice, scrollDown } from "./screen.js";
import { drawControls } from "./sidebar.js";
import { now, room } from "./state.js";
import { suggest } from "./suggestions.js";

/** Notices after which what was uploaded may be gone. */
const ANEW = new Set(["hello", "reset"]);

/** Notices after which other people may be there. */
const PEOPLE = new Set(["hello", "lost", "person", "reset"]);

const below = hood({ place: () => ({ channel: now.room, thread: now.thread, viewer: now.viewer }) });
/** Of the first command of a visit: the newest message before it. Then null: nobody needs to be guided. */
let guide = null;

// What a person can do

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
  edit,
  copyLink,
  remove,
};

const boxes = {
  channel: composer({ id: "channel", label: "Message", suggest, attach, shortcuts: globalShortcuts, reword: () => rewordLast(null), send: (sent) => send(sent, null) }),
  thread: composer({ id: "thread", label: "Reply in the thread", broadcast: true, suggest, attach, reword: () => rewordLast(now.thread), send: (sent) => send(sent, now.thread), escape: closeThread }),
};

/** Change the newest message of one's own in the channel, or in a thread. */
function rewordLast(thread) {
  const all = entries(room(), thread, does.hidden);
  const last = all.findLast((entry) => entry.kind === "message" && entry.message.mine);
  if (last) edit(last.message);
}

function send({ kind, text, files, broadcast }, threadTs) {
  if (kind === "type" && isFirst()) guide = room().messages.at(-1)?.ts ?? "";
  begun();
  const where = { channel: now.room, text, thread_ts: threadTs };
  scrollDown(byId(threadTs ? "thread-log" : "channel-log"));
  return act(kind, kind === "type" ? where : { ...where, files, broadcast });
}

const show = () => draw(does, boxes.channel.draft().text === FIRST_PROMPT);

// Where we are

function keepDrafts() {
  keepDraft(null, boxes.channel.draft());
  if (now.thread) keepDraft(now.thread, boxes.thread.draft());
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
  // Whoever opens a thread wants to see it; one that opens by itself lets them go on watching the money.
  if (focus && below.covers()) below.close();
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
  leaveThread();
  const back = [...document.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === now.opener);
  if (back) back.focus();
  else boxes.channel.focus();
}

function leaveThread() {
  keepDrafts();
  now.thread = null;
  arrive();
}

/** Where nothing is left of the open thread, its pane closes; only who was in it is led elsewhere. */
function leaveWhatIsGone() {
  if (!now.thread || entries(room(), now.thread, does.hidden).length) return;
  const inside = byId("thread").contains(document.activeElement);
  leaveThread();
  if (inside) boxes.channel.focus();
}

/** Who there is to be, told anew: people are added, and leave when everything begins again. */
async function meetPeople() {
  const given = await api.setup();
  if (!given.viewers) return;
  now.setup = given;
  if (!given.viewers.some((user) => user.id === now.viewer)) await become(given.viewers[0].id);
  drawControls(byId("controls"), now.setup, now.viewer, become);
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

let dressed = "";

/** A room can be archived or renamed while it is open, and the app's shortcuts can change. */
function dressBoxes() {
  const look = JSON.stringify([now.viewer, now.room, now.thread, room().title, room().archived, globalShortcuts().length]);
  if (look === dressed) return;
  dressed = look;
  dressBox(boxes.channel, null, null);
  if (now.thread) dressBox(boxes.thread, now.thread, null);
}

/** What a box is for; `draft` null leaves in it what is being written. */
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

async function update(notice) {
  if (ANEW.has(notice?.kind)) {
    keepDrafts();
    outdateFiles();
  }
  if (PEOPLE.has(notice?.kind)) await meetPeople();
  await refresh();
  if (!now.world || now.world.viewer.id !== now.viewer) return;
  if (!room()) now.room = [...now.world.rooms.keys()][0];
  leaveWhatIsGone();
  dressBoxes();
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
    await update({ kind: "hello" });
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
  const there = now.world.rooms.get(place.channel);
  if (!there) toast("You are not in that channel.");
  else if (!entries(there, place.thread, does.hidden).length) toast("That message is gone.");
  else {
    if (place.channel !== now.room) openRoom(place.channel);
    openThread(place.thread);
    find(place.ts);
  }
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
  } else if (below.covers() || below.hasFocus()) below.close();
  else if (now.thread) closeThread();
});
api.live({ up: begin, changed: update, below: below.notice, down: lost });
