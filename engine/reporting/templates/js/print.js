// Paper has nothing to click: what is folded is printed unfolded.

let folded = [];

addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("details:not([open])")];
  folded.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => {
  folded.forEach((details) => (details.open = false));
});
