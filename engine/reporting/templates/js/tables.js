// Tables that can be put in order (data-sortable) and searched (data-filter="What it is called").
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

// What has no figure comes last, whichever way.
function inOrder(rows, column, kind, sign) {
  const keyed = rows.map((row) => [sortValue(row.cells[column], kind), row]);
  if (kind === "text") keyed.sort(([one], [other]) => sign * COLLATOR.compare(one, other));
  else {
    keyed.sort(([one], [other]) => {
      if (Number.isNaN(one) || Number.isNaN(other)) return Number.isNaN(one) - Number.isNaN(other);
      return sign * (one - other);
    });
  }
  return keyed.map(([, row]) => row);
}

const NEXT = { none: "ascending", ascending: "descending", descending: "none" };

function makeSortable(table) {
  const heads = [...table.tHead.rows[table.tHead.rows.length - 1].cells];
  const bodies = [...table.tBodies].map((body) => [body, [...body.rows]]);
  const sortBy = (head, column) => {
    const way = NEXT[head.getAttribute("aria-sort") ?? "none"];
    heads.forEach((other) => other.removeAttribute("aria-sort"));
    if (way !== "none") head.setAttribute("aria-sort", way);
    for (const [body, rows] of bodies) {
      const sign = way === "ascending" ? 1 : -1;
      body.append(...(way === "none" ? rows : inOrder(rows, column, kindOf(head), sign)));
    }
  };
  heads.forEach((head, column) => {
    if (kindOf(head) === "none") return;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.append(...head.childNodes);
    button.addEventListener("click", () => sortBy(head, column));
    head.append(button);
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

document.querySelectorAll("table[data-sortable]").forEach(makeSortable);
document.querySelectorAll("table[data-filter]").forEach(makeFilter);
