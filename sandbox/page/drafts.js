// What somebody has begun to write stays where they wrote it: with its person, room and thread.

import { lasting } from "./kept.js";
import { now, room } from "./state.js";

export const FIRST_PROMPT = "/imagine a red fox in snow";
const STARTED = "darkroom-sandbox-started";
const WRITTEN = "darkroom-sandbox-written";
const MOST = 20;

const drafts = new Map();
const saved = lasting("drafts", MOST);
const keyOf = ({ viewer, channel, thread }) => `${viewer} ${channel} ${thread ?? ""}`;
const isReply = (key) => !key.endsWith(" ");

/** Whether nothing has been sent in this visit. */
export const isFirst = () => !sessionStorage.getItem(STARTED);
export const begun = () => sessionStorage.setItem(STARTED, "yes");

/** What outlives a reload is never the list itself that a box changes. */
const copied = (kept) => ({ ...kept, files: (kept?.files ?? []).map((file) => ({ ...file })) });

/**
 * The draft of the open room, or of a thread in it: {place, text, files, coming}, where `coming` is null or the
 * promise of files on their way. The same object each time, so that what was begun in a place ends in it. In
 * the first room of a visit it is a first prompt, ready to be sent, until something is written, or this cleared.
 */
export function draftOf(thread) {
  const place = { viewer: now.viewer, channel: now.room, thread };
  const key = keyOf(place);
  if (!drafts.has(key)) {
    const fresh = !thread && !sessionStorage.getItem(WRITTEN) && room()?.has_app && drafts.size === 0;
    drafts.set(key, { place, text: fresh ? FIRST_PROMPT : "", coming: null, ...copied(saved.get(key)) });
  }
  return drafts.get(key);
}

/** Keep a draft for after a reload; of its files what is needed to send them. An empty one takes no place. */
export function saveDraft({ place, text, files }) {
  sessionStorage.setItem(WRITTEN, "yes");
  const key = keyOf(place);
  if (!text && !files.length) saved.delete(key);
  else saved.set(key, { text, files: files.map(({ id, name, mimetype }) => ({ id, name, mimetype })) });
}

/** The workspace may have forgotten the files that were attached: they are brought again before they are sent. */
export function outdateFiles() {
  for (const { files } of drafts.values()) for (const file of files) file.stale = Boolean(file.blob);
}

/** Everything begins again: there are no threads any more to reply in. */
export function forgetReplies() {
  for (const kept of [drafts, saved]) for (const key of [...kept.keys()].filter(isReply)) kept.delete(key);
}
