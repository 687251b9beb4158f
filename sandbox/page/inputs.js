// What can be filled in: the `input` blocks of a view, and reading them.

import { chosen, picked, richOf, secondsOf, select, wordsOf } from "./choices.js";
import { el } from "./dom.js";
import { plain } from "./emoji.js";
import { fileControl } from "./filefield.js";
import { isLookup, lookup } from "./lookup.js";

const TYPES = {
  plain_text_input: "text",
  email_text_input: "email",
  url_text_input: "url",
  number_input: "number",
  datepicker: "date",
  timepicker: "time",
  datetimepicker: "datetime-local",
  rich_text_input: "text",
};
/** What a field gives the app, where that is something else than its text. */
const GIVEN = { datetimepicker: secondsOf, rich_text_input: richOf };
const GROUPS = new Set(["radio_buttons", "checkboxes", "file_input"]);
const PAUSE_MS = 300;

/**
 * An `input` block. `source` may have `held` (the view's values), `kept` (what was in the fields before the view
 * was drawn again), `fill` (tell the app, for fields that dispatch) and `attach` (take a file).
 */
export function inputBlock(block, world, source) {
  const spec = block.element ?? {};
  const id = `field-${block.block_id}`;
  const held = source?.held?.[block.block_id]?.[spec.action_id] ?? null;
  const kept = source?.kept?.[block.block_id]?.[spec.action_id];
  const tell = block.dispatch_action && source?.fill ? () => source.fill() : null;
  const made = control(spec, { id, block: block.block_id, world, source, held, tell, now: kept ?? chosen(spec, held), kept });
  const group = GROUPS.has(spec.type);
  const label = el(group ? "legend" : "label", group ? {} : { for: id }, plain(wordsOf(block.label)), block.optional ? el("small", {}, " (optional)") : null);
  const about = block.hint ? el("small", { id: `${id}-hint` }, plain(wordsOf(block.hint))) : null;
  const wrong = el("p", { id: `${id}-wrong`, class: "wrong", role: "alert", hidden: true });
  const node = el(group ? "fieldset" : "div", { class: "field", "aria-describedby": group && about ? about.id : null }, label, made?.node ?? el("p", { class: "unknown" }, `[${spec.type}]`), about, wrong);
  if (made) {
    const field = made.field ?? made.node;
    if (spec.focus_on_load) field.dataset.first = "";
    if (!group) field.setAttribute("aria-describedby", [about?.id, wrong.id].filter(Boolean).join(" "));
    node.reading = { block: block.block_id, action: spec.action_id, optional: Boolean(block.optional), keep: made.read, ...made };
  }
  return node;
}

function control(spec, about) {
  if (Object.hasOwn(TYPES, spec.type)) return written(spec, about);
  if (spec.type === "file_input") return fileControl(spec, about);
  if (spec.type === "checkboxes" || spec.type === "radio_buttons") return boxes(spec, about);
  if (isLookup(spec)) {
    const ask = (typed) => about.source.ask({ action_id: spec.action_id, block_id: about.block, value: typed });
    return lookup(spec, { id: about.id, focus: about.id, held: about.held, kept: about.kept, ask, told: about.tell });
  }
  const node = select(spec, about.world, { id: about.id, "data-focus": about.id }, about.now);
  if (!node) return null;
  if (about.tell) node.addEventListener("change", about.tell);
  return { node, read: () => picked(node) };
}

function written(spec, { id, now, tell }) {
  const same = { id, "data-focus": id, placeholder: wordsOf(spec.placeholder) || null, minlength: spec.min_length ?? null, maxlength: spec.max_length ?? null };
  const step = spec.type === "number_input" && spec.is_decimal_allowed ? "any" : null;
  const node = spec.multiline || spec.type === "rich_text_input" ? el("textarea", { ...same, rows: 4 }) : el("input", { ...same, type: TYPES[spec.type], step, min: spec.min_value ?? null, max: spec.max_value ?? null });
  node.value = now;
  if (tell) dispatches(node, spec, tell);
  const given = Object.hasOwn(GIVEN, spec.type) ? GIVEN[spec.type] : String;
  return { node, read: () => given(node.value), keep: () => node.value };
}

/** A text tells the app on Enter, or after each character, as its `dispatch_action_config` says. */
function dispatches(node, spec, tell) {
  const on = spec.dispatch_action_config?.trigger_actions_on ?? ["on_enter_pressed"];
  let waiting = 0;
  if (on.includes("on_character_entered") || !spec.type.endsWith("_input"))
    node.addEventListener("input", () => {
      clearTimeout(waiting);
      waiting = setTimeout(tell, PAUSE_MS);
    });
  if (on.includes("on_enter_pressed") && !spec.multiline) node.addEventListener("keydown", (event) => event.key === "Enter" && !event.isComposing && tell());
}

function boxes(spec, { id, now, tell }) {
  const type = spec.type === "checkboxes" ? "checkbox" : "radio";
  const inputs = (spec.options ?? []).map((one) => el("input", { type, name: id, value: one.value, checked: [now].flat().includes(one.value), "data-focus": `${id} ${one.value}`, change: tell }));
  const labels = inputs.map((input, index) => {
    const about = spec.options[index].description;
    return el("label", {}, input, el("span", {}, plain(wordsOf(spec.options[index].text)), about ? el("small", {}, plain(wordsOf(about))) : null));
  });
  const read = () => {
    const values = inputs.filter((one) => one.checked).map((one) => one.value);
    return type === "checkbox" ? values : (values[0] ?? "");
  };
  return { node: el("div", { class: "radios" }, labels), read };
}

const readings = (box) => [...box.querySelectorAll(".field")].filter((node) => node.reading);

function collected(box, what) {
  const values = {};
  for (const { reading } of readings(box)) values[reading.block] = { ...values[reading.block], [reading.action]: reading[what]() };
  return values;
}

/** Everything that is filled in inside `box`: {block_id: {action_id: value or values}}. */
export const valuesOf = (box) => collected(box, "read");

/** The same, as it can be put back into fields that are drawn again. */
export const keptOf = (box) => collected(box, "keep");

/** Whether all that must be filled in is; what is not says so, and the first such field is focused. */
export function complete(box) {
  const nothing = (value) => value === null || value.length === 0;
  const empty = readings(box).filter(({ reading }) => !reading.optional && nothing(reading.read()));
  showWrong(box, Object.fromEntries(empty.map(({ reading }) => [reading.block, "This is needed."])));
  return !empty.length;
}

/** Say beside each field what is wrong with it; `errors` go by block id. */
export function showWrong(box, errors) {
  let first = null;
  for (const node of readings(box)) {
    const said = errors[node.reading.block] ?? "";
    const place = node.querySelector(".wrong");
    place.textContent = said;
    place.hidden = !said;
    const control = node.querySelector("input, textarea, select, button");
    if (said) control?.setAttribute("aria-invalid", "true");
    else control?.removeAttribute("aria-invalid");
    if (said) first ??= control;
  }
  first?.focus();
  // Where there is little room, what is wrong would be below the edge.
  first?.closest(".field")?.scrollIntoView({ block: "nearest" });
}
