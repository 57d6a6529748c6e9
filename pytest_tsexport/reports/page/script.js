"use strict";

// The table: sorted by a column, filtered by result and by text.
const table = document.getElementById("exports");
const filter = document.getElementById("filter");

function valueOf(row, key) {
  if (key === "subject" || key === "backend") return row.querySelector(`[data-${key}]`).dataset[key];
  return Number(row.dataset[key]);
}

function sortBy(head) {
  const key = head.dataset.sort;
  const direction = head.getAttribute("aria-sort") === "ascending" ? "descending" : "ascending";
  for (const other of table.querySelectorAll("thead th")) other.removeAttribute("aria-sort");
  head.setAttribute("aria-sort", direction);
  const sign = direction === "ascending" ? 1 : -1;
  const rows = [...table.tBodies[0].rows].sort((one, other) => {
    const [a, b] = [valueOf(one, key), valueOf(other, key)];
    return sign * (typeof a === "string" ? a.localeCompare(b) : a - b);
  });
  table.tBodies[0].append(...rows);
}

function show() {
  const states = new Set([...filter.querySelectorAll("[name=state]:checked")].map((box) => box.value));
  const text = filter.elements.text.value.trim().toLowerCase();
  const rows = [...table.tBodies[0].rows];
  let shown = 0;
  for (const row of rows) {
    const details = document.getElementById(row.dataset.for);
    const matches = !text || row.textContent.toLowerCase().includes(text) || details.textContent.toLowerCase().includes(text);
    row.hidden = details.hidden = !states.has(row.dataset.state) || !matches;
    shown += row.hidden ? 0 : 1;
  }
  document.getElementById("shown").textContent = `${shown} of ${rows.length} shown`;
}

if (table) {
  for (const head of table.querySelectorAll("[data-sort]:is(th[scope=col])")) {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(head));
    head.append(button);
  }
  filter.hidden = false;
  filter.addEventListener("input", show);
  filter.addEventListener("submit", (event) => event.preventDefault());
  show();
}

// A link to an export opens it.
function open() {
  const target = document.getElementById(location.hash.slice(1));
  if (target instanceof HTMLDetailsElement) {
    target.open = true;
    target.scrollIntoView();
  }
}
window.addEventListener("hashchange", open);
open();

// The maps: one cell of each is reached with Tab, the others with the arrow keys; what is known of it is said below.
function say(cell) {
  const maps = cell.closest(".maps");
  const { across, down, others } = cell.closest("table").dataset;
  const row = cell.parentElement;
  const head = cell.closest("table").tHead.rows[0].cells[cell.cellIndex].textContent;
  const where = [...(down ? [`${down}=${row.cells[0].textContent}`] : []), `${across}=${head}`, ...(others ? [others] : [])];
  const parts = [`${where.join(", ")}: ${cell.textContent || "not looked at"}`];
  if (cell.classList.contains("traced")) parts[0] += " (the traced size)";
  if (cell.classList.contains("counterexample")) {
    parts[0] += " (the counterexample)";
    const report = cell.closest(".check").querySelector("pre");
    if (report) parts.push(report.textContent);
  }
  maps.querySelector(".said").textContent = parts.join("\n");
}

function moveTo(cell) {
  for (const other of cell.closest("table").querySelectorAll("td[tabindex='0']")) other.tabIndex = -1;
  cell.tabIndex = 0;
  cell.focus();
}

const STEPS = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] };
for (const map of document.querySelectorAll(".map table")) {
  const rows = [...map.tBodies[0].rows].map((row) => [...row.querySelectorAll("td")]);
  for (const cell of rows.flat()) cell.tabIndex = -1;
  (map.querySelector(".counterexample") ?? map.querySelector(".traced") ?? rows[0][0]).tabIndex = 0;
  map.addEventListener("keydown", (event) => {
    const step = STEPS[event.key];
    const y = rows.findIndex((row) => row.includes(event.target));
    if (!step || y < 0) return;
    const next = rows[y + step[0]]?.[rows[y].indexOf(event.target) + step[1]];
    event.preventDefault();
    if (next) moveTo(next);
  });
  map.addEventListener("click", (event) => event.target.closest("td") && moveTo(event.target.closest("td")));
  for (const kind of ["focusin", "mouseover"]) {
    map.addEventListener(kind, (event) => event.target.closest("td") && say(event.target.closest("td")));
  }
}
