// Views that the app opened or published: modals in front of the page, and the Home tab.

import { blocks } from "./blocks.js";
import { el, focusAnew, icon, named } from "./dom.js";
import { plain } from "./emoji.js";
import { complete, keptOf, showWrong, valuesOf } from "./inputs.js";

const shut = new Set();
const CONTROLS = "input, textarea, select, button";

/** What a view looks like: all of it but its values, which change while somebody types. */
const lookOf = (view) => JSON.stringify({ ...view, state: null });

function sourceOf(view, box, does, kept = {}) {
  const place = { view_id: view.id };
  return {
    channel: null,
    ts: view.id,
    broken: [],
    held: view.state?.values ?? {},
    kept,
    attach: does.attach,
    press: (press) => does.act("press", { ...place, ...press, values: valuesOf(box()) }),
    ask: (asked) => does.act("options", { ...place, ...asked }),
    fill: () => does.act("fill", { ...place, values: valuesOf(box()) }),
  };
}

/** Where the focus was inside a box, as something that can be found again after it was drawn anew. */
function focusIn(box) {
  const node = box?.contains(document.activeElement) ? document.activeElement : null;
  const caret = node && typeof node.selectionStart === "number" ? [node.selectionStart, node.selectionEnd] : null;
  return node?.dataset.focus ? { name: node.dataset.focus, caret } : null;
}

function refocus(box, focus) {
  const nodes = focus ? [...box.querySelectorAll("[data-focus]")] : [];
  const last = (name) => name.split(" ").at(-1);
  // A block without an id of its own gets a new one each time: then the same action is meant.
  const node = nodes.find((one) => one.dataset.focus === focus.name) ?? nodes.find((one) => last(one.dataset.focus) === last(focus.name));
  if (!node) return false;
  node.focus();
  if (focus.caret) node.setSelectionRange(...focus.caret);
  return true;
}

/** Who had the focus before the first modal: it gets it back after the last. */
let opener = { node: null, name: null };

function giveBack() {
  const { node, name } = opener;
  const back = node?.isConnected ? node : named(name);
  focusAnew(back);
}

/** Show the newest view that is open, and none when the app closed it. */
export function drawModals(views, world, does) {
  const open = views.filter((view) => !shut.has(view.id)).at(-1) ?? null;
  const shown = document.querySelector("dialog.modal");
  const look = open ? lookOf(open) : null;
  if ((shown?.look ?? null) === look) return;
  const same = shown && shown.view === open?.id;
  const focus = same ? focusIn(shown) : null;
  const scrolled = same ? shown.querySelector(".body").scrollTop : 0;
  const kept = same ? keptOf(shown) : {};
  if (!shown) opener = { node: document.activeElement, name: document.activeElement?.dataset.focus };
  shown?.remove();
  if (!open) {
    giveBack();
    return;
  }
  const made = modal(open, look, world, does, kept);
  document.body.append(made);
  made.showModal();
  made.querySelector(".body").scrollTop = scrolled;
  if (!refocus(made, focus)) (made.querySelector(".body [data-first]") ?? made.querySelector(`.body :is(${CONTROLS})`) ?? made.querySelector(".buttons button")).focus();
}

function modal(view, look, world, does, kept) {
  const close = () => {
    shut.add(view.id);
    dialog.close();
    dialog.remove();
    giveBack();
    does.act("close", { view_id: view.id });
  };
  const wrong = el("p", { class: "wrong", role: "alert", hidden: true });
  const say = (text) => {
    wrong.textContent = text;
    wrong.hidden = !text;
  };
  const send = async () => {
    if (submit.getAttribute("aria-busy") || !complete(dialog)) return;
    say("");
    submit.setAttribute("aria-busy", "true");
    const answer = await does.act("submit", { view_id: view.id, values: valuesOf(dialog) });
    submit.removeAttribute("aria-busy");
    if (!answer.ok) say(answer.text || answer.error || "The app did not answer.");
    else showWrong(dialog, answer.payload?.response_action === "errors" ? answer.payload.errors : {});
  };
  const title = String(view.title?.text ?? "");
  const submit = view.submit ? el("button", { type: "button", class: "btn primary", "data-focus": "submit", click: send }, plain(String(view.submit.text))) : null;
  const dialog = el(
    "dialog",
    { class: "ask modal", "aria-label": title },
    el("header", {}, el("h2", {}, plain(title)), el("button", { type: "button", class: "icon", "aria-label": "Close", "data-focus": "close", click: close }, icon("close"))),
    el("div", { class: "body content", tabindex: 0, role: "group", "aria-label": title }, blocks(view.blocks ?? [], world, sourceOf(view, () => dialog, does, kept))),
    wrong,
    el("div", { class: "buttons" }, el("button", { type: "button", class: "btn", "data-focus": "cancel", click: close }, plain(String(view.close?.text ?? "Cancel"))), submit),
  );
  Object.assign(dialog, { look, view: view.id });
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  return dialog;
}

/** Draw the Home tab into `box`; `none` is said when the app has published nothing. */
export function drawHome(box, view, world, does, none) {
  const look = view ? lookOf(view) : null;
  if (box.firstElementChild?.look === look && box.firstElementChild) return;
  const before = box.firstElementChild;
  const focus = focusIn(before);
  const kept = before?.look ? keptOf(before) : {};
  const shown = view ? el("div", { class: "home content" }) : el("p", { class: "state" }, none);
  if (view) shown.append(...blocks(view.blocks ?? [], world, sourceOf(view, () => shown, does, kept)));
  shown.look = look;
  box.replaceChildren(shown);
  refocus(box, focus);
}
