// Tables that can be sorted (data-sortable, or data-sortable="columns" where the columns are sorted)
// and filtered (data-filter="Label of the field").
// A column sorts as numbers, or as text if its heading has data-sort="text" or the class "text".
// Columns with data-sort="none" or data-unsorted are not sorted. data-value of a cell overrides its text.

const COLLATOR = new Intl.Collator("en", { numeric: true });
const NUMBER = /[\u2212-]?\d[\d,]*\.?\d*(e[+-]?\d+)?/i;

function kindOf(head) {
  if ("unsorted" in head.dataset || !head.textContent.trim()) return "none";
  return head.dataset.sort ?? (head.classList.contains("text") ? "text" : "number");
}

function sortValue(cell, kind) {
  const text = cell?.dataset.value ?? cell?.textContent.trim() ?? "";
  if (kind === "text") return text;
  const match = text.match(NUMBER);
  return match ? Number(match[0].replaceAll(",", "").replace(MINUS, "-")) : NaN;
}

// Indices of the values in order; missing figures come last in both directions.
function sortedIndices(values, kind, direction) {
  const indices = values.map((_, index) => index);
  if (direction === "none") return indices;
  const sign = direction === "ascending" ? 1 : -1;
  return indices.sort((one, other) => {
    const [left, right] = [values[one], values[other]];
    if (kind === "text") return sign * COLLATOR.compare(left, right);
    if (Number.isNaN(left) || Number.isNaN(right)) return Number.isNaN(left) - Number.isNaN(right);
    return sign * (left - right);
  });
}

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

// Turns headings into buttons that call `sortBy(index, kind, direction)`.
function makeSorters(heads, sortBy) {
  heads.forEach((head, number) => {
    if (kindOf(head) === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...[...head.childNodes].filter((node) => node.nodeName !== "SMALL"));
    button.addEventListener("click", () => {
      const direction = NEXT[head.getAttribute("aria-sort") ?? "none"];
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      if (direction !== "none") head.setAttribute("aria-sort", direction);
      sortBy(number, kindOf(head), direction);
    });
    head.prepend(button);
  });
}

function makeRowsSortable(table) {
  const bodies = [...table.tBodies].map((body) => [body, [...body.rows]]);
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  makeSorters(heads, (column, kind, direction) => {
    for (const [body, rows] of bodies) {
      const values = rows.map((row) => sortValue(row.cells[column], kind));
      body.append(...sortedIndices(values, kind, direction).map((index) => rows[index]));
    }
  });
}

// A table with a column for each book: the figures of a row sort the columns.
function makeColumnsSortable(table) {
  const rows = [...table.rows]
    .filter((row) => row.cells.length > 1)
    .map((row) => [row, [...row.cells].slice(1)]);
  const figures = rows.filter(([row]) => row.parentElement !== table.tHead);
  makeSorters(figures.map(([row]) => row.cells[0]), (number, _, direction) => {
    const values = figures[number][1].map((cell) => sortValue(cell, "number"));
    const order = sortedIndices(values, "number", direction);
    for (const [row, cells] of rows) row.append(...order.map((index) => cells[index]));
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
    rows.forEach((row, index) => {
      row.hidden = !words.every((word) => texts[index].includes(word));
      kept += row.hidden ? 0 : 1;
    });
    count.textContent = `${kept} of ${rows.length}`;
  };
  field.addEventListener("input", filter);
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault(); // would submit a form around the table
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
