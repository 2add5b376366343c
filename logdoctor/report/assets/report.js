"use strict";
// Sorting, filtering and reading values off the plots. Text from logs only ever becomes textContent.

const byId = (id) => document.getElementById(id);
const runs = byId("runs");
const sections = [...document.querySelectorAll("details.run")];
const rows = runs ? [...runs.tBodies[0].rows] : [];

// ---- sorting: as given (worst first), ascending, descending; runs without a value last

const keyOf = (row, column) => {
  const cell = row.cells[column];
  if (cell.dataset.value !== undefined) return Number(cell.dataset.value);
  return cell.classList.contains("number") ? NaN : cell.textContent.toLowerCase();
};

const compare = (a, b) => {
  if (typeof a === "string" && typeof b === "string") return a.localeCompare(b, "en", { numeric: true });
  return a - b;
};

const missing = (key) => typeof key === "number" && Number.isNaN(key);

function sortBy(column, heading) {
  const next = { none: "ascending", ascending: "descending", descending: "none" }[heading.ariaSort] || "ascending";
  for (const other of runs.tHead.rows[0].cells) other.ariaSort = "none";
  heading.ariaSort = next;
  const keyed = rows.map((row) => [keyOf(row, column), row]);
  const sign = next === "descending" ? -1 : 1;
  if (next !== "none") {
    keyed.sort(([a], [b]) => missing(a) - missing(b) || (missing(a) ? 0 : sign * compare(a, b)));
  }
  runs.tBodies[0].append(...keyed.map(([, row]) => row));
}

// ---- filtering: every word must stand in a run's name, standing, state, findings or format

const box = byId("filter");
const chips = [...document.querySelectorAll(".chip")];
const wordsIn = (text) => text.toLowerCase().split(/\s+/).filter(Boolean);

function filter() {
  const wanted = wordsIn(box.value);
  const shows = (part) => wanted.every((word) => ` ${part.dataset.words} `.includes(word.startsWith("is:") ? ` ${word} ` : word));
  let count = 0;
  for (const row of rows) {
    row.hidden = !shows(row);
    count += row.hidden ? 0 : 1;
  }
  for (const section of sections) section.hidden = !shows(section);
  byId("shown").value = count === rows.length ? `${count} runs` : `${count} of ${rows.length} runs`;
  for (const chip of chips) chip.setAttribute("aria-pressed", String(wanted.includes(chip.dataset.term)));
}

function toggleTerm(term) {
  const words = wordsIn(box.value);
  box.value = (words.includes(term) ? words.filter((word) => word !== term) : [...words, term]).join(" ");
  filter();
}

// ---- unfolding: a link to a run opens it

function openTarget() {
  const target = location.hash.startsWith("#run-") && byId(location.hash.slice(1));
  if (!target) return;
  target.open = true;
  target.hidden = false;
  target.scrollIntoView();
}

// ---- plots: the pointer, a finger or the arrow keys read off the values and where they stand

const SVG = "http://www.w3.org/2000/svg";

function made(name, kind, parent) {
  const node = document.createElementNS(SVG, name);
  node.setAttribute("class", kind);
  parent.append(node);
  return node;
}

function written(name, text, parent, kind) {
  const node = document.createElement(name);
  node.textContent = text;
  if (kind) node.className = kind;
  parent.append(node);
  return node;
}

function nearest(sorted, value) {
  let low = 0;
  let high = sorted.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (sorted[middle] < value) low = middle;
    else high = middle;
  }
  return Math.abs(sorted[low] - value) <= Math.abs(sorted[high] - value) ? low : high;
}

class Reader {
  constructor(figure) {
    this.figure = figure;
    this.svg = figure.querySelector("svg.curves");
    this.data = JSON.parse(figure.querySelector("script").textContent);
    this.curves = this.data.curves.filter((curve) => curve.at.length);
    for (const curve of this.curves) {
      let line = 0;
      curve.lines = curve.lines.map((step) => (line += step));
    }
    this.cross = made("line", "cross", this.svg);
    this.dots = this.curves.map((curve) => made("circle", `at ${curve.kind}`, this.svg));
    this.tip = written("div", "", figure, "tip");
    this.tip.setAttribute("role", "status");
    this.lead = this.curves.reduce((a, b) => (b.kind !== "lr" && b.at.length > a.at.length ? b : a), this.curves[0]);
    this.hide();
  }

  share(x) {
    const [low, high] = this.data.x;
    return (x - low) / (high - low);
  }

  point(event) {
    const frame = this.svg.getBoundingClientRect();
    const [low, high] = this.data.x;
    const x = low + ((event.clientX - frame.left) / frame.width) * (high - low);
    const all = this.curves.filter((curve) => curve.kind !== "lr").map((curve) => curve.at[nearest(curve.at, x)]);
    this.show(all.reduce((a, b) => (Math.abs(b - x) < Math.abs(a - x) ? b : a), all[0] ?? x));
  }

