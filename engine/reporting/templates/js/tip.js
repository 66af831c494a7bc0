// The tooltip with the figures under the pointer.

const tip = document.getElementById("tip");

function tipRow(css, name, text) {
  const row = document.createElement("div");
  const swatch = document.createElement("i");
  const label = document.createElement("span");
  const value = document.createElement("b");
  swatch.className = css;
  label.textContent = name;
  value.textContent = text;
  row.append(swatch, label, value);
  return row;
}

function showTip(title, rows, x, y) {
  const head = document.createElement("strong");
  head.textContent = title;
  tip.replaceChildren(head, ...rows);
  tip.hidden = false;
  const left = x + 16 + tip.offsetWidth < innerWidth ? x + 16 : x - 16 - tip.offsetWidth;
  tip.style.left = `${Math.max(4, left)}px`;
  tip.style.top = `${Math.max(4, Math.min(y - 20, innerHeight - tip.offsetHeight - 4))}px`;
}

function hideTip() {
  tip.hidden = true;
}
