// What the page knows: who looks at what, and the workspace as it was last told.

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

const seen = new Map();

/** The room that is open, as the viewer sees it. */
export const room = () => now.world?.rooms.get(now.room) ?? null;

/** Whether the open room is the conversation with the app. */
export const withApp = () => room()?.kind === "im" && room().has_app;

/** Take in a fresh snapshot. */
export function learn(snapshot) {
  now.snapshot = snapshot;
  now.world = {
    app: snapshot.app,
    viewer: snapshot.viewer,
    users: new Map(snapshot.users.map((user) => [user.id, user])),
    rooms: new Map(snapshot.channels.map((one) => [one.id, one])),
    files: snapshot.files,
    shortcuts: snapshot.shortcuts,
  };
}

const seenKey = (id) => `${now.viewer} ${id}`;

/** The viewer has seen everything in this room. */
export const seenUpTo = (one) => seen.set(seenKey(one.id), one.messages.at(-1)?.ts ?? "");

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
