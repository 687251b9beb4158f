// Modals: views that the app opened in front of the page.

import { blocks } from "./blocks.js";
import { el, icon, toast } from "./dom.js";
import { plain } from "./emoji.js";
import { showWrong, valuesOf } from "./inputs.js";

const shut = new Set();

/** Show the newest view that is open, and none when the app closed it. */
export function drawModals(views, world, does) {
  const open = views.filter((view) => !shut.has(view.id)).at(-1) ?? null;
  const shown = document.querySelector("dialog.modal");
  const look = open ? JSON.stringify(open) : null;
  if ((shown?.look ?? null) === look) return;
  shown?.remove();
  if (!open) return;
  const made = modal(open, look, world, does);
  document.body.append(made);
  made.showModal();
  made.querySelector(".body :is(input, textarea, select, button)")?.focus();
}

function modal(view, look, world, does) {
  const close = () => {
    shut.add(view.id);
    dialog.close();
    dialog.remove();
  };
  const send = async () => {
    const answer = await does.act("submit", { view_id: view.id, values: valuesOf(dialog) });
    if (!answer.ok) toast(answer.text || "The app did not answer.");
    else showWrong(dialog, answer.payload?.response_action === "errors" ? answer.payload.errors : {});
  };
  const title = String(view.title?.text ?? "");
  const source = { channel: null, ts: view.id, broken: [], press: does.pressInView && ((press) => does.pressInView(view, press)) };
  const submit = view.submit ? el("button", { type: "button", class: "btn primary", click: send }, plain(String(view.submit.text))) : null;
  const dialog = el(
    "dialog",
    { class: "ask modal", "aria-label": title },
    el("header", {}, el("h2", {}, plain(title)), el("button", { type: "button", class: "icon", "aria-label": "Close", click: close }, icon("close"))),
    el("div", { class: "body content" }, blocks(view.blocks ?? [], world, source)),
    el("div", { class: "buttons" }, el("button", { type: "button", class: "btn", click: close }, plain(String(view.close?.text ?? "Cancel"))), submit),
  );
  dialog.look = look;
  dialog.addEventListener("cancel", (event) => {
    event.preventDefault();
    close();
  });
  return dialog;
}
