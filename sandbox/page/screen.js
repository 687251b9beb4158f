// Draws what the page knows.

import { atEnd, byId, el, isPhone, quietly, toast } from "./dom.js";
import { drawList, entries, reach } from "./messages.js";
import { drawRooms } from "./sidebar.js";
import { now, room, seenUpTo, unread, withApp } from "./state.js";
import { drawHome, drawModals } from "./views.js";

const WELCOME =
  "A small Slack that lives on this machine. Send /imagine with what you want to see; the picture comes in a thread, and a reply there changes it.";
const WELCOME_ALONE = "Write here what you want to see, without a command; the picture comes in a thread, and a reply there changes it.";
const READY = " The first one is written below: press Enter.";
const NO_HOME = "The app has no Home tab yet, or it has not answered.";

export const GONE = "That message is gone.";

/** Go to the newest message once it is laid out. */
export const scrollDown = (box) =>
  requestAnimationFrame(() => {
    box.scrollTop = box.scrollHeight;
  });

/** Go to the beginning, once what was under way to the end has got there. */
export const scrollUp = (box) =>
  requestAnimationFrame(() => {
    box.scrollTop = 0;
  });

/** Bring a linked message into sight, and mark it for a moment. */
export function find(ts) {
  // After the thread has gone to its end, which the next frame does.
  requestAnimationFrame(() =>
    requestAnimationFrame(() => {
      const found = reach(byId("thread-log"), ts);
      if (!found) toast(GONE);
      found?.scrollIntoView({ block: "center" });
      found?.classList.add("found");
    }),
  );
}

/** Who looks at the end of a list goes on seeing it when the list gets another size. */
export function holdEnd(box) {
  const size = () => `${box.clientWidth} ${box.clientHeight}`;
  let end = true;
  let noted = size();
  box.addEventListener("scroll", () => {
    // With another size the browser scrolls by itself, which is nobody's wish to be elsewhere.
    if (size() === noted) end = atEnd(box);
  });
  new ResizeObserver(() => {
    noted = size();
    if (end && box.place) box.scrollTop = box.scrollHeight;
  }).observe(box);
}

/** Draw everything. `does` are the things a person can do; `ready` says that a first prompt is written. */
export function draw(does, ready) {
  const here = room();
  if (!here) return;
  const { world, snapshot } = now;
  byId("team-name").textContent = snapshot.team.name;
  document.title = `${here.title} · ${snapshot.team.name}`;
  byId("channel-name").textContent = here.title;
  byId("channel-about").textContent = here.name ? `${here.members.length} members${here.has_app ? "" : `, without ${world.app.name}`}` : "Direct message";
  drawTabs(does);
  const welcome = welcomeTo(here) + (ready && here.has_app && !here.archived ? READY : "");
  if (now.home) {
    // No list: its end is nowhere to be held, and whoever comes back to the list begins anew.
    byId("channel-log").place = null;
    drawHome(byId("channel-log"), snapshot.home, world, does, NO_HOME);
  } else drawLog(byId("channel-log"), here, null, does, welcome);
  byId("channel-composer").hidden = now.home;
  byId("thread").hidden = !now.thread;
  byId("shell").classList.toggle("with-thread", Boolean(now.thread));
  if (now.thread) {
    byId("thread-about").textContent = here.title;
    drawLog(byId("thread-log"), here, now.thread, does, "");
  }
  seenUpTo(here);
  drawRooms(byId("rooms"), world, now.room, unread, does.openRoom);
  drawNotice(here);
  drawModals(snapshot.modals, world, does);
}

function welcomeTo(here) {
  if (!here.has_app || here.archived) return "Nothing here yet.";
  return here.name ? WELCOME : WELCOME_ALONE;
}

function drawTabs(does) {
  const box = byId("channel-tabs");
  box.hidden = !withApp();
  const tab = (label, home) => el("button", { type: "button", "data-focus": `tab ${label}`, click: () => does.showHome(home) }, label);
  // The same two for good: a press that began before a redraw ends after it.
  if (!box.firstElementChild) box.append(tab("Messages", false), tab("Home", true));
  for (const [index, one] of [...box.children].entries()) one.setAttribute("aria-pressed", String(now.home === (index === 1)));
}

function drawLog(box, here, thread, does, empty) {
  const place = `${now.viewer} ${here.id} ${thread}`;
  if (box.place !== place) {
    box.place = place;
    box.replaceChildren();
    quietly(box);
  }
  const stay = atEnd(box);
  if (!entries(here, thread, does.hidden).length) {
    if (box.firstElementChild?.textContent !== empty) box.replaceChildren(el("p", { class: "state" }, empty));
    return;
  }
  if (box.firstElementChild && !box.firstElementChild.dataset.key) box.replaceChildren();
  drawList(box, here, thread, now.world, does);
  if (stay) scrollDown(box);
}

/** What lies under the menu, the thread or the hood cannot be reached, by the keyboard neither. */
export function shut(underHood) {
  const menu = byId("sidebar").classList.contains("open");
  byId("channel").inert = menu || (isPhone() && (underHood || Boolean(now.thread)));
  byId("thread").inert = menu || underHood;
}

function drawNotice(here) {
  const { name, installed, connected } = now.world.app;
  let said = "";
  if (!installed) said = `${name} was removed from this workspace.`;
  else if (!connected) said = `${name} is not connected, so nobody answers yet. Start the bot (darkroom demo does both), or wait until it is back.`;
  else if (!here.has_app && here.name) said = `${name} is not in ${here.title}. To let it in, send: /invite @${name}`;
  notice(said);
}

/** A standing remark above the composer; empty takes it away. */
export function notice(text) {
  // Written again, the same words would be read out again.
  if (byId("notice").textContent !== text) byId("notice").textContent = text;
  byId("notice").hidden = !text;
}
