// The two boxes to write in: below the channel, and below the open thread.

import { upload } from "./api.js";
import { composer } from "./composer.js";
import { globalShortcuts } from "./deeds.js";
import { byId, toast } from "./dom.js";
import { draftOf, saveDraft } from "./drafts.js";
import { now, room } from "./state.js";
import { suggest } from "./suggestions.js";

const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");

/** Make them. `send` is a composer's, `reword(thread)` changes what was sent last there, `escape` leaves the thread. */
export function boxes({ send, reword, escape }) {
  const same = { suggest, send, attach: (file, { viewer }) => upload(viewer, file), written: saveDraft };
  const channel = composer({ id: "channel", label: "Message", shortcuts: globalShortcuts, reword: () => reword(null), ...same });
  const thread = composer({ id: "thread", label: "Reply in the thread", broadcast: true, reword: () => reword(now.thread), escape, ...same });
  let dressed = "";

  /** What a box is for, and its draft. */
  function dressBox(box, ts) {
    const here = room();
    box.show({
      draft: draftOf(ts),
      placeholder: ts ? "Reply…" : `Message ${here.title}`,
      also: `Also send to ${here.name ? `#${here.name}` : here.title}`,
      disabled: here.archived ? `${here.title} is archived` : null,
    });
  }

  /** A room can be archived or renamed while it is open, and the app's shortcuts can change. */
  function dress() {
    const look = JSON.stringify([now.viewer, now.room, now.thread, room().title, room().archived, globalShortcuts().length]);
    if (look === dressed) return;
    dressed = look;
    dressBox(channel, null);
    if (now.thread) dressBox(thread, now.thread);
  }

  /** Files that are dropped anywhere on the channel, or on the thread. */
  function takeDrops(place, box) {
    byId(place).addEventListener("drop", (event) => {
      if (!carriesFiles(event)) return;
      if (box === channel && now.home) toast("Files go with a message: drop them in the Messages tab.");
      else box.take([...event.dataTransfer.files]);
    });
  }

  takeDrops("channel", channel);
  takeDrops("thread", thread);
  // What is dropped beside them must not take the page's place in the window.
  for (const kind of ["dragover", "drop"]) document.addEventListener(kind, (event) => carriesFiles(event) && event.preventDefault());
  return { channel, thread, dress };
}
