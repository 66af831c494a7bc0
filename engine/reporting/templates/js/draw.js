// Paths in a square of 10,000 units from the top left, as in charts/svg_paths.py.

const VIEWBOX_SIZE = 10_000;
const units = (fraction) => Math.round(VIEWBOX_SIZE * fraction);
const fromTop = (fraction) => units(1 - fraction);

// A line through the points; it breaks where a height is not finite.
function linePath(across, up) {
  let path = "";
  let drawing = false;
  for (let row = 0; row < across.length; row += 1) {
    const known = Number.isFinite(up[row]);
    if (known) path += `${drawing ? "L" : "M"}${units(across[row])} ${fromTop(up[row])}`;
    drawing = known;
  }
  return path;
}

const AREAS = {
  under(across, up, floor) {
    const line = linePath(across, up);
    return line && `${line}V${fromTop(floor)}H${units(across[0])}Z`;
  },
  steps(across, up, floor) {
    if (!across.length) return "";
    let path = `M${units(across[0])} ${fromTop(floor)}V${fromTop(up[0])}`;
    for (let row = 1; row < across.length; row += 1) {
      if (up[row] !== up[row - 1]) path += `H${units(across[row])}V${fromTop(up[row])}`;
    }
    return `${path}H${units(across[across.length - 1])}V${fromTop(floor)}Z`;
  },
  // Up to a second line, over the bars where that is finite; a figure without a height, such as 0
  // on a log axis, is at the lower end.
  between(across, up, upper) {
    const rows = [...across.keys()].filter((row) => Number.isFinite(upper[row]));
    if (rows.length < 2) return "";
    const point = (row, height) => `${units(across[row])} ${fromTop(height)}`;
    const lower = (row) => (Number.isFinite(up[row]) ? up[row] : 0);
    const there = rows.map((row) => point(row, upper[row]));
    const back = rows.toReversed().map((row) => point(row, lower(row)));
    return `M${[...there, ...back].join(" ")}Z`;
  },
  above: (across, up, floor) => bands(across, (row) => up[row] > floor),
  below: (across, up, floor) => bands(across, (row) => up[row] < floor),
};

// Full-height bands over the selected bars, each until the next bar.
function bands(across, isSelected) {
  let path = "";
  let start = -1;
  for (let row = 0; row <= across.length; row += 1) {
    const inside = row < across.length && isSelected(row);
    if (inside && start < 0) start = row;
    if (!inside && start >= 0) {
      const end = Math.min(row, across.length - 1);
      path += `M${units(across[start])} 0H${units(across[end])}V${VIEWBOX_SIZE}H${units(across[start])}Z`;
      start = -1;
    }
  }
  return path;
}

function gridPath(across, up) {
  const down = across.map((tick) => `M${units(tick.position / 100)} 0V${VIEWBOX_SIZE}`);
  return down.join("") + up.map((tick) => `M0 ${fromTop(tick.position / 100)}H${VIEWBOX_SIZE}`).join("");
}

function writeTicks(element, side, ticks) {
  element.replaceChildren(
    ...ticks.map((tick) => {
      const label = document.createElement("span");
      label.style[side] = `${tick.position}%`;
      if (side === "left" && tick.position > 96) label.className = "end";
      label.textContent = tick.label;
      return label;
    }),
  );
}