  step(by) {
    const last = this.lead.at.length - 1;
    const first = this.x === undefined && Number.isFinite(by);
    const to = first ? 0 : (this.x === undefined ? 0 : nearest(this.lead.at, this.x)) + by;
    this.show(this.lead.at[Math.min(Math.max(to, 0), last)]);
  }

  show(x) {
    this.x = x;
    const share = this.share(x);
    this.tip.replaceChildren();
    written("p", `${this.data.unit} ${figure(x)}`, this.tip, "when");
    this.curves.forEach((curve, number) => this.read(curve, this.dots[number], x));
    const place = `${100 * share}%`;
    for (const [name, value] of [["x1", place], ["x2", place], ["y1", 0], ["y2", this.data.bottom]]) {
      this.cross.setAttribute(name, value);
    }
    this.cross.removeAttribute("visibility");
    this.tip.hidden = false;
    const frame = this.svg.getBoundingClientRect();
    const outer = this.figure.getBoundingClientRect();
    const at = frame.left - outer.left + share * frame.width;
    const width = this.tip.offsetWidth;
    const left = at + 14 + width > outer.width ? at - width - 14 : at + 14;
    this.tip.style.left = `${Math.max(0, Math.min(left, outer.width - width))}px`;
    this.tip.style.top = `${frame.top - outer.top + 34}px`;
  }

  read(curve, dot, x) {
    const index = nearest(curve.at, x);
    const value = curve.values[index];
    const line = written("p", "", this.tip);
    written("i", "", line, `line ${curve.kind}`);
    written("span", curve.name, line);
    written("b", typeof value === "number" ? figure(value) : value, line);
    if (figure(curve.at[index]) !== figure(x)) written("span", `@${figure(curve.at[index])}`, line, "place");
    const file = curve.sources.findLast(([from]) => from <= index)[1];
    written("small", `${file}:${curve.lines[index]}`, line);
    const [low, high, log] = curve.y;
    const up = log ? Math.log(value / low) / Math.log(high / low) : (value - low) / (high - low);
    const inside = up >= 0 && up <= 1;
    dot.setAttribute("visibility", inside ? "visible" : "hidden");
    if (!inside) return;
    dot.setAttribute("cx", `${100 * this.share(curve.at[index])}%`);
    dot.setAttribute("cy", curve.top + curve.height * (1 - up));
    dot.setAttribute("r", 4.5);
  }

  hide() {
    this.x = undefined;
    this.tip.hidden = true;
    for (const part of [this.cross, ...this.dots]) part.setAttribute("visibility", "hidden");
  }

  key(event) {
    const jump = Math.max(1, Math.round(this.lead.at.length / 10));
    const steps = { ArrowRight: 1, ArrowLeft: -1, PageUp: -jump, PageDown: jump, Home: -Infinity, End: Infinity };
    if (event.key === "Escape") this.hide();
    else if (event.key in steps) {
      event.preventDefault();
      this.step(steps[event.key]);
    }
  }
}

function figure(value) {
  const size = Math.abs(value);
  if (size !== 0 && (size < 1e-4 || size >= 1e7)) return value.toExponential(4).replace(/\.?0+e/, "e");
  return String(Number(value.toPrecision(6)));
}

const readers = new WeakMap();

function readerOf(event) {
  const plot = event.target instanceof Element && event.target.closest("svg.curves") ? event.target.closest(".plot") : null;
  if (!plot) return null;
  if (!readers.has(plot)) readers.set(plot, new Reader(plot));
  const reader = readers.get(plot);
  return reader.lead ? reader : null;
}

let shown = null;

function follow(event) {
  const reader = readerOf(event);
  if (shown && shown !== reader) shown.hide();
  shown = reader;
  if (reader) reader.point(event);
}

// ---- everything is wired here: the page has no handlers of its own

document.addEventListener("pointermove", follow);
document.addEventListener("pointerdown", follow);
document.addEventListener("pointerleave", () => shown && shown.hide());
document.addEventListener("focusout", () => shown && shown.hide());
document.addEventListener("keydown", (event) => {
  const reader = readerOf(event);
  if (reader) {
    shown = reader;
    reader.key(event);
  } else if (event.key === "/" && box && document.activeElement !== box) {
    event.preventDefault();
    box.focus();
  }
});
document.addEventListener("click", (event) => {
  const chip = event.target.closest(".chip");
  if (chip) toggleTerm(chip.dataset.term);
  const link = event.target.closest('a[href^="#run-"]');
  if (link && link.hash === location.hash) openTarget();
});
addEventListener("hashchange", openTarget);
addEventListener("beforeprint", () => sections.forEach((section) => (section.open = true)));

if (runs) {
  [...runs.tHead.rows[0].cells].forEach((heading, column) => {
    heading.firstElementChild.addEventListener("click", () => sortBy(column, heading));
  });
  box.addEventListener("input", filter);
  byId("unfold").addEventListener("click", () => sections.forEach((section) => (section.open = !section.hidden)));
  byId("fold").addEventListener("click", () => sections.forEach((section) => (section.open = false)));
  if (box.value) filter();
}
openTarget();
