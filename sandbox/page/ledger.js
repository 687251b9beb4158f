// The money of the open thread: what is held for each picture, what it came to, and whose budget pays.

import * as api from "./api.js";
import { oneAtATime } from "./asking.js";
import { el } from "./dom.js";
import { dollars } from "./wire.js";

const STATES = {
  held: "held", dispatched: "being made", settled: "charged", released: "given back", uncertain: "uncertain",
};
const OPEN = new Set(["held", "dispatched"]);
const NO_THREAD = "Open a thread to see its money move: what is held before a picture is made, and what it cost in the end.";
const NOTHING = "No picture has been asked for in this thread.";

const sum = (list, name) => list.reduce((total, one) => total + Number(one[name] ?? 0), 0);
const less = (amount, by) => Math.max(0, Number(amount) - Number(by));
const short = (model) => String(model ?? "").replace(/-\d{4}-\d{2}-\d{2}$/, "");

/** The view. `place()` tells which thread is open. */
export function ledgerView(place) {
  let shown = false;
  let at = "";
  const rows = new Map();
  const budgets = new Map();

  const state = el("p", { class: "state" }, NO_THREAD);
  const total = el("p", { class: "ledger-total", role: "status" });
  const list = el("ol", { class: "attempts", "aria-label": "Pictures and what they cost" });
  const heading = el("h3", {}, "Whose money");
  const purses = el("ul", { class: "budgets", "aria-label": "Budgets" });
  const node = el("div", { class: "ledger" }, state, total, list, heading, purses);

  const ask = oneAtATime(async () => {
    const { channel, thread } = place();
    const given = thread ? await api.ledger(channel, thread) : null;
    if (place().thread === thread) draw(thread ? `${channel} ${thread}` : "", given);
  });

  function draw(where, given) {
    if (where !== at) {
      for (const kept of [rows, budgets]) kept.clear();
      list.replaceChildren();
      purses.replaceChildren();
      at = where;
    }
    const known = given && !given.error ? given : { attempts: [], budgets: [] };
    state.textContent = given?.error ?? (where ? NOTHING : NO_THREAD);
    state.hidden = known.attempts.length > 0;
    total.hidden = !known.attempts.length;
    heading.hidden = !known.budgets.length;
    const held = sum(known.attempts.filter((one) => OPEN.has(one.state)), "held_usd");
    const charged = sum(known.attempts, "charged_usd");
    const words = [`${dollars(charged)} charged`, held ? `${dollars(held)} held` : ""].filter(Boolean).join(", ");
    if (total.textContent !== words) total.textContent = words;
    const most = Math.max(...known.attempts.map((one) => Math.max(Number(one.held_usd ?? 0), Number(one.charged_usd ?? 0))), 0.0001);
    keep(rows, list, known.attempts, (one) => one.id, attemptRow, (row, one) => row.show(one, most));
    keep(budgets, purses, known.budgets, (one) => one.name, budgetRow, (row, one) => row.show(one));
  }

  return {
    node,
    show: (visible) => {
      shown = visible;
      if (visible) ask();
    },
    notice: (notice) => {
      if (shown && ["hello", "ledger", "lost", "reset"].includes(notice.kind)) ask();
    },
    moved: () => {
      if (shown) ask();
    },
  };
}

/** Rows stay the same nodes while their numbers change, so that bars can move. */
function keep(known, box, items, key, make, show) {
  const now = new Set(items.map((one) => String(key(one))));
  for (const [id, row] of known)
    if (!now.has(id)) {
      row.node.remove();
      known.delete(id);
    }
  for (const one of items) {
    const id = String(key(one));
    if (!known.has(id)) {
      known.set(id, make());
      box.append(known.get(id).node);
    }
    show(known.get(id), one);
  }
}

function attemptRow() {
  const name = el("strong");
  const chip = el("span", { class: "chip" });
  const amount = el("span", { class: "amount" });
  const fill = el("span", { class: "fill" });
  const was = el("span", { class: "was" });
  const note = el("small");
  const lines = el("tbody");
  const classes = el("details", {}, el("summary", {}, "What it is made of"), el("table", {}, lines));
  const node = el("li", { class: "attempt" }, name, chip, amount, el("span", { class: "money-bar", "aria-hidden": "true" }, was, fill), note, classes);

  function show(one, most) {
    const open = OPEN.has(one.state);
    const [held, charged] = [Number(one.held_usd ?? 0), Number(one.charged_usd ?? 0)];
    const part = (value) => `${Math.min(100, (100 * value) / most).toFixed(2)}%`;
    name.textContent = one.version ? `v${one.version}` : open ? "Next picture" : "No picture";
    chip.textContent = STATES[one.state] ?? one.state;
    chip.className = `chip ${one.state}`;
    amount.textContent = open ? `at most ${dollars(held)}` : dollars(charged);
    was.style.width = part(held);
    fill.style.width = part(open ? held : charged);
    fill.className = `fill ${one.state}`;
    const back = !open && held > charged && held ? `${dollars(held)} was held, ${dollars(held - charged)} came back` : "";
    note.textContent = [short(one.model), back, one.note].filter(Boolean).join(" · ");
    const parts = one.classes ?? [];
    classes.hidden = !parts.length;
    lines.replaceChildren(
      ...parts.map((each) =>
        el("tr", {}, el("th", { scope: "row" }, each.name.replaceAll("_", " ")), el("td", { class: "align-right" }, Number(each.tokens).toLocaleString()), el("td", { class: "align-right" }, dollars(each.charged_usd))),
      ),
    );
  }
  return { node, show };
}

function budgetRow() {
  const name = el("strong");
  const amount = el("span", { class: "amount" });
  const spent = el("span", { class: "fill settled" });
  const held = el("span", { class: "fill held" });
  const bar = el("span", { class: "money-bar", "aria-hidden": "true" }, spent, held);
  const note = el("small");
  const granted = el("small");
  const node = el("li", { class: "budget" }, name, amount, bar, note, granted);

  function show(one) {
    const cap = one.cap_usd === null ? null : Number(one.cap_usd);
    const part = (value) => `${cap ? Math.min(100, (100 * value) / cap).toFixed(2) : 0}%`;
    // Grants are drawn on when the cap has nothing left: they pay what is held now before what was charged.
    const drawn = Number(one.drawn_usd);
    const kept = less(one.held_usd, drawn);
    const charged = less(one.charged_usd, less(drawn, one.held_usd));
    const more = less(one.granted_usd, drawn);
    name.textContent = one.name;
    amount.textContent = cap === null ? `${dollars(one.charged_usd)}, no cap` : `${dollars(charged)} of ${dollars(cap)}`;
    bar.hidden = cap === null;
    spent.style.width = part(charged);
    held.style.width = part(kept);
    const left = one.left_usd === null ? "" : `${dollars(less(one.left_usd, more))} left`;
    const waits = Number(one.held_usd) ? `${dollars(one.held_usd)} held` : "";
    note.textContent = [left, waits, one.renews ? `renews ${one.renews}` : ""].filter(Boolean).join(" · ");
    granted.hidden = cap === null || !Number(one.granted_usd);
    granted.textContent = `Granted on top: ${dollars(one.granted_usd)}, ${drawn ? `${dollars(more)} of it left` : "all of it left"}`;
  }
  return { node, show };
}
