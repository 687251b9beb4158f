// Charts: pies, bars, lines and areas, drawn from numbers that may be anything, each with a table of them.

import { el } from "./dom.js";
import { plain } from "./emoji.js";
import { scrolling, table } from "./tables.js";

const SVG = "http://www.w3.org/2000/svg";
const [WIDTH, HEIGHT] = [720, 250];
const EDGE = { left: 60, right: 12, top: 22, bottom: 44 };
const [WIDE, HIGH] = [WIDTH - EDGE.left - EDGE.right, HEIGHT - EDGE.top - EDGE.bottom];
const RADIUS = 100;
const COLOURS = 6;
/** Slack takes fewer of each; what is beyond is said, not drawn. */
const SERIES_MAX = 12;
const POINTS_MAX = 100;
const LETTERS_MAX = 20;
const LETTER_PX = 6.8;
/** Beyond, a difference of two numbers would be none; below, a part of one. */
const [LARGEST, SMALLEST] = [1e300, 1e-300];

const KINDS = { pie: "Pie", bar: "Bars", line: "Line", area: "Area" };

function drawn(tag, attributes, ...inside) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) node.setAttribute(name, String(value));
  node.append(...inside);
  return node;
}

const list = (given) => (Array.isArray(given) ? given : []);
const round = (number) => Number(number.toFixed(2));

/** A number that can be drawn; null for what is none. */
function numberOf(given) {
  const value = typeof given === "number" ? given : NaN;
  if (!Number.isFinite(value)) return null;
  return Math.abs(value) < SMALLEST ? 0 : Math.max(-LARGEST, Math.min(LARGEST, value));
}

function short(text) {
  const letters = [...String(text ?? "")];
  return letters.length > LETTERS_MAX ? `${letters.slice(0, LETTERS_MAX - 1).join("")}…` : letters.join("");
}

function numeral(value) {
  const tidy = Number(value.toPrecision(6));
  if (Math.abs(tidy) >= 1e15 || (tidy && Math.abs(tidy) < 1e-4)) return tidy.toExponential(1);
  return tidy.toLocaleString([], { notation: Math.abs(tidy) >= 1e5 ? "compact" : "standard", maximumFractionDigits: 6 });
}

/** What is drawn of a chart: {kind, labels, columns: [{name, values, given}], more}. A pie's segments are one column. */
function read(chart) {
  const kind = Object.hasOwn(KINDS, chart?.type) ? chart.type : "bar";
  if (kind === "pie") {
    const segments = list(chart.segments).slice(0, POINTS_MAX);
    const given = segments.map((one) => one?.value);
    return { kind, labels: segments.map((one) => String(one?.label ?? "")), columns: [{ name: "Value", given, values: given.map(numberOf) }], more: list(chart.segments).length - segments.length };
  }
  const axis = chart?.axis_config ?? {};
  const labels = list(axis.categories).slice(0, POINTS_MAX).map((label) => String(label ?? ""));
  const columns = list(chart?.series).slice(0, SERIES_MAX).map((one) => {
    const given = labels.map((_, index) => list(one?.data)[index]?.value);
    return { name: String(one?.name ?? ""), given, values: given.map(numberOf) };
  });
  const more = Math.max(list(chart?.series).length - columns.length, list(axis.categories).length - labels.length);
  return { kind, labels, columns, more, x: String(axis.x_label ?? ""), y: String(axis.y_label ?? "") };
}

/** A chart as what it is; its numbers stand in a table below it, for those who cannot see it. */
export function chart(block) {
  const about = read(block.chart);
  const title = String(block.title ?? "Chart");
  const name = `${KINDS[about.kind]}: ${title}`;
  const head = el("figcaption", {}, el("strong", {}, plain(title)));
  const image = about.kind === "pie" ? el("div", { class: "pie" }, pie(about, name), shares(about)) : [about.columns.length > 1 ? legend(about) : null, scrolling(`Chart: ${title}`, plane(about, name))];
  const more = about.more > 0 ? el("small", {}, `${about.more} more are not drawn.`) : null;
  return el("figure", { class: "chart" }, head, image, more, el("details", {}, el("summary", {}, "The numbers"), numbers(about)));
}

