// What can be pressed or chosen in a message.

import { chosen, picked, richOf, secondsOf, select, wordsOf } from "./choices.js";
import { confirmed } from "./dialogs.js";
import { el, icon, toast } from "./dom.js";
import { plain } from "./emoji.js";
import { lasting } from "./kept.js";
import { followable } from "./links.js";
import { lookup } from "./lookup.js";
import { blockPicture } from "./pictures.js";
import { menuButton } from "./popup.js";

/** The node of an interactive element, or of an image. `source` is {channel, ts, broken, press, held}. */
export function element(spec, world, source, blockId) {
  const make = Object.hasOwn(ELEMENTS, spec.type) ? ELEMENTS[spec.type] : null;
  const key = `${source.ts} ${blockId} ${spec.action_id}`;
  return make ? make(spec, world, source, blockId, key) : el("span", { class: "unknown" }, `[${spec.type}]`);
}

async function send(spec, world, source, blockId, control, value) {
  if (spec.confirm && !(await confirmed(spec.confirm, world))) return false;
  control.setAttribute("aria-busy", "true");
  const answer = await source.press({ action_id: spec.action_id, block_id: blockId, value });
  control.removeAttribute("aria-busy");
  if (!answer.ok) toast(answer.text || answer.error || "That did not work.");
  return answer.ok;
}

function button(spec, world, source, blockId, key) {
  const label = spec.accessibility_label ?? null;
  const style = ["primary", "danger"].includes(spec.style) ? spec.style : "";
  const press = async () => {
    if (node.getAttribute("aria-busy")) return;
    const url = spec.url ? followable(spec.url) : null;
    if (url) window.open(url.href, "_blank", "noopener,noreferrer");
    await send(spec, world, source, blockId, node);
  };
  const node = el("button", { type: "button", class: `btn ${style}`, "aria-label": label, "data-focus": key, click: press }, el("span", {}, plain(wordsOf(spec.text))));
  return node;
}

const DRAWINGS = { trash: "bin" };

/** A drawing in place of the words, where this page has it; the words are its name then. */
function iconButton(spec, world, source, blockId, key) {
  const node = button(spec, world, source, blockId, key);
  if (!Object.hasOwn(DRAWINGS, spec.icon)) return node;
  node.className = "icon";
  node.title = wordsOf(spec.text);
  node.setAttribute("aria-label", spec.accessibility_label ?? wordsOf(spec.text));
  node.replaceChildren(icon(DRAWINGS[spec.icon]));
  return node;
}

function menu(spec, world, source, blockId, key) {
  const hint = wordsOf(spec.placeholder) || "Choose…";
  let before = chosen(spec, heldIn(source, blockId, spec));
  const node = select(spec, world, { class: "btn", "aria-label": hint, "data-focus": key }, before);
  if (!node) return el("span", { class: "unknown" }, `[${spec.type}]`);
  node.addEventListener("change", async () => {
    const now = picked(node);
    if (now.length && (await send(spec, world, source, blockId, node, now))) before = now;
    else node.value = before;
  });
  return node;
}

/** A menu whose choices the app gives. */
function searched(spec, world, source, blockId, key) {
  const { node, field } = lookup(spec, {
    focus: key,
    label: wordsOf(spec.placeholder) || "Search",
    held: heldIn(source, blockId, spec),
    ask: (typed) => source.ask({ action_id: spec.action_id, block_id: blockId, value: typed }),
    told: (now) => now.length > 0 && send(spec, world, source, blockId, field, now),
  });
  return node;
}

const heldIn = (source, blockId, spec) => source.held?.[blockId]?.[spec.action_id] ?? null;

/** The menu behind three dots. */
function overflow(spec, world, source, blockId, key) {
  const items = () =>
    (spec.options ?? []).map((one) => ({
      text: wordsOf(one.text),
      about: wordsOf(one.description),
      click: () => {
        const url = one.url ? followable(one.url) : null;
        if (url) window.open(url.href, "_blank", "noopener,noreferrer");
        return send(spec, world, source, blockId, node, one.value);
      },
    }));
  const node = menuButton({ class: "btn more", "data-focus": key }, "More options", items, icon("more"));
  return node;
}

