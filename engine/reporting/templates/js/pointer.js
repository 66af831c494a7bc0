// Pointer and keyboard on the charts over time: figures of a bar, and the span shown.

const DRAG = 6; // pixels from which a press is a drag
const KEYS = "arrow keys move the pointer, plus and minus zoom, shift with arrows moves the span, 0 shows it whole";

function timeAt(chart, plot, x) {
  const [first, last] = spanOf(chart);
  const box = plot.getBoundingClientRect();
  return first + ((last - first) * (x - box.left)) / box.width;
}

function moveCursor(time) {
  for (const chart of charts) {
    const [first, last] = spanOf(chart);
    for (const { plot } of chart.panels) {
      const cursor = plot.querySelector(".cursor");
      cursor.hidden = time === null || time < first || time > last;
      if (!cursor.hidden) cursor.style.left = `${(100 * (time - first)) / (last - first || 1)}%`;
    }
  }
}

function showBar(chart, plot, row, y) {
  const time = chart.seconds[row];
  const [first, last] = spanOf(chart);
  const box = plot.getBoundingClientRect();
  const rows = chart.panels.flatMap((panel) =>
    panel.lines
      .filter((line) => line.label && !hidden.has(line.key))
      .map((line) => tipRow(line.css, line.label, figureText(valueOf(panel, line, row), panel.unit))),
  );
  moveCursor(time);
  showTip(timeText(time), rows, box.left + (box.width * (time - first)) / (last - first || 1), y);
}

function leave() {
  moveCursor(null);
  hideTip();
}

function followPointer(chart, plot, state) {
  let from = null;
  const selection = document.createElement("i");
  selection.className = "selection";
  selection.hidden = true;
  plot.append(selection);

  const stop = () => {
    from = null;
    selection.hidden = true;
  };
  plot.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || event.pointerType === "touch") return;
    from = event.clientX;
    plot.setPointerCapture(event.pointerId);
  });
  plot.addEventListener("pointermove", (event) => {
    const [start, end] = rowsOf(chart);
    const row = nearest(chart.seconds, timeAt(chart, plot, event.clientX));
    state.row = Math.min(end - 1, Math.max(start, row));
    showBar(chart, plot, state.row, event.clientY);
    if (from === null) return;
    const box = plot.getBoundingClientRect();
    const [left, right] = [from, event.clientX].sort((one, other) => one - other);
    selection.hidden = right - left < DRAG;
    selection.style.left = `${Math.max(0, left - box.left)}px`;
    selection.style.right = `${Math.max(0, box.right - right)}px`;
  });
  plot.addEventListener("pointerup", (event) => {
    if (from === null) return;
    const ends = [from, event.clientX].map((x) => timeAt(chart, plot, x));
    const dragged = Math.abs(event.clientX - from) >= DRAG;
    stop();
    if (dragged) show(ends.sort((one, other) => one - other));
  });
  plot.addEventListener("pointercancel", stop);
  plot.addEventListener("pointerleave", leave);
  plot.addEventListener("dblclick", () => show(null));
  followWheel(chart, plot);
}

// Several notches within one frame are drawn once.
function followWheel(chart, plot) {
  let factor = 1;
  plot.addEventListener(
    "wheel",
    (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      const time = timeAt(chart, plot, event.clientX);
      if (factor === 1) {
        requestAnimationFrame(() => {
          zoomBy(factor, time);
          factor = 1;
        });
      }
      factor *= event.deltaY > 0 ? 1.25 : 0.8;
    },
    { passive: false },
  );
}

const MOVES = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21 };

// The change of the span that a key stands for, if any.
function spanActionOf(event, chart, state) {
  const centre = tip.hidden ? null : chart.seconds[state.row];
  if (event.shiftKey && event.key === "ArrowLeft") return () => move(-0.25);
  if (event.shiftKey && event.key === "ArrowRight") return () => move(0.25);
  return {
    "+": () => zoomBy(0.5, centre),
    "=": () => zoomBy(0.5, centre),
    "-": () => zoomBy(2, centre),
    0: () => show(null),
    Escape: tip.hidden ? () => show(null) : leave,
  }[event.key];
}

function followKeys(chart, plot, state) {
  const showFigures = () => showBar(chart, plot, state.row, plot.getBoundingClientRect().top + 30);
  plot.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const action = spanActionOf(event, chart, state);
    const [start, end] = rowsOf(chart);
    const clampRow = (row) => Math.min(end - 1, Math.max(start, row));
    if (action) {
      const wasShown = !tip.hidden && event.key !== "Escape";
      action();
      const [first, after] = rowsOf(chart);
      state.row = Math.min(after - 1, Math.max(first, state.row));
      if (wasShown) showFigures();
    } else if (event.key === "Home" || event.key === "End" || event.key in MOVES) {
      const rows = { Home: start, End: end - 1 };
      state.row = rows[event.key] ?? clampRow(state.row + MOVES[event.key]);
      showFigures();
    } else return;
    event.preventDefault();
  });
  plot.addEventListener("blur", leave);
}

for (const chart of charts) {
  for (const { plot } of chart.panels) {
    const state = { row: chart.seconds.length - 1 };
    plot.tabIndex = 0;
    plot.setAttribute("role", "application");
    plot.setAttribute("aria-label", `${plot.dataset.name}: ${KEYS}`);
    followPointer(chart, plot, state);
    followKeys(chart, plot, state);
  }
}
