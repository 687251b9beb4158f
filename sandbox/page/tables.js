// Tables: Slack's plain one, and the one that is sorted and leafed through.

import { el } from "./dom.js";
import { plain } from "./emoji.js";
import { richText } from "./richtext.js";

const ROWS_A_PAGE = 5;

function cell(spec, world) {
  if (spec.type === "rich_text") return richText(spec, world);
  return plain(String(spec.text ?? spec.value ?? ""));
}

/** A box that scrolls sideways, with the keyboard too: therefore it has a name. */
export function scrolling(name, ...inside) {
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
