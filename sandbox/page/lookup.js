// A menu whose choices come from the app, which is asked while somebody types.

import { wordsOf } from "./choices.js";
import { el, icon } from "./dom.js";
import { plain } from "./emoji.js";
import { place } from "./popup.js";

const PAUSE_MS = 300;
const LEAST = 3;
const wanted = (count) => `Type at least ${count} ${count === 1 ? "character" : "characters"}`;
const TROUBLE = "The app did not answer. Type again to ask once more.";

/** Whether an element is such a menu. */
export const isLookup = (spec) => /^(?:multi_)?external_select$/.test(spec.type);

/** The options that it holds: those in the view's state, else those it begins with. */
function chosenIn(spec, held) {
  const given = held ? (held.selected_options ?? held.selected_option) : (spec.initial_options ?? spec.initial_option);
  return [given ?? []].flat();
}

let count = 0;

/**
 * The menu: {node, field, read, keep}; `id` and `focus` name its field. `ask(typed)` resolves to what the app answers, `told(values)` hears of each
 * choice and may resolve to false, which takes it back; `kept` is what `keep()` gave of the field that was here before.
 */
export function lookup(spec, { id, focus, label, held, kept, ask, told }) {
  const choices = `choices-${++count}`;
  const many = spec.type.startsWith("multi_");
  const least = spec.min_query_length ?? LEAST;
  const hint = wordsOf(spec.placeholder);
  let chosen = kept?.chosen ?? chosenIn(spec, held);
  let offered = [];
  let at = -1;
  let waiting = 0;
  let asked = 0;

  const field = el("input", { id, type: "text", role: "combobox", autocomplete: "off", spellcheck: "false", placeholder: hint || "Search…", "aria-label": label, "aria-autocomplete": "list", "aria-expanded": "false", "aria-controls": choices, "data-focus": focus });
  const list = el("div", { id: choices, class: "popup choices", role: "listbox", "aria-label": hint || "Choices", popover: "manual" });
  const said = el("p", { class: "said", role: "status" });
  const chips = many ? el("ul", { class: "chips", "aria-label": "Chosen" }) : null;
  const node = el("div", { class: "lookup" }, field, chips, list, said);
  const namesOf = () => (many ? "" : wordsOf(chosen[0]?.text));
  const isOpen = () => list.matches(":popover-open");

  function move() {
    if (isOpen()) place(list, field.getBoundingClientRect());
    else removeEventListener("scroll", move, true);
  }

  function show(open) {
    if (open === isOpen()) return move();
    field.setAttribute("aria-expanded", String(open));
    if (!open) {
      at = -1;
      field.removeAttribute("aria-activedescendant");
      list.hidePopover();
      return;
    }
    list.showPopover();
    list.style.minWidth = `${field.offsetWidth}px`;
    move();
    addEventListener("scroll", move, { capture: true, passive: true });
  }

  function optionNode(option) {
    const index = offered.push(option) - 1;
    const about = option.description ? el("small", {}, plain(wordsOf(option.description))) : null;
    const take = (event) => {
      event.preventDefault();
      choose(option);
    };
    return el("div", { id: `${choices}-${index}`, role: "option", class: "choice", "aria-selected": String(chosen.some((one) => one.value === option.value)), mousedown: take }, el("span", {}, plain(wordsOf(option.text))), about);
  }

  function offer({ options, option_groups: groups }) {
    offered = [];
    const grouped = (groups ?? []).map((group) => el("div", { role: "group", "aria-label": wordsOf(group.label) }, el("p", { "aria-hidden": "true" }, plain(wordsOf(group.label))), (group.options ?? []).map(optionNode)));
    list.replaceChildren(...(options ?? []).map(optionNode), ...grouped);
    said.textContent = offered.length ? `${offered.length} found` : "Nothing found";
    mark(-1);
    show(offered.length > 0);
  }

  function mark(index) {
    at = index;
    const nodes = [...list.querySelectorAll("[role=option]")];
    for (const [number, one] of nodes.entries()) one.classList.toggle("marked", number === at);
    nodes[at]?.scrollIntoView({ block: "nearest" });
    if (nodes[at]) field.setAttribute("aria-activedescendant", nodes[at].id);
    else field.removeAttribute("aria-activedescendant");
  }

  function search() {
    clearTimeout(waiting);
    const mine = ++asked;
    const typed = field.value.trim();
    show(false);
    if (typed.length < least) {
      said.textContent = wanted(least);
      return;
    }
    said.textContent = "Asking the app…";
    waiting = setTimeout(async () => {
      const answer = await ask(typed);
      // An answer to what stood there before is of no use any more.
      if (mine !== asked || document.activeElement !== field) return;
      if (answer.ok) offer(answer.payload ?? {});
      else said.textContent = answer.error === "operation_timeout" || !answer.text ? TROUBLE : answer.text;
    }, PAUSE_MS);
  }

  async function settle(next) {
    const before = chosen;
    chosen = next;
    draw();
    if ((await told?.(many ? chosen.map((one) => one.value) : (chosen[0]?.value ?? ""))) !== false) return;
    chosen = before;
    draw();
  }

  function choose(option) {
    asked += 1;
    clearTimeout(waiting);
    show(false);
    const has = chosen.some((one) => one.value === option.value);
    if (many && !has && chosen.length >= (spec.max_selected_items ?? Infinity)) {
      said.textContent = `At most ${spec.max_selected_items} can be chosen`;
      return;
    }
    settle(many ? (has ? chosen.filter((one) => one.value !== option.value) : [...chosen, option]) : [option]);
  }

  function leave(option) {
    field.focus();
    settle(chosen.filter((one) => one !== option));
  }

  function rest() {
    field.value = namesOf();
    said.textContent = "";
  }

  function draw() {
    rest();
    if (!chips) return;
    chips.hidden = !chosen.length;
    chips.replaceChildren(...chosen.map((option) => {
      const name = wordsOf(option.text);
      return el("li", {}, el("span", {}, plain(name)), el("button", { type: "button", class: "icon", "aria-label": `Leave out ${name}`, click: () => leave(option) }, icon("close")));
    }));
  }

  function onKey(event) {
    if (event.isComposing) return;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step && isOpen()) {
      event.preventDefault();
      mark((at + step + (at < 0 && step < 0 ? 1 : 0) + offered.length) % offered.length);
    } else if (step) search();
    else if (event.key === "Enter" && isOpen()) {
      event.preventDefault();
      choose(offered[Math.max(at, 0)]);
    } else if (event.key === "Escape" && (isOpen() || field.value !== namesOf())) {
      event.preventDefault();
      event.stopPropagation();
      show(false);
      rest();
    } else if (event.key === "Backspace" && many && !field.value && chosen.length) settle(chosen.slice(0, -1));
  }

  function onLeave() {
    asked += 1;
    clearTimeout(waiting);
    show(false);
    if (!many && !field.value.trim() && chosen.length) settle([]);
    // Nothing that is pressed on the way out may be drawn anew under the finger.
    else rest();
  }

  field.addEventListener("keydown", onKey);
  field.addEventListener("input", search);
  field.addEventListener("focus", () => {
    field.select();
    if (!least) search();
  });
  // A field that is drawn anew loses the focus too, and nobody left it.
  field.addEventListener("blur", () => field.isConnected && onLeave());
  draw();
  if (kept?.typed) field.value = kept.typed;
  return {
    node,
    field,
    read: () => (many ? chosen.map((one) => one.value) : (chosen[0]?.value ?? "")),
    keep: () => ({ chosen, typed: field.value === namesOf() ? "" : field.value }),
  };
}
