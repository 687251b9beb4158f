// rich_text blocks: what Slack's own editor makes.

import { el } from "./dom.js";
import { emoji } from "./emoji.js";
import { link } from "./links.js";
import { everybody, person, room } from "./mrkdwn.js";

const STYLES = { bold: "strong", italic: "em", strike: "s", underline: "u", code: "code" };

function styled(node, style) {
  return Object.entries(STYLES).reduce((inner, [name, tag]) => (style?.[name] ? el(tag, {}, inner) : inner), node);
}

function lines(text) {
  return String(text).split("\n").flatMap((line, index) => (index ? [el("br"), line] : [line]));
}

const INLINE = {
  text: (part) => el("span", {}, lines(part.text)),
  link: (part) => link(part.url, part.text || part.url),
  user: (part, world) => person(part.user_id, world),
  usergroup: (part) => el("span", { class: "mention" }, `@${part.usergroup_id}`),
  channel: (part, world) => room(part.channel_id, world),
  emoji: (part) => emoji(String(part.name)),
  broadcast: (part) => everybody(part.range),
  color: (part) => el("code", {}, part.value),
  date: (part) => el("span", {}, part.fallback ?? new Date(part.timestamp * 1000).toLocaleString()),
  team: (part) => el("span", { class: "mention" }, part.team_id),
};

function inline(elements, world) {
  return (elements ?? []).map((part) => {
    const make = Object.hasOwn(INLINE, part.type) ? INLINE[part.type] : null;
    return make ? styled(make(part, world), part.style) : el("span", { class: "unknown" }, `[${part.type}]`);
  });
}

function list(part, world) {
  const level = Math.min(Number(part.indent) || 0, 8);
  const attributes = { class: `indent-${level}` };
  if (part.style === "ordered" && part.offset) attributes.start = Number(part.offset) + 1;
  const items = (part.elements ?? []).map((item) => el("li", {}, inline(item.elements, world)));
  return el(part.style === "ordered" ? "ol" : "ul", attributes, items);
}

const PARTS = {
  rich_text_section: (part, world) => el("p", { class: "rich" }, inline(part.elements, world)),
  rich_text_list: list,
  rich_text_quote: (part, world) => el("blockquote", {}, inline(part.elements, world)),
  rich_text_preformatted: (part, world) => el("pre", {}, el("code", {}, inline(part.elements, world))),
};

/** The nodes of a rich_text block. */
export function richText(block, world) {
  return (block.elements ?? []).map((part) => {
    const make = Object.hasOwn(PARTS, part.type) ? PARTS[part.type] : null;
    return make ? make(part, world) : el("p", { class: "unknown" }, `[${part.type}]`);
  });
}
