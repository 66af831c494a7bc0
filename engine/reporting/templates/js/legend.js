// Switches books on and off in all charts.

const books = [...document.querySelectorAll("button[data-book]")];
const bookKeys = [...new Set(books.map((button) => button.dataset.book))];

function showBooks() {
  for (const button of books) {
    button.setAttribute("aria-pressed", String(!hidden.has(button.dataset.book)));
  }
  drawAll();
}

// Shows this book alone, or all books where it is alone already.
function showOnly(key) {
  const others = bookKeys.filter((other) => other !== key);
  const alone = !hidden.has(key) && others.every((other) => hidden.has(other));
  hidden.clear();
  if (!alone) others.forEach((other) => hidden.add(other));
  showBooks();
}

for (const button of books) {
  const key = button.dataset.book;
  button.title = "Double click or Shift+Enter: this book alone, then all again";
  button.addEventListener("click", () => {
    if (!hidden.delete(key)) hidden.add(key);
    showBooks();
  });
  button.addEventListener("dblclick", () => showOnly(key));
  button.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || !event.shiftKey) return;
    event.preventDefault();
    showOnly(key);
  });
}
