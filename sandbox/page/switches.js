// Switches: what may go wrong, whose cap is full, and what time it is.

import * as api from "./api.js";
import { el, named, toast } from "./dom.js";

const LOOK_AGAIN_MS = 10_000;
const FIRST = ["time", "money"];

/** The view. `place()` tells who is looking; `tellReal(real)` hears what is real whenever that is told. */
export function switchesView(place, tellReal) {
  let shown = false;
  let timer = 0;
  let look = "";
  const time = el("strong");
  const zone = el("small");
  const clock = el("p", { class: "clock", role: "status", hidden: true }, el("small", {}, "It is now"), time, zone);
  const groups = el("div", { class: "switch-groups" });
  const node = el("div", { class: "switches" }, clock, groups);

  async function ask() {
    learn(await api.switches(place().viewer));
  }

  async function use(one, value, control) {
    control.setAttribute("aria-busy", "true");
    const given = await api.turnSwitch(place().viewer, one.id, value);
    control.removeAttribute("aria-busy");
    if (given.error) {
      toast(given.error);
      look = "";
      await ask();
    } else {
      learn(given);
      if (one.kind === "press") toast(`${one.label}: done`);
    }
  }

  /** Each part is written only when it differs: what is written is read out. */
  function tell({ said, timezone }) {
    for (const [part, words] of [[time, said], [zone, timezone]]) if (part.textContent !== words) part.textContent = words;
  }

  function learn(given) {
    if (given.error) return;
    tellReal(given.real);
    clock.hidden = !given.clock;
    if (given.clock) tell(given.clock);
    const now = JSON.stringify(given.switches);
    if (now === look) return;
    look = now;
    const focused = groups.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
    groups.replaceChildren(...groupsOf(given.switches).map(([name, some]) => group(name, some, use)));
    named(focused, groups)?.focus();
  }

  return {
    node,
    show: (visible) => {
      shown = visible;
      clearInterval(timer);
      if (!visible) return;
      ask();
      timer = setInterval(ask, LOOK_AGAIN_MS);
    },
    notice: (notice) => {
      // A sandbox that was started again may be another one: what is real is asked whatever is looked at.
      if (notice.kind === "hello" || (shown && notice.kind !== "hood")) ask();
    },
    moved: () => {
      if (shown) ask();
    },
  };
}

/** The switches by their groups, what is about the clock beside it. */
function groupsOf(switches) {
  const names = [...new Set([...FIRST.filter((name) => switches.some((one) => one.group === name)), ...switches.map((one) => one.group)])];
  return names.map((name) => [name, switches.filter((one) => one.group === name)]);
}

function group(name, some, use) {
  const presses = some.every((one) => one.kind === "press");
  return el("fieldset", {}, el("legend", {}, name), el("div", { class: presses ? "in-a-row" : "switch-list" }, some.map((one) => KINDS[one.kind]?.(one, use))));
}

const about = (one) => (one.about ? el("small", { id: `about-${one.id}` }, one.about) : null);
const described = (one) => ({ "aria-describedby": one.about ? `about-${one.id}` : null, "data-focus": `switch ${one.id}` });

const KINDS = {
  toggle: (one, use) => {
    const input = el("input", { type: "checkbox", role: "switch", ...described(one), checked: Boolean(one.value), change: () => use(one, input.checked, input) });
    return el("div", { class: "switch" }, el("label", {}, input, el("span", {}, one.label)), about(one));
  },
  press: (one, use) => {
    const button = el("button", { type: "button", class: "btn", title: one.about, ...described(one), click: () => use(one, true, button) }, one.label);
    return el("div", { class: "switch press" }, button, about(one));
  },
  number: (one, use) => {
    const words = (value) => (one.unit ? `${value} ${one.unit}` : String(value));
    const said = el("output", { for: `switch-${one.id}` }, words(one.value));
    const input = el("input", { type: "range", id: `switch-${one.id}`, ...described(one), min: one.min ?? 0, max: one.max ?? 100, step: (one.max ?? 100) <= 60 ? 0.5 : 1, value: one.value, "aria-valuetext": words(one.value) });
    input.addEventListener("input", () => {
      said.textContent = words(input.value);
      input.setAttribute("aria-valuetext", words(input.value));
    });
    input.addEventListener("change", () => use(one, Number(input.value), input));
    return el("div", { class: "switch number" }, el("label", { for: `switch-${one.id}` }, one.label), said, input, about(one));
  },
};
