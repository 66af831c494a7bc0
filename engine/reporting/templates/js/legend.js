// Books switched on and off, in every chart at once.

const books = [...document.querySelectorAll("button[data-book]")];
const bookKeys = [...new Set(books.map((button) => button.dataset.book))];

function showBooks() {
  for (const button of books) {
    button.setAttribute("aria-pressed", String(!hidden.has(button.dataset.book)));
  }
  drawAll();
}

// Only this one; all of them where it is the only one already.
function showOnly(key) {
  const others = bookKeys.filter((other) => other !== key);
  const alone = !hidden.has(key) && others.every((other) => hidden.has(other));
  hidden.clear();
  if (!alone) others.forEach((other) => hidden.add(other));
  showBooks();
}

for (const button of books) {
  const key = button.dataset.book;
  button.title = "Double click or Shift+Enter: only this one, then all again";
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
