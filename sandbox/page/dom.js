// Elements are built node by node: a string is always text, never markup.

/** An element. A function among the attributes listens to the event of that name; null and false are left out. */
export function el(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (typeof value === "function") node.addEventListener(name, value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

const ICONS = {
  attach: "M8 3v10M3 8h10",
  send: "M2.5 13.5 14 8 2.5 2.5 4.5 8zM4.5 8H9",
  minus: "M3 8h10",
  left: "M10 3 5 8l5 5",
  right: "m6 3 5 5-5 5",
  close: "m4 4 8 8M12 4l-8 8",
  reply: "M2.5 3.5h11v7.5H7.5L4 13.8V11H2.5z",
  edit: "m3 13 .7-3L11 2.7 13.3 5 6 12.3zM9.6 4.1l2.3 2.3",
  bin: "M3 4.5h10M6.5 4.5v-2h3v2M4.5 4.5l.6 9h5.8l.6-9M6.8 7v4M9.2 7v4",
  lock: "M4 7.5h8v6H4zM5.5 7.5V5a2.5 2.5 0 0 1 5 0v2.5",
  eye: "M1.5 8S4 3.8 8 3.8 14.5 8 14.5 8 12 12.2 8 12.2 1.5 8 1.5 8zM8 6.2a1.8 1.8 0 1 0 0 3.6 1.8 1.8 0 0 0 0-3.6z",
  file: "M4 2h5l3 3v9H4zM9 2v3h3",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  menu: "M8 3.5v.01M8 8v.01M8 12.5v.01",
  bolt: "M9 1.8 3.5 9H8l-1 5.2L12.5 7H8z",
  positive: "M5.2 7.2 8 1.9c1.1 0 1.8.8 1.6 1.9l-.4 2.4h3.3c.9 0 1.5.8 1.3 1.7l-1 4.3c-.2.7-.8 1.2-1.5 1.2H5.2zM5.2 7.2H2.6v6.2h2.6z",
  negative: "M10.8 8.8 8 14.1c-1.1 0-1.8-.8-1.6-1.9l.4-2.4H3.5c-.9 0-1.5-.8-1.3-1.7l1-4.3c.2-.7.8-1.2 1.5-1.2h6.1zM10.8 8.8h2.6V2.6h-2.6z",
};

/** A small line drawing; whatever holds it says in words what it means. */
export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
  for (const [key, value] of [["viewBox", "0 0 16 16"], ["class", "drawn"], ["aria-hidden", "true"]]) svg.setAttribute(key, value);
  path.setAttribute("d", ICONS[name]);
  svg.append(path);
  return svg;
}

const TOAST_MS = 7000;

/** Give a node the focus. A field that the browser itself focused while a dialog went away takes no letters (Chromium). */
export function focusAnew(node) {
  document.activeElement?.blur();
  node?.focus();
}

export const byId = (id) => document.getElementById(id);

/** What can have the focus goes by a name, under which it is found again after it was drawn anew. */
export const named = (name, box = document) => [...box.querySelectorAll("[data-focus]")].find((node) => node.dataset.focus === name) ?? null;

/** Whether somebody looks at the end of a list that scrolls. */
export const atEnd = (box) => box.scrollHeight - box.scrollTop - box.clientHeight < 60;

const QUIET_MS = 1000;

/** What comes into a live region in this moment is not read out: it is not news. */
export function quietly(box) {
  box.setAttribute("aria-live", "off");
  clearTimeout(box.quiet);
  box.quiet = setTimeout(() => box.removeAttribute("aria-live"), QUIET_MS);
}

/**
 * Make `box` show one node for each item, in order, keeping the nodes whose item did not change.
 * `key(item)` says which item it is, `print(item)` everything its node depends on, `make(item)` builds the node.
 */
export function reconcile(box, items, key, print, make) {
  const before = new Map([...box.children].map((node) => [node.dataset.key, node]));
  let place = box.firstElementChild;
  for (const item of items) {
    const id = key(item);
    const look = print(item);
    let node = before.get(id);
    before.delete(id);
    if (!node || node.look !== look) {
      const fresh = make(item);
      fresh.dataset.key = id;
      fresh.look = look;
      if (node) {
        const focused = node.contains(document.activeElement) ? document.activeElement.dataset.focus : null;
        if (place === node) place = fresh;
        node.replaceWith(fresh);
        if (focused) named(focused, fresh)?.focus();
      }
      node = fresh;
    }
    if (node === place) place = place.nextElementSibling;
    else box.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
}

const toasts = { box: null };

/** Where toasts are shown: in front of a modal only what is inside it is read out. With its dialog gone it comes back. */
function toastBox() {
  if (!toasts.box) {
    const box = byId("toasts");
    toasts.box = box;
    new MutationObserver(() => {
      if (box.isConnected) return;
      document.body.append(box);
      if (box.firstElementChild) box.showPopover();
    }).observe(document.body, { childList: true });
  }
  const front = [...document.querySelectorAll("dialog[open]")].at(-1) ?? document.body;
  if (toasts.box.parentNode !== front) front.append(toasts.box);
  return toasts.box;
}

/** A passing remark at the edge of the page. */
export function toast(text) {
  const box = toastBox();
  const note = el("p", { class: "toast" }, text);
  box.append(note);
  while (box.children.length > 4) box.firstElementChild.remove();
  // Shown anew, it lies above a dialog that was opened since.
  if (box.matches(":popover-open")) box.hidePopover();
  box.showPopover();
  setTimeout(() => {
    note.remove();
    if (!box.firstElementChild && box.matches(":popover-open")) box.hidePopover();
  }, TOAST_MS);
}

export const isPhone = () => matchMedia("(max-width: 720px)").matches;
