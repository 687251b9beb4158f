// What can be filled in: the `input` blocks of a modal, and reading them as Slack sends them.

import { el } from "./dom.js";
import { plain } from "./emoji.js";

const FIELDS = {
  plain_text_input: "text",
  email_text_input: "email",
  url_text_input: "url",
  number_input: "number",
  datepicker: "date",
  timepicker: "time",
};
const CHOSEN = { datepicker: "selected_date", timepicker: "selected_time", users_select: "selected_user", channels_select: "selected_channel", conversations_select: "selected_conversation" };
const INITIAL = { datepicker: "initial_date", timepicker: "initial_time", users_select: "initial_user", channels_select: "initial_channel", conversations_select: "initial_conversation" };

const wordsOf = (text) => String(text?.text ?? "");

/** An `input` block. Its value is read with `valuesOf`. */
export function inputBlock(block, world) {
  const spec = block.element ?? {};
  const id = `field-${block.block_id}`;
  const many = ["radio_buttons", "checkboxes"].includes(spec.type);
  const label = el(many ? "legend" : "label", many ? {} : { for: id }, plain(wordsOf(block.label)), block.optional ? el("small", {}, " (optional)") : null);
  const control = many ? boxes(spec, id) : field(spec, id, world);
  const hint = block.hint ? el("small", {}, plain(wordsOf(block.hint))) : null;
  const node = el(many ? "fieldset" : "div", { class: "field" }, label, control ?? el("p", { class: "unknown" }, `[${spec.type}]`), hint, el("p", { class: "wrong", role: "alert", hidden: true }));
  if (control) node.reading = { block: block.block_id, action: spec.action_id, read: () => value(spec, control, node) };
  return node;
}

function field(spec, id, world) {
  if (Object.hasOwn(FIELDS, spec.type)) {
    const attributes = { id, placeholder: wordsOf(spec.placeholder) || null, minlength: spec.min_length ?? null, maxlength: spec.max_length ?? null };
    if (spec.multiline) {
      const area = el("textarea", { ...attributes, rows: 4 });
      area.value = spec.initial_value ?? "";
      return area;
    }
    const step = spec.type === "number_input" && spec.is_decimal_allowed ? "any" : null;
    return el("input", { ...attributes, type: FIELDS[spec.type], step, min: spec.min_value ?? null, max: spec.max_value ?? null, value: spec.initial_value ?? spec[INITIAL[spec.type]] ?? null });
  }
  const lists = {
    static_select: () => (spec.options ?? (spec.option_groups ?? []).flatMap((group) => group.options ?? [])).map((one) => [one.value, wordsOf(one.text)]),
    users_select: () => [...world.users.values()].map((user) => [user.id, user.real_name]),
    channels_select: () => [...world.rooms.values()].filter((one) => one.name).map((one) => [one.id, one.title]),
    conversations_select: () => [...world.rooms.values()].map((one) => [one.id, one.title]),
  };
  if (!Object.hasOwn(lists, spec.type)) return null;
  const select = el("select", { id }, el("option", { value: "" }, wordsOf(spec.placeholder) || "Choose…"), lists[spec.type]().map(([key, text]) => el("option", { value: key }, text)));
  select.value = spec.initial_option?.value ?? spec[INITIAL[spec.type]] ?? "";
  return select;
}

function boxes(spec, id) {
  const chosen = new Set([...(spec.initial_options ?? []), spec.initial_option].filter(Boolean).map((one) => one.value));
  const type = spec.type === "checkboxes" ? "checkbox" : "radio";
  return el("div", { class: "radios" }, (spec.options ?? []).map((one) => el("label", {}, el("input", { type, name: id, value: one.value, checked: chosen.has(one.value) }), el("span", {}, plain(wordsOf(one.text))))));
}

function value(spec, control, node) {
  const { type } = spec;
  if (type === "checkboxes" || type === "radio_buttons") {
    const picked = new Set([...node.querySelectorAll("input:checked")].map((one) => one.value));
    const options = (spec.options ?? []).filter((one) => picked.has(one.value));
    return type === "checkboxes" ? { type, selected_options: options } : { type, selected_option: options[0] ?? null };
  }
  if (type === "static_select") {
    const all = spec.options ?? (spec.option_groups ?? []).flatMap((group) => group.options ?? []);
    return { type, selected_option: all.find((one) => one.value === control.value) ?? null };
  }
  return { type, [CHOSEN[type] ?? "value"]: control.value || null };
}

/** Everything that is filled in inside `box`, in the shape of `view.state.values`. */
export function valuesOf(box) {
  const values = {};
  for (const { reading } of box.querySelectorAll(".field")) if (reading) values[reading.block] = { ...values[reading.block], [reading.action]: reading.read() };
  return values;
}

/** Say beside each field what is wrong with it; `errors` go by block id. */
export function showWrong(box, errors) {
  for (const node of box.querySelectorAll(".field")) {
    const said = node.reading ? errors[node.reading.block] : null;
    const place = node.querySelector(".wrong");
    place.textContent = said ?? "";
    place.hidden = !said;
  }
}
