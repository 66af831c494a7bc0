// One span for all charts over time, and the bars of buttons that change it.

const MIN_BARS = 5;
const LATEST = [
  ["1W", "the last week", 7],
  ["1M", "the last month", 30.44],
  ["3M", "the last three months", 91.3],
  ["1Y", "the last year", 365.25],
  ["3Y", "the last three years", 1095.75],
  ["5Y", "the last five years", 1826.25],
  ["10Y", "the last ten years", 3652.5],
];
const PRESETS = 4;

const whole = [
  Math.min(...charts.map((chart) => chart.seconds[0])),
  Math.max(...charts.map((chart) => chart.seconds[chart.seconds.length - 1])),
];
const oneBar = Math.min(
  ...charts.map(
    ({ seconds }) => (seconds[seconds.length - 1] - seconds[0]) / Math.max(1, seconds.length - 1),
  ),
);
const zoomBars = [];

function show(span) {
  shown = span && clamped(span);
  if (shown && shown[0] === whole[0] && shown[1] === whole[1]) shown = null;
  drawAll();
  showSpanText();
}

// The span limited to the bars of the run, and at least MIN_BARS long.
function clamped([first, last]) {
  const length = Math.min(
    Math.max(last - first, MIN_BARS * oneBar),
    whole[1] - whole[0],
  );
  const middle = (first + last) / 2;
  const start = Math.min(Math.max(middle - length / 2, whole[0]), whole[1] - length);
  return [toBar(start), toBar(start + length)];
}

function toBar(time) {
  const { seconds } = charts[0];
  return seconds[nearest(seconds, time)];
}

function zoomBy(factor, centre) {
  const [first, last] = shown ?? whole;
  const fixed = centre ?? (first + last) / 2;
  show([fixed - (fixed - first) * factor, fixed + (last - fixed) * factor]);
}

function move(fraction) {
  const [first, last] = shown ?? whole;
  const by = fraction * (last - first);
  show([first + by, last + by]);
}

const ACTIONS = {
  in: () => zoomBy(0.5),
  out: () => zoomBy(2),
  earlier: () => move(-0.5),
  later: () => move(0.5),
  whole: () => show(null),
};

function showSpanText() {
  const [first, last] = shown ?? whole;
  const text = shown ? spanText(first, last) : `Whole span, ${spanText(first, last)}`;
  document.getElementById("span-status").textContent = `${text} shown by all charts over time.`;
  for (const bar of zoomBars) {
    bar.querySelector(".span-text").textContent = text;
    bar.querySelector('[data-action="whole"]').disabled = shown === null;
    bar.querySelector('[data-action="out"]').disabled = shown === null;
    bar.querySelector('[data-action="earlier"]').disabled = first <= whole[0];
    bar.querySelector('[data-action="later"]').disabled = last >= whole[1];
    for (const button of bar.querySelectorAll("[data-seconds]")) {
      const start = toBar(whole[1] - Number(button.dataset.seconds));
      const pressed = shown !== null && last === whole[1] && first === start;
      button.setAttribute("aria-pressed", String(pressed));
    }
  }
}

// Buttons for the latest weeks, months and years: the longest ones that are shorter than the span.
function presets() {
  const fitting = LATEST.filter(
    ([, , days]) => days * DAY > 4 * MIN_BARS * oneBar && days * DAY < 0.9 * (whole[1] - whole[0]),
  );
  return fitting.slice(-PRESETS).map(([text, description, days]) => {
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = text;
    button.setAttribute("aria-label", `${text}, ${description}`);
    button.dataset.seconds = String(days * DAY);
    button.addEventListener("click", () => show([whole[1] - days * DAY, whole[1]]));
    return button;
  });
}

// A bar of buttons before the first chart over time of each section.
function addZoomBars() {
  const template = document.getElementById("zoom-bar");
  const sections = new Map();
  for (const { figure } of charts) {
    const section = figure.closest("section");
    if (!sections.has(section)) sections.set(section, figure);
  }
  for (const figure of sections.values()) {
    const parts = template.content.cloneNode(true);
    const bar = parts.querySelector(".zoom");
    bar.querySelector(".presets").append(...presets());
    for (const button of bar.querySelectorAll("[data-action]")) {
      button.addEventListener("click", ACTIONS[button.dataset.action]);
    }
    if (zoomBars.length) parts.querySelector(".hint").remove();
    figure.before(parts);
    zoomBars.push(bar);
  }
}

if (charts.length) {
  addZoomBars();
  showSpanText();
}
