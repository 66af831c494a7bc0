// Tables that can be put in order (data-sortable, or data-sortable="columns" where figures stand
// side by side) and searched (data-filter="What it is called").
// A column sorts as numbers, or as text where its head says data-sort="text" or has that class;
// data-sort="none" and data-unsorted leave it alone. data-value on a cell counts before its text.

const COLLATOR = new Intl.Collator("en", { numeric: true });
const NUMBER = /[\u2212-]?\d[\d,]*\.?\d*(e[+-]?\d+)?/i;

function kindOf(head) {
  if ("unsorted" in head.dataset || !head.textContent.trim()) return "none";
  return head.dataset.sort ?? (head.classList.contains("text") ? "text" : "number");
}

function sortValue(cell, kind) {
  const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  if (kind === "text") return text;
  const found = text.match(NUMBER);
  return found ? Number(found[0].replaceAll(",", "").replace(MINUS, "-")) : NaN;
}

// Places of the values in order; what has no figure comes last, whichever way.
function placesInOrder(values, kind, way) {
  const places = values.map((_, place) => place);
  if (way === "none") return places;
  const sign = way === "ascending" ? 1 : -1;
  return places.sort((one, other) => {
    const [left, right] = [values[one], values[other]];
    if (kind === "text") return sign * COLLATOR.compare(left, right);
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right);
    return sign * (left - right);
  });
}

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

// Makes buttons of heads, of which one at a time sorts; `sortBy` hears which, and which way.
function makeSorters(heads, sortBy) {
  heads.forEach((head, number) => {
    if (kindOf(head) === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...[...head.childNodes].filter((node) => node.nodeName !== "SMALL"));
    button.addEventListener("click", () => {
      const way = NEXT[head.getAttribute("aria-sort") ?? "none"];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (way !== "none") head.setAttribute("aria-sort", way);
      sortBy(number, kindOf(head), way);
    });
    head.prepend(button);
  });
}

function makeRowsSortable(table) {
  const bodies = [...table.tBodies].map((body) => [body, [...body.rows]]);
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  makeSorters(heads, (column, kind, way) => {
    for (const [body, rows] of bodies) {
      const values = rows.map((row) => sortValue(row.cells[column], kind));
      body.append(...placesInOrder(values, kind, way).map((place) => rows[place]));
    }
  });
}

// A table that has a column a book: the figures of a row put its columns in order.
function makeColumnsSortable(table) {
  const rows = [...table.rows]
    .filter((row) => row.cells.length > 1)
    .map((row) => [row, [...row.cells].slice(1)]);
  const figures = rows.filter(([row]) => row.parentElement !== table.tHead);
  makeSorters(figures.map(([row]) => row.cells[0]), (number, _, way) => {
    const values = figures[number][1].map((cell) => sortValue(cell, "number"));
    const places = placesInOrder(values, "number", way);
    for (const [row, cells] of rows) row.append(...places.map((place) => cells[place]));
  });
}

function makeFilter(table, number) {
  const rows = [...table.tBodies].flatMap((body) => [...body.rows]);
  const texts = rows.map((row) => row.textContent.toLowerCase());
  const box = document.createElement("div");
  const label = document.createElement("label");
  const field = document.createElement("input");
  const count = document.createElement("output");
  box.className = "filter";
  label.textContent = table.dataset.filter;
  field.type = "search";
  field.id = label.htmlFor = `filter-${number}`;
  count.htmlFor = field.id;
  const filter = () => {
    const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
    let kept = 0;
    rows.forEach((row, at) => {
      row.hidden = !words.every((word) => texts[at].includes(word));
      kept += row.hidden ? 0 : 1;
    });
    count.textContent = `${kept} of ${rows.length}`;
  };
  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // it would send a form around the table
  });
  box.append(label, field, count);
  (table.closest(".scroll") ?? table).before(box);
  filter();
}

for (const table of document.querySelectorAll("table[data-sortable]")) {
  if (table.dataset.sortable === "columns") makeColumnsSortable(table);
  else makeRowsSortable(table);
}
document.querySelectorAll("table[data-filter]").forEach(makeFilter);
