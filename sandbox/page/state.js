// What the page knows: who looks at what, and the workspace as it was last told.

import { lasting } from "./kept.js";

export const now = {
  setup: null,
  snapshot: null,
  world: null,
  viewer: null,
  room: null,
  thread: null,
  home: false,
  opener: null,
};

const SEEN_MOST = 200;
const seen = lasting("seen", SEEN_MOST);

/** The room that is open, as the viewer sees it. */
export const room = () => now.world?.rooms.get(now.room) ?? null;

/** Whether the open room is the conversation with the app. */
export const withApp = () => room()?.kind === "im" && room().has_app;

let revision = 0;
const marks = new WeakMap();

/** A number for what something looked like when it was told: another one as soon as it is told anew. */
export const revisionOf = (thing) => marks.get(thing) ?? 0;

/** What was told again in the same words stays the thing it was, so that nobody draws it anew. */
function kept(fresh, before) {
  if (before && JSON.stringify(before) === JSON.stringify(fresh)) return before;
  marks.set(fresh, ++revision);
  return fresh;
}

function merged(fresh, before) {
  const known = new Map((before?.messages ?? []).map((message) => [message.ts, message]));
  const told = fresh.messages.map((message) => kept(message, known.get(message.ts)));
  if (!fresh.partial) return { ...fresh, messages: told };
  for (const ts of fresh.gone) known.delete(ts);
  for (const message of told) known.set(message.ts, message);
  return { ...fresh, messages: [...known.values()].sort((a, b) => (a.ts < b.ts ? -1 : 1)) };
}

let toldUsers = { text: "", revision: 0 };

function revisionOfUsers(users) {
  const text = JSON.stringify(users);
  if (text !== toldUsers.text) toldUsers = { text, revision: ++revision };
  return toldUsers.revision;
}

/** The token of what is known about a viewer's workspace; "" when all of it has to be told. */
export const known = (viewer) => (now.world?.viewer.id === viewer ? now.snapshot.token : "");

/** Take in a snapshot, or what changed since the one before. False when it does not fit what is known. */
export function learn(snapshot) {
  const before = now.world?.viewer.id === snapshot.viewer.id ? now.world : null;
  if (snapshot.channels.some((one) => one.partial && !before?.rooms.has(one.id))) return false;
  const whole = !snapshot.channels.some((one) => one.partial);
  const files = whole ? {} : { ...before.files };
  for (const [id, file] of Object.entries(snapshot.files)) files[id] = kept(file, before?.files[id]);
  now.snapshot = snapshot;
  now.world = {
    app: snapshot.app,
    viewer: snapshot.viewer,
    users: new Map(snapshot.users.map((user) => [user.id, user])),
    rooms: new Map(snapshot.channels.map((one) => [one.id, merged(one, before?.rooms.get(one.id))])),
    files,
    /** Names stand in every message: when one changes, all are drawn again. */
    usersAsTold: revisionOfUsers(snapshot.users),
    shortcuts: snapshot.shortcuts,
  };
  return true;
}

const seenKey = (id) => `${now.viewer} ${id}`;

/** The viewer has seen everything in this room. */
export const seenUpTo = (one) => seen.set(seenKey(one.id), one.messages.at(-1)?.ts ?? "");

/** Everything begins again: nothing of it has been seen. */
export const forgetSeen = () => seen.clear();

/** How much in a room the viewer has not seen: {count, mentions}. What was there before the visit counts as seen. */
export function unread(one) {
  const since = seen.get(seenKey(one.id));
  if (since === undefined) {
    seenUpTo(one);
    return { count: 0, mentions: 0 };
  }
  const news = one.messages.filter((message) => message.ts > since && !message.mine);
  const pinged = new Set(now.snapshot.notifications.filter((n) => n.channel === one.id).map((n) => n.ts));
  return { count: news.length, mentions: news.filter((message) => pinged.has(message.ts)).length };
}
