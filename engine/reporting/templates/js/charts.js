// The charts over time: their data, the span shown, and drawing it.

const hidden = new Set(); // keys of the lines switched off
let shown = null; // first and last second shown, null for all

const charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) => {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  let time = 0;
  const seconds = data.seconds.map((step) => (time += step));
  const panels = [...figure.querySelectorAll(".panel")].map((element, number) => ({
    ...data.panels[number],
    element,
    plot: element.querySelector(".plot"),
    label: element.querySelector(".axis-label").textContent,
    base: {},
  }));
  const shownText = document.createElement("strong");
  shownText.className = "shown";
  figure.querySelector("figcaption .span").after(" ", shownText);
  return { figure, seconds, panels, shownText, across: figure.querySelector(".across") };
});

function spanOf(chart) {
  return shown ?? [chart.seconds[0], chart.seconds[chart.seconds.length - 1]];
}

// Number of ascending seconds before a time.
function countBefore(seconds, time) {
  let low = 0;
  let high = seconds.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (seconds[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low;
}

function nearest(seconds, time) {
  const next = Math.min(countBefore(seconds, time), seconds.length - 1);
  const closer = next > 0 && time - seconds[next - 1] <= seconds[next] - time;
  return closer ? next - 1 : next;
}

// The first row shown and the one after the last.
function rowsOf(chart) {
  const [first, last] = spanOf(chart);
  return [countBefore(chart.seconds, first), countBefore(chart.seconds, last + 1)];
}

// Makes figures relative to the first bar shown, where the panel is rebased.
function rebase(panel, start) {
  panel.base = {};
  if (!panel.scale.rebased || start === 0) return;
  for (const line of panel.lines) panel.base[line.key] = line.values[start];
}

function valueOf(panel, line, row) {
  const value = line.values[row];
  return value === null ? null : value / (panel.base[line.key] ?? 1);
}

function valueAxis(panel, start, stop) {
  let [low, high] = [Infinity, -Infinity];
  const widen = (value) => {
    if (value === null || !Number.isFinite(value) || (panel.scale.log && value <= 0)) return;
    if (value < low) low = value;
    if (value > high) high = value;
  };
  panel.scale.always.forEach(widen);
  for (const line of panel.lines.filter((other) => !hidden.has(other.key))) {
    for (let row = start; row < stop; row += 1) widen(valueOf(panel, line, row));
  }
  if (low > high) [low, high] = panel.scale.log ? [1, 1] : [0, 1];
  return panel.scale.log ? logAxis(low, high) : linearAxis(low, high, panel.scale.ticks);
}

function draw(chart) {
  const [first, last] = spanOf(chart);
  const [start, stop] = rowsOf(chart);
  const time = timeAxis(first, last);
  // One more bar on either side, so that lines reach the edges; the plot clips them.
  const rows = [Math.max(0, start - 1), Math.min(chart.seconds.length, stop + 1)];
  const across = chart.seconds.slice(...rows).map(time.toFraction);
  for (const panel of chart.panels) drawPanel(panel, chart, { start, stop, rows, across, time });
  writeTicks(chart.across, "left", time.ticks);
  chart.shownText.textContent = shown ? `Shown: ${spanText(first, last)}.` : "";
  chart.figure.classList.toggle("zoomed", shown !== null);
}

function drawPanel(panel, chart, { start, stop, rows, across, time }) {
  rebase(panel, start);
  const axis = valueAxis(panel, start, stop);
  const up = {};
  const heights = (line) => {
    up[line.key] ??= line.values
      .slice(...rows)
      .map((_, row) => axis.toFraction(valueOf(panel, line, rows[0] + row) ?? NaN));
    return up[line.key];
  };
  const lineOf = (key) =>
    chart.panels.flatMap((other) => other.lines).find((line) => line.key === key);
  const set = (path, d) => path?.setAttribute("d", d);
  const find = (selector) => panel.plot.querySelector(selector);

  set(find(".grid"), gridPath(time.ticks, axis.ticks));
  set(find(".baseline"), `M0 ${fromTop(axis.toFraction(panel.scale.baseline))}H${VIEWBOX_SIZE}`);
  panel.areas.forEach((area, number) => {
    const banded = area.shape === "above" || area.shape === "below";
    const line = lineOf(area.line);
    const path = banded
      ? AREAS[area.shape](across, line.values.slice(...rows), 0)
      : area.shape === "between"
        ? AREAS.between(across, heights(line), heights(lineOf(area.other)))
        : AREAS[area.shape](across, heights(line), axis.toFraction(panel.scale.baseline));
    set(find(`[data-area="${number}"]`), hidden.has(area.line) ? "" : path);
  });
  for (const path of panel.plot.querySelectorAll("[data-line]")) {
    const line = panel.lines.find((other) => other.key === path.dataset.line);
    path.classList.toggle("off", hidden.has(line.key));
    if (!hidden.has(line.key)) set(path, linePath(across, heights(line)));
  }
  writeTicks(panel.element.querySelector(".up"), "bottom", axis.ticks);
  const rebased = Object.keys(panel.base).length > 0;
  find(".axis-label").textContent = rebased
    ? `${panel.scale.rebased}, 1 at ${timeText(chart.seconds[start])}`
    : panel.label;
}

function spanText(first, last) {
  return `${timeText(first)} to ${timeText(last)}`;
}

function drawAll() {
  charts.forEach(draw);
}
