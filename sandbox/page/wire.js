// The wire: each event, each call of Slack's Web API and of the image API, as it happens.

import * as api from "./api.js";
import { oneAtATime } from "./asking.js";
import { atEnd, el, reconcile } from "./dom.js";

const MOST = 500;
const NONE = { id: null, node: null };
const DIRECTIONS = {
  event: "in", command: "in", interactive: "in", ack: "in", web: "out", file: "out", response_url: "out", image: "image",
};
const FILTERS = [
  ["all", "Everything"],
  ["in", "Slack → app"],
  ["out", "App → Slack"],
  ["image", "App → image API"],
];
const SIGNS = { in: "→", out: "←", image: "◆" };

const clockOf = (at) => new Date(at * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23" });
const duration = (ms) => (ms < 1000 ? `${Math.round(ms)} ms` : `${(ms / 1000).toFixed(1)} s`);

/** An amount of dollars as people read it: cents in full, less than that as far as it says something. */
export function dollars(amount) {
  const value = Number(amount);
  return `$${value === 0 || value >= 1 ? value.toFixed(2) : value.toFixed(4).replace(/00$/, "")}`;
}

/** The list. `place()` tells where the page is. */
export function wireView(place) {
  let entries = new Map();
  /** What was told since the list was last asked for. */
  const news = new Map();
  let filter = "all";
  let here = false;
  let shown = false;
  let waiting = false;
  let stale = true;
  let opened = NONE;

  const list = el("ol", { class: "wire", "aria-label": "What went over the wire, newest last" });
  const none = el("p", { class: "state" }, "Nothing yet. Send a message, and see what it sets going.");
  const box = el("div", { class: "wire-log", tabindex: 0, role: "region", "aria-label": "The wire" }, none, list);
  const choice = el("select", { class: "btn", "aria-label": "Which calls", change: () => { filter = choice.value; draw(true); } }, FILTERS.map(([value, text]) => el("option", { value }, text)));
  const only = el("input", { type: "checkbox", change: () => { here = only.checked; draw(true); } });
  const onlyLabel = el("label", { class: "also" }, only, "This thread only");
  const clear = el("button", { type: "button", class: "plain", click: empty }, "Clear");
  const node = el("div", { class: "wire-view" }, el("div", { class: "hood-row" }, choice, onlyLabel, el("span", { class: "spring" }), clear), box);

  const load = oneAtATime(async () => {
    stale = false;
    news.clear();
    const given = await api.hood();
    if (given.error) stale = true;
    // Begun anew meanwhile, it is asked for once more.
    if (stale) return;
    entries = new Map([...given.entries.map((one) => [one.id, one]), ...news]);
    forgetOldest(entries);
    if (!entries.has(opened.id)) opened = NONE;
    draw(true);
  });

  function take(entry) {
    for (const known of [entries, news]) {
      known.set(entry.id, entry);
      forgetOldest(known);
    }
    if (opened.id === entry.id) open(entry.id);
    later();
  }

  function empty() {
    entries.clear();
    opened = NONE;
    draw();
  }

  /** Many things happen at once: they are drawn together, with the next frame. */
  function later() {
    if (waiting || !shown) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }

  function wanted(entry) {
    const { channel, thread } = place();
    if (filter !== "all" && DIRECTIONS[entry.kind] !== filter) return false;
    return !here || (entry.channel === channel && (!thread || entry.thread === thread));
  }

  function draw(toEnd = false) {
    const stay = toEnd || atEnd(box);
    const some = [...entries.values()].filter(wanted);
    none.hidden = some.length > 0;
    reconcile(list, some, (one) => String(one.id), (one) => JSON.stringify(one) + (opened.id === one.id), row);
    if (opened.node && !opened.node.isConnected) list.querySelector(`[data-key="${Number(opened.id)}"]`)?.append(opened.node);
    if (stay && !opened.node?.isConnected) box.scrollTop = box.scrollHeight;
  }

  function row(entry) {
    const way = DIRECTIONS[entry.kind] ?? "out";
    const running = entry.ok === null && entry.ms === null;
    const took = running ? "under way" : entry.ms === null ? "" : (way === "in" ? "ack " : "") + duration(entry.ms);
    const wrong = entry.ok === false;
    const open = opened.id === entry.id;
    const button = el(
      "button",
      { type: "button", class: `call ${way}${wrong ? " bad" : ""}`, "aria-expanded": String(open), "data-focus": `wire ${entry.id}`, click: () => toggle(entry.id) },
      el("span", { class: "way", "aria-hidden": "true" }, SIGNS[way]),
      el("strong", {}, entry.name, entry.again ? el("small", {}, ` again, ${entry.again}`) : null),
      el("span", { class: "took" }, entry.price_usd ? el("b", {}, dollars(entry.price_usd)) : null, " ", took),
      el("time", {}, clockOf(entry.at)),
      el("span", { class: "said" }, wrong && entry.error ? el("em", {}, `${entry.error} `) : null, entry.said),
    );
    return el("li", {}, button, open ? opened.node : null);
  }

  async function toggle(id) {
    if (opened.id === id) {
      opened = NONE;
      draw();
      return;
    }
    await open(id);
    // What is told of the last call stands below what is in sight.
    if (opened.id === id) opened.node.closest("li")?.scrollIntoView({ block: "nearest" });
  }

  async function open(id) {
    if (opened.id !== id) opened = { id, node: el("div", { class: "details" }, el("p", { class: "state" }, "Asking…")) };
    const { node: into } = opened;
    draw();
    const given = await api.hoodEntry(id);
    if (opened.node !== into) return;
    into.replaceChildren(...(given.error ? [el("p", { class: "wrong" }, given.error)] : details(given)));
  }

  return {
    node,
    show: (visible) => {
      shown = visible;
      if (visible && stale) load();
      else if (visible) draw(true);
    },
    notice: (notice) => {
      if (notice.kind === "hood") take(notice.entry);
      else if (["hello", "lost", "reset"].includes(notice.kind)) {
        stale = true;
        if (shown) load();
      }
    },
    moved: () => {
      if (here) later();
    },
  };
}

function forgetOldest(entries) {
  while (entries.size > MOST) entries.delete(entries.keys().next().value);
}

const written = (value) => (typeof value === "string" ? value : JSON.stringify(value, null, 2));

function part(title, value) {
  if (value === null || value === undefined || value === "") return [];
  return [el("h3", {}, title), el("pre", { tabindex: 0, "aria-label": title }, el("code", {}, written(value)))];
}

function details({ entry, request, answer, stream }) {
  const tokens = Object.entries(entry.tokens ?? {}).filter(([, count]) => count);
  const counted = tokens.map(([name, count]) => el("tr", {}, el("th", { scope: "row" }, name.replaceAll("_", " ")), el("td", { class: "align-right" }, count.toLocaleString())));
  const price = entry.price_usd ? el("tr", {}, el("th", { scope: "row" }, "price"), el("td", { class: "align-right" }, dollars(entry.price_usd))) : null;
  const events = (stream ?? []).map((one) => el("li", {}, el("time", {}, `${duration(one.at_ms)}`), " ", el("code", {}, one.event), " ", one.said ?? ""));
  return [
    counted.length || price ? [el("h3", {}, "Tokens"), el("table", {}, el("tbody", {}, counted, price))] : [],
    part("Request", request),
    events.length ? [el("h3", {}, "Stream"), el("ol", { class: "stream" }, events)] : [],
    part("Answer", answer),
  ].flat();
}