function boxes(spec, world, source, blockId, key) {
  const type = spec.type === "checkboxes" ? "checkbox" : "radio";
  const now = [chosen(spec, heldIn(source, blockId, spec))].flat();
  const inputs = (spec.options ?? []).map((one) => el("input", { type, name: key, value: one.value, checked: now.includes(one.value), "data-focus": `${key} ${one.value}` }));
  for (const input of inputs)
    input.addEventListener("change", () => {
      const values = inputs.filter((one) => one.checked).map((one) => one.value);
      return send(spec, world, source, blockId, input, type === "radio" ? input.value : values);
    });
  const labels = inputs.map((input, index) => {
    const { text, description } = spec.options[index];
    return el("label", {}, input, el("span", {}, plain(wordsOf(text)), description ? el("small", {}, plain(wordsOf(description))) : null));
  });
  return el("span", { class: "radios", role: type === "radio" ? "radiogroup" : "group", "aria-label": "Choices" }, labels);
}

const THUMBS_MOST = 200;
const thumbs = lasting("thumbs", THUMBS_MOST);

/** Thumbs up and down; which one a person pressed last is marked, as Slack does. */
function feedback(spec, world, source, blockId, key) {
  const mine = `${world.viewer.id} ${key}`;
  const nodes = ["positive", "negative"].map((name) => {
    const about = spec[`${name}_button`];
    const label = about?.accessibility_label ?? wordsOf(about?.text);
    const press = async () => {
      if (!(await send(spec, world, source, blockId, node, name))) return;
      thumbs.set(mine, name);
      for (const one of nodes) one.setAttribute("aria-pressed", String(one === node));
    };
    const node = el("button", { type: "button", class: "icon thumb", "aria-label": label, title: wordsOf(about?.text), "aria-pressed": String(thumbs.get(mine) === name), "data-focus": `${key} ${name}`, click: press }, icon(name));
    return node;
  });
  return el("span", { class: "thumbs", role: "group", "aria-label": "Feedback" }, nodes);
}

/** A text with marks; Enter sends it, as in a composer. */
function richInput(spec, world, source, blockId, key) {
  const node = el("textarea", { class: "btn written", rows: 2, placeholder: wordsOf(spec.placeholder), "aria-label": wordsOf(spec.placeholder) || "Text", "data-focus": key });
  node.value = chosen(spec, heldIn(source, blockId, spec));
  node.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    send(spec, world, source, blockId, node, richOf(node.value));
  });
  return node;
}

const LABELS = { date: "Date", time: "Time", "datetime-local": "Date and time" };

function dated(type, given = String) {
  return (spec, world, source, blockId, key) => {
    const node = el("input", { type, class: "btn", value: chosen(spec, heldIn(source, blockId, spec)), "aria-label": wordsOf(spec.placeholder) || LABELS[type], "data-focus": key });
    node.addEventListener("change", () => send(spec, world, source, blockId, node, given(node.value)));
    return node;
  };
}

const ELEMENTS = {
  button,
  workflow_button: button,
  icon_button: iconButton,
  feedback_buttons: feedback,
  image: (spec, world, source) => blockPicture(spec, world, source, true),
  overflow,
  external_select: searched,
  multi_external_select: searched,
  static_select: menu,
  multi_static_select: menu,
  users_select: menu,
  multi_users_select: menu,
  channels_select: menu,
  multi_channels_select: menu,
  conversations_select: menu,
  multi_conversations_select: menu,
  radio_buttons: boxes,
  checkboxes: boxes,
  datepicker: dated("date"),
  timepicker: dated("time"),
  datetimepicker: dated("datetime-local", secondsOf),
  rich_text_input: richInput,
};
