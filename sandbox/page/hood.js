// Under the hood: a thread's money, what goes over the wire, and switches for what may go wrong.

import * as api from "./api.js";
import { byId, el, icon, toast } from "./dom.js";
import { ledgerView } from "./ledger.js";
import { shut } from "./screen.js";
import { switchesView } from "./switches.js";
import { wireView } from "./wire.js";

const KEPT = "darkroom-sandbox-hood";
/** From this width on there is room for the panel beside a thread, and it opens by itself. */
const WIDE = 1400;
/** From this one on there is room for it beside a channel. */
const MIDDLING = 1101;
const STEPS = { ArrowLeft: -1, ArrowRight: 1 };

const buttons = () => [...document.querySelectorAll(".hood-open")];

/** The panel. `place()` tells where the page is: {channel, thread, viewer}. It shows itself once `begin` is called. */
export function hood({ place }) {
  let views = [];
  let current = null;
  let opener = null;

  const isOpen = () => !byId("hood").hidden;
  /** Whether it lies over the thread, and over all of a phone, rather than beside. */
  const covers = () => isOpen() && innerWidth < (place().thread ? WIDE : MIDDLING);

  /** Build it for a sandbox that keeps a record; `setup.hood` says whether it does. */
  async function begin(setup) {
    if (!setup.hood || views.length) return;
    const first = await api.switches(place().viewer);
    const told = first.error ? { switches: [], clock: null, real: null } : first;
    if (views.length) return;
    dressBadges(told.real);
    views = [
      told.real ? { id: "ledger", label: "Ledger", ...ledgerView(place) } : null,
      { id: "wire", label: "Wire", ...wireView(place) },
      { id: "switches", label: "Switches", ...switchesView(place, dressBadges) },
    ].filter(Boolean);
    build();
    for (const button of buttons()) {
      button.hidden = false;
      button.addEventListener("click", () => toggle(!isOpen(), button));
    }
    const [kept, tab] = (localStorage.getItem(KEPT) ?? "").split(" ");
    choose(views.find((view) => view.id === tab) ?? views[0]);
    const room = innerWidth >= (place().thread ? WIDE : MIDDLING);
    toggle(kept ? kept === "open" && room : innerWidth >= WIDE);
    addEventListener("resize", cover);
  }

  function build() {
    const tabs = views.map((view) => {
      view.tab = el("button", { type: "button", role: "tab", id: `hood-tab-${view.id}`, "aria-controls": `hood-${view.id}`, click: () => choose(view) }, view.label);
      view.panel = el("div", { id: `hood-${view.id}`, class: "hood-view", role: "tabpanel", tabindex: 0, "aria-labelledby": `hood-tab-${view.id}`, hidden: true }, view.node);
      return view.tab;
    });
    const list = el("div", { class: "hood-tabs", role: "tablist", "aria-label": "Under the hood" }, tabs);
    list.addEventListener("keydown", (event) => {
      const to = STEPS[event.key];
      if (!to) return;
      event.preventDefault();
      choose(views[(views.indexOf(current) + to + views.length) % views.length]);
      current.tab.focus();
    });
    const close = el("button", { type: "button", id: "hood-close", class: "icon", "aria-label": "Close what is under the hood", click: () => toggle(false) }, icon("close"));
    byId("hood").replaceChildren(el("header", { class: "bar" }, el("h2", {}, "Under the hood"), close), list, ...views.map((view) => view.panel));
  }

  function choose(view) {
    current = view;
    for (const each of views) {
      const here = each === view;
      each.tab.setAttribute("aria-selected", String(here));
      each.tab.tabIndex = here ? 0 : -1;
      each.panel.hidden = !here;
    }
    keep();
    tell();
  }

  function toggle(open, from = null) {
    const had = byId("hood").contains(document.activeElement);
    byId("hood").hidden = !open;
    byId("shell").classList.toggle("with-hood", open);
    for (const button of buttons()) button.setAttribute("aria-expanded", String(open));
    keep();
    tell();
    cover();
    if (from) opener = from;
    if (from && covers()) byId("hood-close").focus();
    if (!open && had) (opener?.offsetParent ? opener : buttons().find((button) => button.offsetParent))?.focus();
  }

  /** What lies under it cannot be reached, by the keyboard neither. */
  function cover() {
    shut(covers());
  }

  const keep = () => localStorage.setItem(KEPT, `${isOpen() ? "open" : "closed"} ${current?.id ?? ""}`);

  /** Each view learns whether it is looked at: only then it asks and draws. */
  const tell = () => {
    for (const view of views) view.show(isOpen() && view === current);
  };

  return {
    begin,
    covers,
    close: () => toggle(false),
    /** Whether the keyboard is in it. */
    hasFocus: () => byId("hood").contains(document.activeElement),
    /** Something changed under the hood (a notice of the live connection). */
    notice: (notice) => {
      for (const view of views) view.notice(notice);
    },
    /** The page shows another thread, room or person. */
    moved: () => {
      cover();
      for (const view of views) view.moved();
    },
  };
}

/** What is real and what is not, on every badge of the page; what a badge says already it goes on saying. */
function dressBadges(real) {
  if (!real) return;
  const said = real.images ? "real pictures" : "sandbox";
  for (const badge of document.querySelectorAll(".badge")) {
    if (badge.matches("button") && badge.textContent === said && badge.title === real.words) continue;
    const dressed = el("button", { type: "button", class: badge.className, title: real.words, click: () => toast(real.words) }, said);
    dressed.classList.toggle("paid", real.images);
    const focused = badge === document.activeElement;
    badge.replaceWith(dressed);
    if (focused) dressed.focus();
  }
}
