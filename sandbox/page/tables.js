// Tables and charts: Slack's plain table, the one that is sorted and leafed through, and bars.

import { el } from "./dom.js";
import { plain } from "./emoji.js";
import { richText } from "./richtext.js";

const ROWS_A_PAGE = 5;
const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 720;
const HEIGHT = 240;
const EDGE = { left: 56, right: 8, top: 12, bottom: 28 };
const LABELS_MAX = 10;

function cell(spec, world) {
  if (spec.type === "rich_text") return richText(spec, world);
  return plain(String(spec.text ?? spec.value ?? ""));
}

/** A box that scrolls sideways, with the keyboard too: therefore it has a name. */
function scrolling(name, ...inside) {
  return el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": name }, inside);
}

const called = (block) => (block.caption ? `Table: ${block.caption}` : "Table");
const captioned = (block) => (block.caption ? el("caption", {}, plain(block.caption)) : null);

/** A table as it was sent. */
export function table(block, world) {
  const aligned = (index) => {
    const align = block.column_settings?.[index]?.align;
    return ["left", "center", "right"].includes(align) ? `align-${align}` : null;
  };
  const [head, ...rows] = block.rows ?? [];
  const cells = (row, tag) => el("tr", {}, (row ?? []).map((spec, index) => el(tag, { class: aligned(index), scope: tag === "th" ? "col" : null }, cell(spec, world))));
  return scrolling(called(block), el("table", {}, captioned(block), el("thead", {}, cells(head, "th")), el("tbody", {}, rows.map((row) => cells(row, "td")))));
}

function before(one, other) {
  if (one?.type === "raw_number" && other?.type === "raw_number") return one.value - other.value;
  if (one?.type === "raw_number") return 1;
  if (other?.type === "raw_number") return -1;
  return String(one?.text ?? "").localeCompare(String(other?.text ?? ""));
}

/** A table that is sorted by a press on a heading, so many rows a page. */
export function dataTable(block, world) {
  const [head, ...given] = block.rows ?? [];
  const size = block.page_size ?? ROWS_A_PAGE;
  const pages = Math.max(1, Math.ceil(given.length / size));
  const named = block.row_header_column_index ?? 0;
  const numeric = (head ?? []).map((_, index) => given.some((row) => row[index]?.type === "raw_number"));
  let rows = given;
  let sorted = null;
  let page = 0;

  const body = el("tbody");
  const headings = (head ?? []).map((spec, index) =>
    el("th", { scope: "col", class: numeric[index] ? "align-right" : null }, el("button", { type: "button", class: "sort", click: () => sort(index) }, cell(spec, world))),
  );
  const where = el("span", { role: "status" });
  const turn = (label, by) => el("button", { type: "button", class: "btn", click: () => leaf(by) }, label);
  const [back, on] = [turn("Previous", -1), turn("Next", 1)];

  function sort(index) {
    const falling = sorted?.index === index ? !sorted.falling : numeric[index];
    sorted = { index, falling };
    rows = given.toSorted((a, b) => before(a[index], b[index]) * (falling ? -1 : 1));
    for (const [at, heading] of headings.entries()) {
      if (at === index) heading.setAttribute("aria-sort", falling ? "descending" : "ascending");
      else heading.removeAttribute("aria-sort");
    }
    page = 0;
    draw();
  }

  function leaf(by) {
    page = Math.min(pages - 1, Math.max(0, page + by));
    draw();
  }

  function draw() {
    const first = page * size;
    const shown = rows.slice(first, first + size);
    const made = (row) =>
      el("tr", {}, row.map((spec, index) => el(index === named ? "th" : "td", { class: numeric[index] ? "align-right" : null, scope: index === named ? "row" : null }, cell(spec, world))));
    body.replaceChildren(...shown.map(made));
    where.textContent = `${first + 1} to ${first + shown.length} of ${given.length}`;
    back.disabled = page === 0;
    on.disabled = page === pages - 1;
  }

  draw();
  const pager = pages > 1 ? el("div", { class: "pager" }, back, on, where) : null;
  return el("div", { class: "data-table" }, scrolling(called(block), el("table", {}, captioned(block), el("thead", {}, el("tr", {}, headings)), body)), pager);
}

function drawn(tag, attributes, ...inside) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...inside);
  return node;
}

/** Bars beside each other for every label; whatever the kind of chart, its numbers are in a table below. */
export function chart(block) {
  const { segments, series, axis_config: axis } = block.chart ?? {};
  const title = block.title ?? "Chart";
  const columns = segments ? [{ name: "Value", data: segments }] : (series ?? []);
  const labels = segments ? segments.map((point) => point.label) : (axis?.categories ?? []);
  const text = (value) => ({ type: "raw_text", text: String(value ?? "") });
  const head = [text(axis?.x_label), ...columns.map((column) => text(column.name))];
  const rows = labels.map((label, index) => [text(label), ...columns.map((column) => text(column.data?.[index]?.value))]);
  const legend = el("ul", { class: "legend" }, columns.map((column, index) => el("li", {}, el("span", { class: `swatch series-${index % 6}` }), plain(String(column.name)))));
  return el(
    "figure",
    { class: "chart" },
    el("figcaption", {}, el("strong", {}, plain(title))),
    columns.length > 1 ? legend : null,
    scrolling(`Chart: ${title}`, bars(columns, labels, title)),
    el("details", {}, el("summary", {}, "The numbers"), table({ rows: [head, ...rows] })),
  );
}

/** The end of an axis: the next number that reads well, as does its half. */
function roundedUp(most) {
  const scale = 10 ** Math.floor(Math.log10(most));
  return [1, 2, 4, 5, 6, 8, 10].map((step) => step * scale).find((step) => step >= most) ?? 10 * scale;
}

function bars(columns, labels, title) {
  const value = (column, index) => Math.max(0, Number(column.data?.[index]?.value) || 0);
  const most = roundedUp(Math.max(...columns.flatMap((column) => labels.map((_, index) => value(column, index))), 0) || 1);
  const [wide, high] = [WIDTH - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
  const slot = wide / (labels.length || 1);
  const bar = (slot * 0.8) / (columns.length || 1);
  const every = Math.ceil(labels.length / LABELS_MAX);
  const level = (part) => {
    const y = EDGE.top + high * (1 - part);
    return [drawn("line", { x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y, y2: y }), drawn("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end" }, String(Number((most * part).toPrecision(3))))];
  };
  const marks = labels.flatMap((label, index) => {
    const left = EDGE.left + slot * (index + 0.1);
    const made = columns.map((column, at) => {
      const height = (high * value(column, index)) / most;
      return drawn("rect", { class: `series-${at % 6}`, x: left + bar * at, y: EDGE.top + high - height, width: bar, height });
    });
    if (index % every === 0) made.push(drawn("text", { x: left + slot * 0.4, y: HEIGHT - 8, "text-anchor": "middle" }, String(label)));
    return made;
  });
  return drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `Bars: ${title}` }, ...[0, 0.5, 1].flatMap(level), ...marks);
}
