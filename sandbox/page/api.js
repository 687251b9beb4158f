// The sandbox's JSON routes, and the one WebSocket that says when something changed.

async function asked(path, options = {}) {
  try {
    const response = await fetch(path, options);
    const body = await response.json();
    return response.ok ? body : { ok: false, error: body.error ?? `HTTP ${response.status}` };
  } catch {
    return { ok: false, error: "The sandbox does not answer." };
  }
}

const post = (path, body) => asked(path, { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) });

export const setup = () => asked("/page/setup");
export const state = (viewer, since) => asked(`/page/state?viewer=${encodeURIComponent(viewer)}&since=${encodeURIComponent(since)}`);
export const act = (viewer, doing, action) => post(`/control/${doing}`, { viewer, ...action });
export const hood = () => asked("/control/hood");
export const hoodEntry = (id) => asked(`/control/hood/${encodeURIComponent(id)}`);
export const ledger = (channel, thread) => asked(`/control/ledger?channel=${encodeURIComponent(channel)}&thread=${encodeURIComponent(thread)}`);
export const switches = (viewer) => asked(`/control/switches?viewer=${encodeURIComponent(viewer)}`);
export const turnSwitch = (viewer, id, value) => post("/control/switch", { viewer, id, value });
export const upload = (viewer, file) =>
  asked(`/control/upload?viewer=${encodeURIComponent(viewer)}&name=${encodeURIComponent(file.name || "file")}`, { method: "POST", body: file });

const SHORTEST_MS = 300;
const LONGEST_MS = 5000;
/** Notices that change nothing a person sees. */
const UNSEEN = new Set(["call", "ack"]);

/** What goes on under the hood; all of it but a switch changes nothing in the workspace. */
const BELOW = new Set(["hood", "ledger"]);
const TOLD_BELOW = new Set([...BELOW, "switch", "hello", "lost", "reset"]);

/**
 * Stay connected: `up` after each connection, `changed` for each notice worth a look, `down` when it is lost;
 * `below` hears of what goes on under the hood, of each connection, of notices that were lost, and of a new beginning.
 */
export function live({ up, changed, below, down }) {
  let wait = SHORTEST_MS;
  const connect = () => {
    const socket = new WebSocket(`ws://${location.host}/control/live`);
    socket.addEventListener("message", (event) => {
      const notice = JSON.parse(event.data);
      wait = SHORTEST_MS;
      if (TOLD_BELOW.has(notice.kind)) below(notice);
      if (BELOW.has(notice.kind)) return;
      if (notice.kind === "hello") up();
      else if (!UNSEEN.has(notice.kind)) changed(notice);
    });
    socket.addEventListener("close", () => {
      down();
      setTimeout(connect, wait);
      wait = Math.min(wait * 2, LONGEST_MS);
    });
  };
  connect();
}
