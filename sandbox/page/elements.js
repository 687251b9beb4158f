// What can be pressed or chosen in a message.

import { confirmed } from "./dialogs.js";
import { el, toast } from "./dom.js";
import { plain } from "./emoji.js";
import { followable } from "./links.js";
import { blockPicture } from "./pictures.js";

const wordsOf = (text) => String(text?.text ?? "");

/** The node of an interactive element, or of an image. `source` is {channel, ts, broken, press}. */
export function element(spec, world, source, blockId) {
  const make = Object.hasOwn(ELEMENTS, spec.type) ? ELEMENTS[spec.type] : null;
  const key = `${source.ts} ${blockId} ${spec.action_id}`;
  return make ? make(spec, world, source, blockId, key) : el("span", { class: "unknown" }, `[${spec.type}]`);
}

async function send(spec, source, blockId, control, value) {
  if (spec.confirm && !(await confirmed(spec.confirm))) return false;
  if (!source.press) {
    toast("This page cannot press that here yet.");
    return false;
  }
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
    await send(spec, source, blockId, node);
  };
  const node = el("button", { type: "button", class: `btn ${style}`, "aria-label": label, "data-focus": key, click: press }, el("span", {}, plain(wordsOf(spec.text))));
  return node;
}

function menu(options, spec, source, blockId, key) {
  const hint = wordsOf(spec.placeholder) || (spec.type === "overflow" ? "More…" : "Choose…");
  const first = el("option", { value: "" }, hint);
  const node = el("select", { class: "btn", "aria-label": hint, "data-focus": key }, first, options);
  const initial = spec.initial_option?.value ?? spec.initial_user ?? spec.initial_channel ?? spec.initial_conversation ?? "";
  node.value = initial;
  node.addEventListener("change", async () => {
    const chosen = node.value;
    const took = chosen && (await send(spec, source, blockId, node, chosen));
    if (!took || spec.type === "overflow") node.value = initial;
  });
  return node;
}

const option = (spec) => el("option", { value: spec.value }, wordsOf(spec.text));
const people = (world) => [...world.users.values()].map((user) => el("option", { value: user.id }, user.real_name));
const rooms = (world) => [...world.rooms.values()].map((room) => el("option", { value: room.id }, room.title));

function choices(spec) {
  const groups = (spec.option_groups ?? []).map((group) => el("optgroup", { label: wordsOf(group.label) }, (group.options ?? []).map(option)));
  return [...(spec.options ?? []).map(option), ...groups];
}

function radios(spec, world, source, blockId, key) {
  const made = (spec.options ?? []).map((one, index) => {
    const input = el("input", { type: "radio", name: key, value: one.value, checked: one.value === spec.initial_option?.value, "data-focus": `${key} ${index}` });
    input.addEventListener("change", () => send(spec, source, blockId, input, one.value));
    return el("label", {}, input, plain(wordsOf(one.text)));
  });
  return el("span", { class: "radios", role: "radiogroup", "aria-label": "Choices" }, made);
}

function dated(type, initial) {
  return (spec, world, source, blockId, key) => {
    const node = el("input", { type, class: "btn", value: spec[initial] ?? null, "aria-label": wordsOf(spec.placeholder) || type, "data-focus": key });
    node.addEventListener("change", () => send(spec, source, blockId, node, node.value));
    return node;
  };
}

const ELEMENTS = {
  button,
  workflow_button: button,
  icon_button: button,
  image: (spec, world, source) => blockPicture(spec, world, source, true),
  overflow: (spec, world, ...rest) => menu(choices(spec), spec, ...rest),
  static_select: (spec, world, ...rest) => menu(choices(spec), spec, ...rest),
  users_select: (spec, world, ...rest) => menu(people(world), spec, ...rest),
  channels_select: (spec, world, ...rest) => menu(rooms(world), spec, ...rest),
  conversations_select: (spec, world, ...rest) => menu(rooms(world), spec, ...rest),
  radio_buttons: radios,
  datepicker: dated("date", "initial_date"),
  timepicker: dated("time", "initial_time"),
};
