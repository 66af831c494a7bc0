// Opens collapsed details for printing.

let collapsed = [];

addEventListener("beforeprint", () => {
  collapsed = [...document.querySelectorAll("details:not([open])")];
  collapsed.forEach((details) => (details.open = true));
});
addEventListener("afterprint", () => {
  collapsed.forEach((details) => (details.open = false));
});