function numbers({ labels, columns, x }) {
  const text = (value) => ({ type: "raw_text", text: String(value ?? "") });
  const rows = labels.map((label, index) => [text(label), ...columns.map((column) => text(column.given[index]))]);
  return table({ rows: [[text(x), ...columns.map((column) => text(column.name))], ...rows] });
}

const colour = (index) => `series-${index % COLOURS}`;

/** A line's mark, which tells it from the others without its colour. */
function mark(index, x, y, size = 4) {
  const shape = Math.floor(index / 2) % 3;
  if (shape === 0) return drawn("circle", { class: `mark ${colour(index)}`, cx: x, cy: y, r: size });
  const path = shape === 1 ? `M${x - size} ${y - size}h${2 * size}v${2 * size}h${-2 * size}z` : `M${x} ${y - size - 1}l${size + 1} ${size + 1}l${-size - 1} ${size + 1}l${-size - 1} ${-size - 1}z`;
  return drawn("path", { class: `mark ${colour(index)}`, d: path });
}

function legend({ kind, columns }) {
  const swatch = (index) => (kind === "line" || kind === "area" ? drawn("svg", { class: "key", viewBox: "0 0 14 14", "aria-hidden": "true" }, mark(index, 7, 7)) : el("span", { class: `swatch ${colour(index)}` }));
  return el("ul", { class: "legend" }, columns.map((column, index) => el("li", {}, swatch(index), plain(short(column.name)))));
}

// Pies

/** The segments that take part of the circle: what is no number, nothing or less has none. */
function parts({ columns }) {
  const values = columns[0].values.map((value) => Math.max(0, value ?? 0));
  const most = Math.max(0, ...values);
  const sizes = values.map((value) => (most ? value / most : 0));
  const all = sizes.reduce((sum, size) => sum + size, 0);
  return sizes.map((size) => (all ? size / all : 0));
}

const percent = (share) => share.toLocaleString([], { style: "percent", maximumFractionDigits: 1 });

function shares(about) {
  const each = parts(about);
  return el("ul", { class: "legend" }, about.labels.map((label, index) => el("li", {}, el("span", { class: `swatch ${colour(index)}` }), plain(short(label)), el("small", {}, ` ${percent(each[index])}`))));
}

function pie(about, name) {
  const at = (turn, radius) => [round(radius * Math.sin(2 * Math.PI * turn)), round(-radius * Math.cos(2 * Math.PI * turn))];
  let from = 0;
  const slices = parts(about).flatMap((share, index) => {
    if (!share) return [];
    const [start, end] = [from, (from += share)];
    const [x, y] = at(start, RADIUS);
    const [toX, toY] = at(end, RADIUS);
    const told = drawn("title", {}, `${short(about.labels[index])}: ${numeral(about.columns[0].values[index])}, ${percent(share)}`);
    const whole = share > 0.9999;
    const shape = whole ? drawn("circle", { class: `slice ${colour(index)}`, r: RADIUS }, told) : drawn("path", { class: `slice ${colour(index)}`, d: `M0 0L${x} ${y}A${RADIUS} ${RADIUS} 0 ${share > 0.5 ? 1 : 0} 1 ${toX} ${toY}z` }, told);
    // The share stands beside the slice and in the list: nobody has to go by the colour.
    const [textX, textY] = at((start + end) / 2, RADIUS + 12);
    const anchor = Math.abs(textX) < 20 ? "middle" : textX > 0 ? "start" : "end";
    return [shape, share >= 0.05 ? drawn("text", { x: textX, y: textY + 4, "text-anchor": anchor }, percent(share)) : ""];
  });
  const empty = slices.length ? [] : [drawn("circle", { class: "none", r: RADIUS }), drawn("text", { "text-anchor": "middle", y: 4 }, "Nothing to show")];
  return drawn("svg", { viewBox: "-160 -125 320 250", role: "img", "aria-label": name }, ...slices, ...empty);
}

