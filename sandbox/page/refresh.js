// Keeps what the page knows up to date.

import * as api from "./api.js";
import { known, learn, now } from "./state.js";

let asking = null;
let again = false;

/** Ask for the state; what changes while the answer is on its way is asked for once more. */
export function refresh() {
  again = true;
  asking ??= askUntilCurrent().finally(() => {
    asking = null;
  });
  return asking;
}

async function askUntilCurrent() {
  while (again) {
    again = false;
    const viewer = now.viewer;
    const fresh = await api.state(viewer, known());
    if (fresh.error) return;
    if (viewer === now.viewer && !learn(fresh)) learn(await api.state(viewer, ""));
  }
}
