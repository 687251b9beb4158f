// The page: keeps what is shown, asks for the state again when something changed, and draws it.

import * as api from "./api.js";
import { boxes as makeBoxes } from "./boxes.js";
import { act, attach, copyLink, edit, remove } from "./deeds.js";
import { byId, isPhone, named, toast } from "./dom.js";
import { FIRST_PROMPT, begun, draftOf, forgetReplies, isFirst, outdateFiles } from "./drafts.js";
import * as guide from "./guide.js";
import { hood } from "./hood.js";
import { lasting } from "./kept.js";
import { permalink } from "./links.js";
import { entries } from "./messages.js";
import { lookAs, refresh } from "./refresh.js";
import { GONE, draw, find, holdEnd, notice, scrollDown, scrollUp, shut } from "./screen.js";
import { drawControls } from "./sidebar.js";
import { forgetSeen, now, room, withApp } from "./state.js";

/** Notices after which what was uploaded may be gone. */
const ANEW = new Set(["hello", "reset"]);

/** Notices after which other people may be there. */
const PEOPLE = new Set(["hello", "lost", "person", "reset"]);

const HIDDEN_MOST = 200;
const HOME = "home";

const below = hood({ place: () => ({ channel: now.room, thread: now.thread, viewer: now.viewer }) });

// What a person can do

const does = {
  hidden: lasting("hidden", HIDDEN_MOST),
  act,
  attach,
  openRoom,
  showHome,
  press: (action) => act("press", action),
  openThread,
  dismiss: (ts) => {
    does.hidden.set(ts, true);
    show();
  },
  edit,
  copyLink,
  remove,
};

const boxes = makeBoxes({ send, reword, escape: closeThread });

/** Change the newest message of one's own in the channel, or in a thread. */
function reword(thread) {
  const all = entries(room(), thread, does.hidden);
  const last = all.findLast((entry) => entry.kind === "message" && entry.message.mine);
  if (last) edit(last.message);
}

function send({ kind, text, files, broadcast, place }) {
  const { viewer, channel, thread } = place;
  if (kind === "type" && isFirst()) guide.lookOut(place, text);
  begun();
  if (channel === now.room) scrollDown(byId(thread ? "thread-log" : "channel-log"));
  const said = { channel, text, thread_ts: thread };
  return api.act(viewer, kind, kind === "type" ? said : { ...said, files, broadcast });
}

const show = () => draw(does, draftOf(null).text === FIRST_PROMPT);

// Where we are

function openRoom(id) {
  guide.leaveAlone();
  Object.assign(now, { room: id, thread: null, home: false });
  toggleMenu(false);
  arrive();
  scrollDown(byId("channel-log"));
  if (!isPhone()) boxes.channel.focus();
}

function openThread(ts, { focus = true } = {}) {
  guide.leaveAlone();
  now.opener = document.activeElement?.dataset?.focus ?? null;
  now.thread = ts;
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
  tellAddress();
  show();
  act("home", { tab: home ? HOME : "messages" });
  (home ? scrollUp : scrollDown)(byId("channel-log"));
}

function closeThread() {
  leaveThread();
  const back = named(now.opener);
  if (back) back.focus();
  else boxes.channel.focus();
}

function leaveThread() {
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
  drawPeople();
}

const drawPeople = () => drawControls(byId("controls"), now.setup, now.viewer, become);

/** Look as somebody else: as soon as it is known what they see, and not at all when that cannot be asked. */
async function become(id) {
  guide.leaveAlone();
  const wrong = await lookAs(id);
  if (wrong) {
    toast(wrong);
    drawPeople();
    return;
  }
  if (now.viewer !== id) return;
  now.home = false;
  stayInRooms();
  if (now.thread && !room().messages.some((one) => one.ts === now.thread)) now.thread = null;
  arrive();
}

/** The open room may not be there any more, or not for this person. */
function stayInRooms() {
  if (!room()) Object.assign(now, { room: [...now.world.rooms.keys()][0], thread: null, home: false });
}

