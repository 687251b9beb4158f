// Messages as a list: who, when, what, and what can be done with them.

import { blocks } from "./blocks.js";
import { el, icon, reconcile } from "./dom.js";
import { emoji, glyph } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";
import { postedFile } from "./pictures.js";
import { menuButton } from "./popup.js";
import { now } from "./state.js";

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
    if (threadTs === entry.ts) shown.push({ kind: "count", ts: entry.ts, count: entry.message.reply_count });
  }
  for (const { thread_ts: ts, status } of threadTs ? room.statuses.filter((one) => one.thread_ts === threadTs) : [])
    shown.push({ kind: "status", ts, status });
  return shown;
}

/** Draw a list. `does` are the things a message can ask of the page. */
export function drawList(box, room, threadTs, world, does) {
  const print = (entry) => {
    const own = JSON.stringify(entry);
    const files = (own.match(/F[A-Z0-9]{8,}/g) ?? []).map((id) => world.files[id]);
    const about = entry.kind === "message" && !threadTs ? aboutThread(entry.message, room) : null;
    return own + JSON.stringify([world.viewer.id, files, about, threadTs]);
  };
  const make = (entry) => {
    if (entry.kind === "day") return el("p", { class: "divider" }, el("span", {}, entry.day));
    if (entry.kind === "count") return el("p", { class: "divider left" }, el("span", {}, entry.count ? counted(entry.count, "reply", "replies") : "No replies yet"));
    if (entry.kind === "status") return el("p", { class: "status-line" }, el("span", { class: "dots", "aria-hidden": "true" }), `${world.app.name} ${entry.status}`);
    return messageNode(entry, room, threadTs, world, does);
  };
  reconcile(box, entries(room, threadTs, does.hidden), (entry) => `${entry.kind} ${entry.ts}`, print, make);
}

function aboutThread(message, room) {
  const replies = room.messages.filter((one) => one.is_reply && one.thread_ts === message.ts);
  return {
    count: replies.length,
    last: replies.at(-1)?.ts ?? null,
    people: [...new Set(replies.map((one) => one.user))].slice(0, 4),
    status: room.statuses.find((one) => one.thread_ts === message.ts)?.status ?? null,
    notes: room.ephemerals.filter((one) => one.thread_ts === message.ts).length,
  };
}

function messageNode(entry, room, threadTs, world, does) {
  const { message, kind } = entry;
  const author = authorOf(message.user, world);
  const only = kind === "ephemeral";
  const source = { channel: room.id, ts: message.ts, broken: message.broken_files, press: (press) => does.press({ channel: room.id, message_ts: message.ts, ...press }) };
  const body = el("div", { class: "message-body" });
  if (only) body.append(el("p", { class: "only" }, icon("eye"), " Only visible to you ", el("button", { type: "button", class: "plain", "data-focus": `dismiss ${message.ts}`, click: () => does.dismiss(message.ts) }, "Dismiss")));
  if (message.broadcast) body.append(broadcastLine(message, room, threadTs, does));
  if (!entry.follows) body.append(byline(author, message));
  body.append(content(message, world, source));
  for (const id of message.files) if (world.files[id]) body.append(postedFile(world.files[id]));
  if (message.reactions.length) body.append(reactions(message, room, world, does));
  if (!only && !threadTs) body.append(...threadLine(message, room, world, does));
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

function threadLine(message, room, world, does) {
  const about = aboutThread(message, room);
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
