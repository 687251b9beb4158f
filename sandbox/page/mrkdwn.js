// Slack's own markup: *bold* _italic_ ~strike~ `code` ```code``` > quote <url|text> <@U…> <#C…> <!here> :emoji:

import { el } from "./dom.js";
import { CODE as SHORT_CODE, emoji, glyph } from "./emoji.js";
import { followable, link } from "./links.js";

const ENTITIES = { "&amp;": "&", "&lt;": "<", "&gt;": ">" };
const WRAPPERS = { "*": "strong", _: "em", "~": "s" };
const WORD = /[\p{L}\p{N}]/u;
const REACH = 3000;
const DEPTH = 12;

/** The three escaped characters, as they were written. */
const unescape = (text) => text.replace(/&(?:amp|lt|gt);/g, (entity) => ENTITIES[entity]);

/** A mention of a person, a room or everybody. `world` knows the names. */
export function person(id, world, label = null) {
  const user = world.users.get(id);
  const me = id === world.viewer.id;
  return el("span", { class: me ? "mention me" : "mention" }, `@${user?.real_name ?? (label || id)}`);
}
export const room = (id, world, label = null) =>
  el("span", { class: "mention" }, `#${world.rooms.get(id)?.name || label || id}`);
export const everybody = (range) => el("span", { class: "mention me" }, `@${range}`);

/** Nodes for a text in Slack's markup. */
export function mrkdwn(text, world) {
  const parts = String(text).split(/\n?```\n?([\s\S]+?)\n?```\n?/);
  return parts.flatMap((part, index) => {
    if (index % 2) return [el("pre", {}, el("code", {}, bare(part, world)))];
    return part ? paragraphs(part, world) : [];
  });
}

function paragraphs(text, world) {
  const nodes = [];
  let lines = [];
  let quoted = false;
  let rest = false;
  const flush = () => {
    if (!lines.length) return;
    const inside = inline(lines.join("\n"), world);
    nodes.push(quoted ? el("blockquote", {}, inside) : el("span", { class: "run" }, inside));
    lines = [];
  };
  for (const line of text.split("\n")) {
    const long = !rest && /^(?:&gt;|>){3} ?/.exec(line);
    const short = !rest && !long && /^(?:&gt;|>) ?/.exec(line);
    const isQuote = rest || Boolean(long || short);
    if (isQuote !== quoted) flush();
    quoted = isQuote;
    rest ||= Boolean(long);
    lines.push(line.slice((long || short || [""])[0].length));
  }
  flush();
  return nodes;
}

function inline(text, world, depth = 0) {
  const nodes = [];
  const barren = new Map();
  let pending = "";
  const put = (node) => {
    if (pending) nodes.push(unescape(pending));
    pending = "";
    nodes.push(node);
  };
  for (let at = 0; at < text.length; ) {
    const [node, length] = piece(text, at, world, depth, barren);
    if (node) put(node);
    else pending += text.slice(at, at + length);
    at += length;
  }
  if (pending) nodes.push(unescape(pending));
  return nodes;
}

const CONTROL = /<([^<>\n]+)>/y;
const CODE = /`([^`\n]+)`/y;
const SHORT = new RegExp(SHORT_CODE, "y");
const ADDRESS = /https?:\/\/[^\s<>|]*[^\s<>|.,;:!?)\]'"*_~]/y;

function matched(pattern, text, at) {
  pattern.lastIndex = at;
  return pattern.exec(text);
}

/** What begins at `at`: a node (null for plain text) and how many characters it takes. */
function piece(text, at, world, depth, barren) {
  const sign = text[at];
  let found;
  if (sign === "\n") return [el("br"), 1];
  if (sign === "<" && (found = matched(CONTROL, text, at))) return [control(found[1], world), found[0].length];
  if (sign === "`" && (found = matched(CODE, text, at))) return [el("code", {}, bare(found[1], world)), found[0].length];
  if (sign === ":" && (found = matched(SHORT, text, at)) && glyph(found[1])) return [emoji(found[1]), found[0].length];
  if (sign === "h" && opens(text, at) && (found = matched(ADDRESS, text, at)))
    return [link(unescape(found[0]), unescape(found[0])), found[0].length];
  if (sign in WRAPPERS && depth < DEPTH) {
    const end = closing(text, at, barren);
    if (end) return [el(WRAPPERS[sign], {}, inline(text.slice(at + 1, end), world, depth + 1)), end + 1 - at];
  }
  return [null, 1];
}

const opens = (text, at) => at === 0 || !WORD.test(text[at - 1]);

/** Where the mark that opens at `at` is closed on the same line; 0 when it opens nothing. `barren` is, for each
 * mark of this text, up to where no closing one was found: every character is looked at once, not once a mark. */
function closing(text, at, barren) {
  const mark = text[at];
  if (!opens(text, at) || /[\s]|^$/.test(text[at + 1] ?? "") || text[at + 1] === mark) return 0;
  let end = Math.max(at + 1, barren.get(mark) ?? 0);
  for (; end < Math.min(text.length, at + REACH) && text[end] !== "\n"; end += 1) {
    const skipped = matched(CONTROL, text, end) ?? matched(CODE, text, end);
    if (skipped) end += skipped[0].length - 1;
    else if (text[end] === mark && !/\s/.test(text[end - 1]) && text[end - 1] !== mark && !WORD.test(text[end + 1] ?? "")) return end;
  }
  barren.set(mark, end);
  return 0;
}

function control(body, world) {
  const [target, ...rest] = body.split("|");
  const label = unescape(rest.join("|"));
  if (target.startsWith("@")) return person(target.slice(1), world, label);
  if (target.startsWith("#")) return room(target.slice(1), world, label);
  if (/^!(?:channel|here|everyone)$/.test(target)) return everybody(target.slice(1));
  if (target.startsWith("!")) return el("span", { class: "mention" }, label || unescape(target));
  const address = unescape(target);
  if (followable(address)) return link(address, label || address.replace(/^mailto:/, ""));
  return /^[a-z][a-z0-9+.-]*:/i.test(address) ? link(address, label || address) : document.createTextNode(unescape(`<${body}>`));
}

/** Text inside code: no marks, but names instead of ids. */
const bare = (text, world) =>
  text
    .split(/(<(?:[@#!]|[a-z]+:)[^<>\n]*>)/i)
    .map((part, index) => (index % 2 ? control(part.slice(1, -1), world).textContent : unescape(part)))
    .join("");