/** After the room, the thread or the viewer changed: the address, the boxes, the lists. */
function arrive() {
  tellAddress();
  byId("thread").hidden = !now.thread;
  boxes.dress();
  show();
  below.moved();
}

function tellAddress() {
  const name = now.setup.viewers.find((user) => user.id === now.viewer)?.name ?? now.viewer;
  history.replaceState(null, "", `/?as=${name}#${[now.room, now.thread, now.home && HOME].filter(Boolean).join("/")}`);
}

/** After the first command of a visit, show its thread; unless somebody is writing in another. */
function followFirstPicture() {
  const thread = guide.arrived();
  if (!thread) return;
  if (isPhone() || innerWidth < 1000 || byId("thread").contains(document.activeElement)) guide.leaveAlone();
  else openThread(thread, { focus: false });
}

/** To a linked message, or why not. */
function goTo({ channel, thread, ts }) {
  const there = now.world.rooms.get(channel);
  if (!there) toast("You are not in that channel.");
  else if (!entries(there, thread, does.hidden).length) toast(GONE);
  else {
    if (channel !== now.room) openRoom(channel);
    openThread(thread);
    find(ts);
  }
}

// Staying up to date

async function update(notice) {
  if (notice?.kind === "reset") {
    forgetReplies();
    does.hidden.clear();
    forgetSeen();
  }
  if (ANEW.has(notice?.kind)) outdateFiles();
  if (PEOPLE.has(notice?.kind)) await meetPeople();
  await refresh();
  if (!now.world) return;
  stayInRooms();
  leaveWhatIsGone();
  boxes.dress();
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
  drawPeople();
  const linked = permalink(location.pathname + location.search);
  const [hashRoom, ...rest] = location.hash.slice(1).split("/");
  now.room = [linked?.channel, hashRoom].find((id) => now.world.rooms.has(id)) ?? [...now.world.rooms.keys()][0];
  now.thread = rest.find((ts) => room().messages.some((one) => one.ts === ts)) ?? null;
  byId("channel-composer").append(boxes.channel.node);
  byId("thread-composer").append(boxes.thread.node);
  arrive();
  if (rest.includes(HOME) && withApp()) showHome(true);
  else scrollDown(byId("channel-log"));
  if (now.thread && isPhone()) byId("thread-close").focus();
  else boxes.channel.focus();
  if (linked) goTo(linked);
  below.begin(now.setup);
}

function follow(event) {
  const anchor = event.target.closest?.("a[data-permalink]");
  const place = anchor && permalink(anchor.dataset.permalink);
  if (!place || event.ctrlKey || event.metaKey || event.shiftKey) return;
  event.preventDefault();
  goTo(place);
}

const menuIsOpen = () => byId("sidebar").classList.contains("open");

function toggleMenu(open) {
  const was = menuIsOpen();
  byId("sidebar").classList.toggle("open", open);
  byId("shade").hidden = !open;
  byId("menu").setAttribute("aria-expanded", String(open));
  shut(below.covers());
  if (open) byId("rooms").querySelector("[aria-current]")?.focus();
  else if (was) byId("menu").focus();
}

for (const id of ["channel-log", "thread-log"]) holdEnd(byId(id));
byId("menu").addEventListener("click", () => toggleMenu(true));
byId("shade").addEventListener("click", () => toggleMenu(false));
byId("thread-close").addEventListener("click", closeThread);
addEventListener("resize", () => (menuIsOpen() && !isPhone() ? toggleMenu(false) : shut(below.covers())));
document.addEventListener("click", follow);
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape" || document.querySelector("dialog[open], .popup:popover-open")) return;
  if (menuIsOpen()) toggleMenu(false);
  else if (below.covers() || below.hasFocus()) below.close();
  else if (now.thread) closeThread();
});
api.live({ up: begin, changed: update, below: below.notice, down: lost });
