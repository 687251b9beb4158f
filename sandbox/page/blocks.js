// Block Kit as Slack draws it. A block this page does not know is shown as such, never dropped.

import { el } from "./dom.js";
import { element } from "./elements.js";
import { plain } from "./emoji.js";
import { inputBlock } from "./inputs.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { blockPicture } from "./pictures.js";
import { richText } from "./richtext.js";
import { chart, dataTable, table } from "./tables.js";

/** A text object: `mrkdwn` with its marks, `plain_text` as written. */
export function textObject(text, world) {
  return text?.type === "mrkdwn" ? mrkdwn(text.text, world) : plain(String(text?.text ?? ""));
}

function section(block, world, source) {
  const body = el("div", { class: "section-body" });
  if (block.text) body.append(el("div", { class: "text" }, textObject(block.text, world)));
  if (block.fields) body.append(el("div", { class: "fields" }, block.fields.map((field) => el("div", { class: "text" }, textObject(field, world)))));
  const beside = block.accessory ? el("div", { class: "accessory" }, element(block.accessory, world, source, block.block_id)) : null;
  return el("div", { class: "section" }, body, beside);
}

function context(block, world, source) {
  const items = (block.elements ?? []).map((item) =>
    item.type === "image" ? blockPicture(item, world, source, true) : el("span", { class: "text" }, textObject(item, world)),
  );
  return el("div", { class: "context" }, items);
}

function image(block, world, source) {
  const title = block.title ? el("figcaption", {}, plain(block.title.text)) : null;
  return el("figure", {}, title, blockPicture(block, world, source));
}

function card(block, world, source) {
  const part = (name, text) => (text ? el("div", { class: name }, textObject(text, world)) : null);
  return el(
    "div",
    { class: "card" },
    block.hero_image ? blockPicture(block.hero_image, world, source) : null,
    part("card-title", block.title),
    part("context", block.subtitle),
    part("text", block.body),
    block.actions ? actions({ elements: block.actions, block_id: block.block_id }, world, source) : null,
  );
}

function actions(block, world, source) {
  return el("div", { class: "actions" }, (block.elements ?? []).map((item) => element(item, world, source, block.block_id)));
}

function container(block, world, source) {
  const title = block.title ? el("p", { class: "card-title" }, textObject(block.title, world)) : null;
  return el("div", { class: "card" }, title, blocks(block.child_blocks ?? [], world, source));
}

function unknown(block) {
  const raw = el("pre", {}, el("code", {}, JSON.stringify(block, null, 2)));
  return el("details", { class: "unknown" }, el("summary", {}, `A “${block.type}” block, which this page does not draw`), raw);
}

const BLOCKS = {
  section,
  context,
  image,
  table,
  data_table: dataTable,
  data_visualization: chart,
  actions,
  context_actions: actions,
  input: inputBlock,
  card,
  container,
  carousel: (block, world, source) => el("div", { class: "carousel" }, (block.elements ?? []).map((item) => card(item, world, source))),
  alert: (block, world) => el("div", { class: "alert" }, textObject(block.text, world)),
  header: (block) => el("h3", {}, plain(String(block.text?.text ?? ""))),
  divider: () => el("hr"),
  rich_text: (block, world) => el("div", { class: "text" }, richText(block, world)),
  markdown: (block) => el("div", { class: "text" }, markdown(block.text ?? "")),
};

/** The nodes of a list of blocks. One that cannot be drawn does not take the others with it. */
export function blocks(given, world, source) {
  return given.map((block) => {
    const make = Object.hasOwn(BLOCKS, block?.type) ? BLOCKS[block.type] : unknown;
    try {
      return make(block, world, source);
    } catch (error) {
      console.error(error);
      return unknown(block);
    }
  });
}
