// Block Kit as Slack draws it. A block this page does not know is shown as such, never dropped.

import { chart } from "./charts.js";
import { wordsOf } from "./choices.js";
import { el, icon } from "./dom.js";
import { element } from "./elements.js";
import { plain } from "./emoji.js";
import { inputBlock } from "./inputs.js";
import { link } from "./links.js";
import { markdown } from "./markdown.js";
import { mrkdwn } from "./mrkdwn.js";
import { blockPicture } from "./pictures.js";
import { richText } from "./richtext.js";
import { dataTable, table } from "./tables.js";

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
    block.icon ? blockPicture(block.icon, world, source, true) : null,
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
  const title = block.title || block.rich_text_title ? el("span", { class: "card-title" }, block.title ? textObject(block.title, world) : richText(block.rich_text_title, world)) : null;
  const subtitle = block.subtitle ? el("span", { class: "context" }, textObject(block.subtitle, world)) : null;
  const inside = blocks(block.child_blocks ?? [], world, source);
  if (!block.is_collapsible) return el("div", { class: "card" }, title, subtitle, inside);
  return el("details", { class: "card", open: !block.default_collapsed }, el("summary", {}, title ?? "More", " ", subtitle), el("div", { class: "content" }, inside));
}

/** A title that is a text object, or plain words. */
const titled = (given, world) => (typeof given === "string" ? plain(given) : textObject(given, world));

const STATUSES = { pending: "to do", in_progress: "under way", complete: "done", error: "failed" };

function taskCard(block, world) {
  const rich = (part) => (part?.type === "rich_text" ? el("div", { class: "text" }, richText(part, world)) : null);
  const sources = (Array.isArray(block.sources) ? block.sources : []).map((one) => el("li", {}, link(one?.url, one?.text || one?.url)));
  return el(
    "div",
    { class: "card task" },
    el("p", { class: "card-title" }, titled(block.title, world), " ", el("span", { class: "app" }, STATUSES[block.status] ?? "to do")),
    rich(block.details),
    rich(block.output),
    sources.length ? el("ul", {}, sources) : null,
  );
}

function plan(block, world) {
  return el("div", { class: "card" }, el("p", { class: "card-title" }, titled(block.title, world)), (block.tasks ?? []).map((task) => taskCard(task, world)));
}

function video(block, world, source) {
  const title = wordsOf(block.title);
  const by = [block.author_name, block.provider_name].filter(Boolean).join(", ");
  return el(
    "div",
    { class: "card" },
    el("p", { class: "card-title" }, link(block.title_url ?? block.video_url, title)),
    block.description ? el("div", { class: "text" }, textObject(block.description, world)) : null,
    by ? el("p", { class: "context" }, by) : null,
    blockPicture({ image_url: block.thumbnail_url, alt_text: block.alt_text }, world, source),
  );
}

const remoteFile = (block) => el("p", { class: "file" }, icon("file"), `A file from elsewhere: ${block.external_id}`);

const LEVELS = new Set(["info", "warning", "error", "success"]);

function alert(block, world) {
  const level = LEVELS.has(block.level) ? block.level : "default";
  return el("div", { class: `alert ${level}` }, textObject(block.text, world));
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
  alert,
  task_card: taskCard,
  plan,
  video,
  file: remoteFile,
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
