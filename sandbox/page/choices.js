// What can be chosen in menus, and what is chosen: shared by the fields of a modal and the menus of a message.

import { el } from "./dom.js";

export const wordsOf = (text) => String(text?.text ?? "");

// type: where the choice stands in `view.state.values`, and in the element at its beginning
const PLACES = {
  plain_text_input: ["value", "initial_value"],
  email_text_input: ["value", "initial_value"],
  url_text_input: ["value", "initial_value"],
  number_input: ["value", "initial_value"],
  datepicker: ["selected_date", "initial_date"],
  timepicker: ["selected_time", "initial_time"],
  datetimepicker: ["selected_date_time", "initial_date_time"],
  rich_text_input: ["rich_text_value", "initial_value"],
  static_select: ["selected_option", "initial_option"],
  radio_buttons: ["selected_option", "initial_option"],
  checkboxes: ["selected_options", "initial_options"],
  multi_static_select: ["selected_options", "initial_options"],
  users_select: ["selected_user", "initial_user"],
  multi_users_select: ["selected_users", "initial_users"],
  channels_select: ["selected_channel", "initial_channel"],
  multi_channels_select: ["selected_channels", "initial_channels"],
  conversations_select: ["selected_conversation", "initial_conversation"],
  multi_conversations_select: ["selected_conversations", "initial_conversations"],
};
const KINDS = { channel: "public", group: "private", im: "im", mpim: "mpim" };

export const isMany = (spec) => spec.type === "checkboxes" || spec.type.startsWith("multi_");

const two = (number) => String(number).padStart(2, "0");

/** Seconds as the browser's field for a date and a time holds them, and back: null when it is empty. */
function localTime(seconds) {
  const at = new Date(seconds * 1000);
  return `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}T${two(at.getHours())}:${two(at.getMinutes())}`;
}
export const secondsOf = (local) => (local ? Math.round(new Date(local).getTime() / 1000) : null);

/** The words of a rich_text block, without their marks, and the block of plain words: null when there are none. */
const wordsIn = (rich) => (rich.elements ?? []).map((part) => (part.text ?? wordsIn(part)) + (part.type?.startsWith("rich_text_") ? "\n" : "")).join("");
export const richOf = (text) => (text ? { type: "rich_text", elements: [{ type: "rich_text_section", elements: [{ type: "text", text }] }] } : null);

/** What an element holds, in plain strings: "" or [] when nothing. `held` is its entry in the view's state. */
export function chosen(spec, held) {
  const place = Object.hasOwn(PLACES, spec.type) ? PLACES[spec.type] : null;
  const value = place && (held ? held[place[0]] : spec[place[1]]);
  if (value && spec.type === "datetimepicker") return localTime(value);
  if (value && spec.type === "rich_text_input") return wordsIn(value).trimEnd();
  const plain = (one) => String(one?.value ?? one ?? "");
  return isMany(spec) ? (value ?? []).map(plain) : plain(value);
}

function roomsFor(spec, world) {
  const { include, exclude_external_shared_channels: inside, exclude_bot_users: people } = spec.filter ?? {};
  const kinds = include ?? (spec.type.includes("channels") ? ["public"] : Object.values(KINDS));
  return [...world.rooms.values()].filter((room) => kinds.includes(KINDS[room.kind]) && !room.archived && !(inside && room.shared) && !(people && room.kind === "im" && room.has_app));
}

/** The options of a menu as nodes, groups included; null for a kind of menu this page does not know. */
export function offered(spec, world) {
  const option = (value, text) => el("option", { value }, text);
  const fixed = (one) => option(one.value, wordsOf(one.text));
  if (/static_select$/.test(spec.type)) {
    const groups = (spec.option_groups ?? []).map((group) => el("optgroup", { label: wordsOf(group.label) }, (group.options ?? []).map(fixed)));
    return [...(spec.options ?? []).map(fixed), ...groups];
  }
  if (/users_select$/.test(spec.type)) return [...world.users.values()].map((user) => option(user.id, user.real_name));
  if (/(?:channels|conversations)_select$/.test(spec.type)) return roomsFor(spec, world).map((room) => option(room.id, room.title));
  return null;
}

/** A menu with its options, and what is chosen in it; null for a kind this page does not know. */
export function select(spec, world, attributes, now) {
  const options = offered(spec, world);
  if (!options) return null;
  const many = isMany(spec);
  const first = many ? null : el("option", { value: "" }, wordsOf(spec.placeholder) || "Choose…");
  const node = el("select", { ...attributes, multiple: many, size: many ? Math.min(6, Math.max(3, options.length)) : null }, first, options);
  if (many) for (const one of node.options) one.selected = now.includes(one.value);
  else node.value = now;
  if (!many && node.selectedIndex < 0) node.value = "";
  return node;
}

export const picked = (node) => (node.multiple ? [...node.selectedOptions].map((one) => one.value) : node.value);
