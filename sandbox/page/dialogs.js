// Small questions in front of the page.

import { el, focusAnew } from "./dom.js";
import { plain } from "./emoji.js";
import { mrkdwn } from "./mrkdwn.js";

function ask({ title, body, yes, no, danger, first }) {
  return new Promise((resolve) => {
    const close = (answer) => {
      dialog.returnValue = answer;
      dialog.close(answer);
    };
    const deny = el("button", { type: "button", class: "btn", click: () => close("") }, no);
    const agree = el("button", { type: "button", class: danger ? "btn danger" : "btn primary", click: () => close("yes") }, yes);
    const dialog = el(
      "dialog",
      { class: "ask", "aria-label": title },
      el("h2", {}, plain(title)),
      el("div", { class: "body" }, body),
      el("div", { class: "buttons" }, deny, agree),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      focusAnew(document.activeElement);
      resolve(dialog);
    });
    document.body.append(dialog);
    dialog.showModal();
    (first ?? agree).focus();
  });
}

/** Block Kit's confirm object: resolves to whether the person agreed. */
export async function confirmed(confirm, world) {
  const text = String(confirm.text?.text ?? "");
  const dialog = await ask({
    title: String(confirm.title?.text ?? "Are you sure?"),
    body: el("div", { class: "text" }, confirm.text?.type === "mrkdwn" ? mrkdwn(text, world) : plain(text)),
    yes: String(confirm.confirm?.text ?? "Yes"),
    no: String(confirm.deny?.text ?? "Cancel"),
    danger: confirm.style === "danger",
  });
  return dialog.returnValue === "yes";
}

/** A question with a text to change: resolves to the text, or null. Enter saves, as it sends in a composer. */
export async function reworded(title, text) {
  const field = el("textarea", { rows: 4, "aria-label": title });
  field.value = text;
  field.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    field.closest("dialog").querySelector(".primary").click();
  });
  const dialog = await ask({ title, body: field, yes: "Save", no: "Cancel", first: field });
  return dialog.returnValue === "yes" ? field.value : null;
}
