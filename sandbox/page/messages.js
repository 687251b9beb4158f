// Messages as a list: who, when, what, and what can be done with them.

import { blocks } from "./blocks.js";
import { el, icon, quietly, reconcile } from "./dom.js";
import { emoji, glyph } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { postedFile } from "./pictures.js";
import { menuButton } from "./popup.js";
import { now, revisionOf } from "./state.js";

const TOGETHER_S = 300;
const SLACKBOT = { id: "USLACKBOT", name: "slackbot", real_name: "Slackbot", is_bot: true };

const dateOf = (ts) => new Date(Number.parseFloat(ts) * 1000);
const timeOf = (ts) => dateOf(ts).toLocaleTimeString([], { hour: "numeric", minute: "2-digit" });
const counted = (count, one, many) => `${count} ${count === 1 ? one : many}`;

function dayOf(ts) {
  const date = dateOf(ts);
  const day = date.toDateString();
  const today = new Date(now.snapshot.now * 1000);
  if (day === today.toDateString()) return "Today";
  today.setDate(today.getDate() - 1);
  if (day === today.toDateString()) return "Yesterday";
  return date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

/** A round with somebody's initials, in their own colour. */
export function avatar(user) {
  const initials = user.real_name.split(/\s+/).filter(Boolean).slice(0, 2).map((word) => word[0]).join("");
  const tint = user.is_bot ? "bot" : [...user.id].reduce((sum, letter) => (sum * 5 + letter.codePointAt(0)) % 997, 0) % 6;
  return el("span", { class: `avatar tint-${tint}`, "aria-hidden": "true" }, user.is_bot && user.id !== SLACKBOT.id ? "◉" : initials.toUpperCase());
}

const authorOf = (id, world) => world.users.get(id) ?? (id === SLACKBOT.id ? SLACKBOT : { id, name: id, real_name: id });

/** What a list shows: the channel's own messages, or one thread's; each {kind, ts, message}. */
export function entries(room, threadTs, hidden) {
  const inThread = (one) => one.ts === threadTs || one.thread_ts === threadTs;
  const inChannel = (one) => !one.is_reply || one.broadcast;
  const said = room.messages.filter(threadTs ? inThread : inChannel).map((message) => ({ kind: "message", ts: message.ts, message }));
  const whispered = room.ephemerals
    .filter((only) => !hidden.has(only.ts) && (threadTs ? only.thread_ts === threadTs : !only.thread_ts))
    .map((only) => ({ kind: "ephemeral", ts: only.ts, message: { ...only, user: only.author, files: [], reactions: [] } }));
  const sorted = [...said, ...whispered].sort((a, b) => (a.ts < b.ts ? -1 : 1));
  const shown = [];
  for (const [index, entry] of sorted.entries()) {
    const before = sorted[index - 1];
    const day = dayOf(entry.ts);
    const newDay = !threadTs && (!before || dayOf(before.ts) !== day);
    if (newDay) shown.push({ kind: "day", ts: entry.ts, day });
    const close = before && Number.parseFloat(entry.ts) - Number.parseFloat(before.ts) < TOGETHER_S;
    const root = threadTs && before?.ts === threadTs;
    entry.follows = Boolean(close && !newDay && !root && before.kind === entry.kind && before.message.user === entry.message.user && !entry.message.broadcast);
    shown.push(entry);
    if (threadTs === entry.ts) shown.push({ kind: "count", ts: entry.ts, count: room.messages.filter((one) => one.is_reply && one.thread_ts === threadTs).length });
  }
  for (const { thread_ts: ts, status } of threadTs ? room.statuses.filter((one) => one.thread_ts === threadTs) : [])
    shown.push({ kind: "status", ts, status });
  return shown;
}

/** So many entries are drawn at first, and so many more whenever somebody comes near the oldest of them. */
const FIRST = 60;
const MORE = 30;
const NEAR_PX = 1200;

/** What is drawn of a box's list: the newest `most`. Another room or thread begins anew. */
function windowOf(box, place) {
  if (box.window?.place !== place) box.window = { place, most: FIRST };
  return box.window;
}

/** Draw a list, the newest part of it. `does` are the things a message can ask of the page. */
export function drawList(box, room, threadTs, world, does) {
  const shown = windowOf(box, `${world.viewer.id} ${room.id} ${threadTs}`);
  const all = entries(room, threadTs, does.hidden);
  // Who reads further up keeps what they read: what comes in at the end pushes nothing out.
  if (shown.total < all.length && box.scrollHeight - box.scrollTop - box.clientHeight > NEAR_PX) shown.most += all.length - shown.total;
  shown.total = all.length;
  const threads = threadTs ? null : threadsOf(room);
  const drawn = all.slice(-shown.most);
  const print = (entry) => look(entry, world, threads);
  const make = (entry) => {
    if (entry.kind === "day") return el("p", { class: "divider" }, el("span", {}, entry.day));
    if (entry.kind === "count") return el("p", { class: "divider left" }, el("span", {}, entry.count ? counted(entry.count, "reply", "replies") : "No replies yet"));
    if (entry.kind === "status") return el("p", { class: "status-line" }, el("span", { class: "dots", "aria-hidden": "true" }), `${world.app.name} ${entry.status}`);
    return messageNode(entry, room, threadTs, world, does, threads?.get(entry.ts));
  };
  reconcile(box, drawn, (entry) => `${entry.kind} ${entry.ts}`, print, make);
  shown.grow = (by = MORE) => {
    if (box.window !== shown || shown.most >= all.length) return false;
    shown.most += by;
    quietly(box);
    const [height, top] = [box.scrollHeight, box.scrollTop];
    drawList(box, room, threadTs, world, does);
    // At the very top the browser keeps no place by itself.
    box.scrollTop = top + box.scrollHeight - height;
    return true;
  };
  box.onscroll = () => box.scrollTop < NEAR_PX && shown.grow();
  // Short messages on a tall screen: there has to be something to scroll.
  if (box.clientHeight && box.scrollHeight < box.clientHeight + NEAR_PX) shown.grow();
}

/** Draw so much of a list that a message is in it; its node, or null. */
export function reach(box, ts) {
  const find = () => box.querySelector(`[data-ts="${CSS.escape(ts)}"]`);
  if (!find()) box.window?.grow?.(Number.MAX_SAFE_INTEGER);
  return find();
}

const FILES = /F[A-Z0-9]{8,}/g;
const named = new WeakMap();

/** The ids of all files in a message, wherever in it they are. */
function filesIn(message) {
  if (!named.has(message)) named.set(message, [...new Set(JSON.stringify([message.files, message.blocks]).match(FILES) ?? [])]);
  return named.get(message);
}

/** Everything that an entry's node depends on, as one string. */
function look(entry, world, threads) {
  if (entry.kind !== "message") return JSON.stringify([entry, world.viewer.id]);
  const files = filesIn(entry.message).map((id) => (world.files[id] ? revisionOf(world.files[id]) : -1));
  const about = threads?.get(entry.ts) ?? null;
  return JSON.stringify([revisionOf(entry.message), entry.follows, files, about, world.viewer.id, world.usersAsTold]);
}

/** What stands below the messages of a channel that have replies, notes or somebody at work: ts → about it. */
function threadsOf(room) {
  const threads = new Map();
  const at = (ts) => {
    if (!threads.has(ts)) threads.set(ts, { count: 0, last: null, people: [], status: null, notes: 0 });
    return threads.get(ts);
  };
  for (const reply of room.messages) {
    if (!reply.is_reply) continue;
    const about = at(reply.thread_ts);
    about.count += 1;
    about.last = reply.ts;
    if (about.people.length < 4 && !about.people.includes(reply.user)) about.people.push(reply.user);
  }
  for (const { thread_ts: ts, status } of room.statuses) at(ts).status ??= status;
  for (const only of room.ephemerals) if (only.thread_ts) at(only.thread_ts).notes += 1;
  return threads;
}

function messageNode(entry, room, threadTs, world, does, about) {
  const { message, kind } = entry;
  const author = authorOf(message.user, world);
  const only = kind === "ephemeral";
  const place = { channel: room.id, message_ts: message.ts };
  const source = { channel: room.id, ts: message.ts, broken: message.broken_files, press: (press) => does.press({ ...place, ...press }), ask: (asked) => does.act("options", { ...place, ...asked }) };
  const body = el("div", { class: "message-body" });
  if (only) body.append(el("p", { class: "only" }, icon("eye"), " Only visible to you ", el("button", { type: "button", class: "plain", "data-focus": `dismiss ${message.ts}`, click: () => does.dismiss(message.ts) }, "Dismiss")));
  if (message.broadcast) body.append(broadcastLine(message, room, threadTs, does));
  if (!entry.follows) body.append(byline(author, message));
  body.append(content(message, world, source));
  for (const id of message.files) if (world.files[id]) body.append(postedFile(world.files[id]));
  if (message.reactions.length) body.append(reactions(message, room, world, does));
  if (!only && about) body.append(...threadLine(message, about, world, does));
  const side = entry.follows ? el("time", { class: "avatar-gap", "aria-hidden": "true" }, timeOf(message.ts).replace(/\s*[AP]M$/i, "")) : avatar(author);
  const classes = ["message", entry.follows ? "follows" : "", only ? "ephemeral" : ""].filter(Boolean).join(" ");
  return el("article", { class: classes, "data-ts": message.ts, "aria-label": `${author.real_name}, ${timeOf(message.ts)}` }, side, body, only ? null : tools(message, room, threadTs, world, does));
}

function byline(author, message) {
  const at = dateOf(message.ts);
  return el(
    "p",
    { class: "byline" },
    el("strong", {}, author.real_name),
    author.is_bot ? el("span", { class: "app" }, "APP") : null,
    author.is_outside ? el("span", { class: "app" }, "OUTSIDE") : null,
    el("time", { datetime: at.toISOString(), title: at.toLocaleString() }, timeOf(message.ts)),
  );
}

function content(message, world, source) {
  const text = el("div", { class: message.subtype === "tombstone" ? "content tombstone" : "content" });
  const typed = !world.users.get(message.user)?.is_bot && message.blocks.every((block) => block.type === "rich_text");
  if (message.blocks.length && !(typed && message.text)) text.append(...blocks(message.blocks, world, source));
  else if (message.text) text.append(el("div", { class: "text" }, mrkdwn(message.text, world)));
  if (message.edited) text.append(el("small", { class: "edited" }, "(edited)"));
  return text;
}

function broadcastLine(message, room, threadTs, does) {
  if (threadTs) return el("p", { class: "origin" }, "Also sent to the channel");
  const open = () => does.openThread(message.thread_ts);
  return el("p", { class: "origin" }, "replied to ", el("button", { type: "button", class: "plain", "data-focus": `origin ${message.ts}`, click: open }, "a thread"));
}

function reactions(message, room, world, does) {
  const chips = message.reactions.map(({ name, users }) => {
    const names = users.map((id) => authorOf(id, world).real_name).join(", ");
    const label = `${name.replaceAll("_", " ")}: ${names}`;
    const mine = users.includes(world.viewer.id);
    return el(
      "button",
      { type: "button", class: mine ? "reaction mine" : "reaction", title: label, "aria-label": label, "aria-pressed": String(mine), "data-focus": `react ${message.ts} ${name}`, click: () => does.act("react", { channel: room.id, ts: message.ts, name }) },
      el("span", { "aria-hidden": "true" }, glyph(name) ? emoji(name) : `:${name}:`, ` ${users.length}`),
    );
  });
  return el("div", { class: "reactions" }, chips);
}

function threadLine(message, about, world, does) {
  const lines = [];
  const open = () => does.openThread(message.ts);
  if (about.status) lines.push(el("p", { class: "status-line" }, el("span", { class: "dots", "aria-hidden": "true" }), `${world.app.name} ${about.status}`));
  if (about.count || about.notes) {
    const faces = about.people.map((id) => avatar(authorOf(id, world)));
    const words = about.count ? counted(about.count, "reply", "replies") : "A note for you in the thread";
    const last = about.last ? el("small", {}, `Last one ${timeOf(about.last)}`) : null;
    lines.push(el("button", { type: "button", class: "replies", "data-focus": `replies ${message.ts}`, click: open }, faces, el("span", {}, words), last));
  }
  return lines;
}

function tools(message, room, threadTs, world, does) {
  const shortcuts = message.subtype === "tombstone" || world.viewer.is_outside ? [] : world.shortcuts.filter((one) => one.kind === "message");
  const tool = (label, drawing, click) => el("button", { type: "button", class: "icon", "aria-label": label, title: label, "data-focus": `${label} ${message.ts}`, click }, icon(drawing));
  const made = [];
  if (!threadTs) made.push(tool("Reply in thread", "reply", () => does.openThread(message.thread_ts ?? message.ts)));
  if (message.mine && !message.files.length) made.push(tool("Edit message", "edit", () => does.edit(message)));
  if (message.mine) made.push(tool("Delete message", "bin", () => does.remove(message)));
  const copy = { text: "Copy link", click: () => does.copyLink(message) };
  const use = (one) => ({ text: one.name, about: world.app.name, click: () => does.act("shortcut", { callback_id: one.callback_id, channel: room.id, message_ts: message.ts }) });
  made.push(menuButton({ class: "icon", "data-focus": `more ${message.ts}` }, "More actions", () => [copy, ...shortcuts.map(use)], icon("menu")));
  return el("div", { class: "tools" }, made);
}
