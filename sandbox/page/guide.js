// After the first command of a visit its thread opens by itself, as soon as a picture is on its way there.

import { now } from "./state.js";

/** Where the first picture was asked for, and the newest message there before it; null: nobody is guided. */
let awaited = null;

export const leaveAlone = () => {
  awaited = null;
};

/** The first command of a visit was sent from `place`; only one that asks for a picture leads anywhere. */
export function lookOut({ channel }, text) {
  if (/^\/imagine\b/i.test(text)) awaited = { channel, after: now.world.rooms.get(channel)?.messages.at(-1)?.ts ?? "" };
}

/** The thread to show, when something of the app's is in it; else null. */
export function arrived() {
  const room = awaited && awaited.channel === now.room ? now.world.rooms.get(awaited.channel) : null;
  const mine = (one) => one.user === now.world.app.user_id && one.ts > awaited.after;
  const opened = new Set(room?.messages.filter((one) => mine(one) && !one.is_reply).map((one) => one.ts));
  return room?.messages.find((one) => one.is_reply && mine(one) && opened.has(one.thread_ts))?.thread_ts ?? null;
}
