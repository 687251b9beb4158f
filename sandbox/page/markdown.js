// The `markdown` block: the part of Markdown that bots write. Anything else stays as it was written.

import { el } from "./dom.js";
import { plain } from "./emoji.js";
import { link } from "./links.js";

const MARKS =
  /`([^`\n]+)`|\*\*(\S(?:[^\n]{0,2000}?\S)?)\*\*|~~(\S(?:[^\n]{0,2000}?\S)?)~~|\[([^\]\n]{1,500})\]\(([^)\s]{1,2000})\)|(?<![\w*])[*_](\S(?:[^\n*_]{0,2000}?\S)?)[*_](?![\w*])/;

function inline(text, depth = 0) {
  const nodes = [];
  let rest = text;
  for (let found; depth < 6 && (found = MARKS.exec(rest)); rest = rest.slice(found.index + found[0].length)) {
    nodes.push(plain(rest.slice(0, found.index)));
    const [, code, bold, strike, label, address, italic] = found;
    if (code) nodes.push(el("code", {}, code));
    else if (bold) nodes.push(el("strong", {}, inline(bold, depth + 1)));
    else if (strike) nodes.push(el("s", {}, inline(strike, depth + 1)));
    else if (label) nodes.push(link(address, label));
    else nodes.push(el("em", {}, inline(italic, depth + 1)));
  }
  return [...nodes, plain(rest)];
}

const KINDS = [
  ["heading", /^#{1,6}\s+(.*)$/],
  ["ul", /^\s*[-*+]\s+(.*)$/],
  ["ol", /^\s*\d+[.)]\s+(.*)$/],
  ["blockquote", /^>\s?(.*)$/],
  ["rule", /^(?:---+|\*\*\*+)\s*()$/],
  ["gap", /^\s*()$/],
];

function kindOf(line) {
  for (const [kind, pattern] of KINDS) {
    const found = pattern.exec(line);
    if (found) return [kind, found[1]];
  }
  return ["p", line];
}

function group(kind, lines) {
  if (kind === "gap") return [];
  if (kind === "rule") return [el("hr")];
  if (kind === "heading") return lines.map((line) => el("p", { class: "md-heading" }, inline(line)));
  if (kind === "ul" || kind === "ol") return [el(kind, {}, lines.map((line) => el("li", {}, inline(line))))];
  const joined = lines.flatMap((line, index) => [index ? el("br") : null, inline(line)]);
  return [el(kind, { class: "rich" }, joined)];
}

/** The nodes of a text in Markdown. */
export function markdown(text) {
  return String(text).split(/^```[^\n]*\n([\s\S]*?)\n```\s*$/m).flatMap((part, index) => {
    if (index % 2) return [el("pre", {}, el("code", {}, part))];
    const groups = [];
    for (const [kind, line] of part.split("\n").map(kindOf)) {
      if (groups.at(-1)?.[0] === kind) groups.at(-1)[1].push(line);
      else groups.push([kind, [line]]);
    }
    return groups.flatMap(([kind, lines]) => group(kind, lines));
  });
}
