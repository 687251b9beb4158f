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

export const byId = (id) => document.getElementById(id);

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
        if (focused) [...fresh.querySelectorAll("[data-focus]")].find((n) => n.dataset.focus === focused)?.focus();
      }
      node = fresh;
    }
    if (node === place) place = place.nextElementSibling;
    else box.insertBefore(node, place);
  }
  for (const node of before.values()) node.remove();
}

/** A passing remark at the edge of the page. */
export function toast(text) {
  const box = byId("toasts");
  const note = el("p", { class: "toast" }, text);
  box.append(note);
  while (box.children.length > 4) box.firstElementChild.remove();
  setTimeout(() => note.remove(), 7000);
}

export const isPhone = () => matchMedia("(max-width: 720px)").matches;
