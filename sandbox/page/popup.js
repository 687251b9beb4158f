// A small menu that opens beside its button: arrows move, Enter chooses, Escape goes back.

import { el, named } from "./dom.js";
import { plain } from "./emoji.js";

const EDGE = 8;

/** Open a menu beside `anchor`. `items` are {text, about, danger, click}. */
export function popup(anchor, label, items) {
  const made = items.map((item) =>
    el(
      "button",
      { type: "button", role: "menuitem", tabindex: -1, class: item.danger ? "danger" : null, click: () => take(item) },
      plain(item.text),
      item.about ? el("small", {}, plain(item.about)) : null,
    ),
  );
  const menu = el("div", { class: "popup", role: "menu", "aria-label": label, popover: "auto" }, made);

  const take = (item) => {
    menu.hidePopover();
    back();
    item.click();
  };
  const back = () => {
    (anchor.isConnected ? anchor : named(anchor.dataset.focus))?.focus();
  };
  menu.addEventListener("keydown", (event) => {
    const at = made.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: made.length - 1 }[event.key];
    if (to !== undefined) {
      event.preventDefault();
      made[(to + made.length) % made.length].focus();
    } else if (event.key === "Escape" || event.key === "Tab") {
      event.preventDefault();
      event.stopPropagation();
      menu.hidePopover();
      back();
    }
  });
  menu.addEventListener("toggle", (event) => {
    anchor.setAttribute("aria-expanded", String(event.newState === "open"));
    if (event.newState === "closed") menu.remove();
  });
  // Inside a dialog everything else is inert, so the menu has to be part of it.
  (anchor.closest("dialog") ?? document.body).append(menu);
  menu.showPopover();
  place(menu, anchor.getBoundingClientRect());
  made[0]?.focus();
}

/** Put an open popover below a rectangle, or above it where there is no room. */
export function place(menu, beside) {
  const { width, height } = menu.getBoundingClientRect();
  const below = beside.bottom + 4 + height <= innerHeight - EDGE;
  menu.style.left = `${Math.max(EDGE, Math.min(beside.left, innerWidth - width - EDGE))}px`;
  menu.style.top = `${Math.max(EDGE, below ? beside.bottom + 4 : beside.top - height - 4)}px`;
}

/** A button that opens a menu. `items()` is asked when it is pressed. */
export function menuButton(attributes, label, items, ...children) {
  const node = el("button", { type: "button", "aria-label": label, title: label, "aria-haspopup": "menu", "aria-expanded": "false", ...attributes, click: () => popup(node, label, items()) }, ...children);
  return node;
}