// Bars, lines and areas

/** The levels of an axis from `low` to `high`, both of which reach zero: steps that read well. */
function levels(low, high) {
  const rough = high / 4 - low / 4 || 0.25;
  const scale = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].find((one) => one * scale >= rough * 0.999) * scale;
  const first = Math.floor(low / step + 1e-9);
  const last = Math.max(first + 1, Math.ceil(high / step - 1e-9));
  return Array.from({ length: last - first + 1 }, (_, index) => (first + index) * step);
}

function plane(about, name) {
  const { kind, labels, columns, x: under, y: beside } = about;
  const values = columns.flatMap((column) => column.values.filter((value) => value !== null));
  const lines = levels(values.reduce((least, value) => Math.min(least, value), 0), values.reduce((most, value) => Math.max(most, value), 0));
  const [low, high] = [lines[0], lines.at(-1)];
  const slot = WIDE / (labels.length || 1);
  const place = { slot, x: (index) => round(EDGE.left + slot * (index + 0.5)), y: (value) => round(EDGE.top + HIGH * ((high - value) / (high - low))) };
  const grid = lines.flatMap((value) => {
    const y = place.y(value);
    return [drawn("line", { class: value === 0 ? "zero" : "level", x1: EDGE.left, x2: WIDTH - EDGE.right, y1: y, y2: y }), drawn("text", { x: EDGE.left - 8, y: y + 4, "text-anchor": "end" }, numeral(value))];
  });
  const longest = Math.max(1, ...labels.map((label) => short(label).length));
  const every = Math.max(1, Math.ceil((longest * LETTER_PX + 10) / slot));
  const named = labels.flatMap((label, index) => (index % every ? [] : [drawn("text", { x: place.x(index), y: EDGE.top + HIGH + 18, "text-anchor": "middle" }, short(label))]));
  const axes = [
    under ? drawn("text", { class: "axis", x: EDGE.left + WIDE / 2, y: HEIGHT - 6, "text-anchor": "middle" }, under) : "",
    beside ? drawn("text", { class: "axis", x: 4, y: 12 }, beside) : "",
  ];
  const marks = columns.flatMap((column, index) => (kind === "bar" ? bars : joined)(column, index, place, about));
  return drawn("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": name }, ...grid, ...marks, ...named, ...axes);
}

const told = (column, labels, index) => drawn("title", {}, `${short(labels[index])}, ${short(column.name)}: ${numeral(column.values[index])}`);

function bars(column, at, { slot, x, y }, { labels, columns }) {
  const width = round((slot * 0.8) / columns.length);
  return column.values.flatMap((value, index) => {
    if (value === null) return [];
    const [top, bottom] = [y(Math.max(0, value)), y(Math.min(0, value))];
    return [drawn("rect", { class: colour(at), x: round(x(index) - slot * 0.4 + width * at), y: top, width, height: round(bottom - top) }, told(column, labels, index))];
  });
}

/** A line through the numbers of a series, with a gap where there is none; below that of an area, its colour. */
function joined(column, at, { x, y }, { kind, labels }) {
  const runs = [[]];
  for (const [index, value] of column.values.entries()) {
    if (value === null) runs.push([]);
    else runs.at(-1).push([x(index), y(value)]);
  }
  const dashed = at >= COLOURS ? " dashed" : "";
  const lines = runs.filter((run) => run.length).flatMap((run) => {
    const path = `M${run.map((point) => point.join(" ")).join("L")}`;
    const line = drawn("path", { class: `line ${colour(at)}${dashed}`, d: path });
    const under = `${path}L${run.at(-1)[0]} ${y(0)}L${run[0][0]} ${y(0)}z`;
    return kind === "area" ? [drawn("path", { class: `area ${colour(at)}`, d: under }), line] : [line];
  });
  const marks = column.values.flatMap((value, index) => {
    if (value === null) return [];
    const node = mark(at, x(index), y(value), kind === "area" ? 3 : 4);
    node.append(told(column, labels, index));
    return [node];
  });
  return [...lines, ...marks];
}
