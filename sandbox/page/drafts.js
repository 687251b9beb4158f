// What somebody has begun to write stays where they wrote it.

import { now, room } from "./state.js";

export const FIRST_PROMPT = "/imagine a red fox in snow";
const STARTED = "darkroom-sandbox-started";

const drafts = new Map();
const key = (thread) => `${now.viewer} ${now.room} ${thread ?? ""}`;

/** Whether nothing has been sent in this visit. */
export const isFirst = () => !sessionStorage.getItem(STARTED);
export const begun = () => sessionStorage.setItem(STARTED, "yes");

/** Keep what stands in the box of the open room, or of a thread in it. */
export const keepDraft = (thread, draft) => drafts.set(key(thread), draft);

/** The workspace may have forgotten the files that were attached: they are brought again before they are sent. */
export function outdateFiles() {
  for (const { files } of drafts.values()) for (const file of files) file.stale = true;
}

/** What was kept there; in the first room of a visit a first prompt, ready to be sent. */
export function draftOf(thread) {
  const kept = drafts.get(key(thread));
  const fresh = !kept && !thread && isFirst() && room()?.has_app && drafts.size === 0;
  return kept ?? { text: fresh ? FIRST_PROMPT : "", files: [] };
}
