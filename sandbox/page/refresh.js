// Keeps what the page knows up to date.

import * as api from "./api.js";
import { oneAtATime } from "./asking.js";
import { known, learn, now } from "./state.js";

/** Who is going to look, as soon as it is known what they see; null: nobody else than now. */
let next = null;
let wrong = null;

/** Ask for the state; what changes while the answer is on its way is asked for once more. */
export const refresh = oneAtATime(async () => {
  const viewer = next ?? now.viewer;
  wrong = await look(viewer);
  if (wrong && next === viewer) next = null;
});

/** Look as somebody else, once it is known what they see. The last one asked for counts; what went wrong, or null. */
export async function lookAs(viewer) {
  next = viewer;
  await refresh();
  return wrong;
}

async function look(viewer) {
  for (const since of [known(viewer), ""]) {
    const answer = await api.state(viewer, since);
    if (viewer !== (next ?? now.viewer)) return null;
    if (answer.error) return answer.error;
    if (!learn(answer)) continue;
    now.viewer = viewer;
    next = null;
    return null;
  }
  return "The sandbox told something that does not fit.";
}
