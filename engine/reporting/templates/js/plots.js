// Pointer and keyboard on plots over an axis other than time: figures of the nearest mark.

function toFraction(axis, value) {
  if (value === null || value === undefined) return NaN;
  if (!axis.log) return (value - axis.low) / (axis.high - axis.low);
  if (value <= 0) return NaN;
  return (Math.log(value) - Math.log(axis.low)) / (Math.log(axis.high) - Math.log(axis.low));
}

// Every named mark with its position from the left and the top, left to right.
function marksOf(data) {
  const clamp = (share) => Math.min(1, Math.max(0, share));
  return data.layers
    .flatMap((layer) =>
      layer.names.map((name, row) => ({
        layer,
        row,
        name,
        left: clamp(toFraction(data.across, layer.x[row])),
        top: 1 - clamp(toFraction(data.up, layer.y[row])),
      })),
    )
    .filter((mark) => Number.isFinite(mark.left) && Number.isFinite(mark.top))
    .sort((one, other) => one.left - other.left);
}

function showMark(data, mark, box) {
  const { layer, row } = mark;
  const rows = [];
  if (data.across.unit) {
    rows.push(tipRow("", data.across.label, figureText(layer.x[row], data.across.unit)));
  }
  const unit = data.up.unit;
  const name = layer.label || data.up.label;
  rows.push(tipRow(layer.css, name, unit ? figureText(layer.y[row], unit) : NO_FIGURE));
  const [low, high] = [layer.low[row] ?? null, layer.high[row] ?? null];
  if (unit && low !== null && high !== null) {
    rows.push(tipRow("", "interval", `${figureText(low, unit)} to ${figureText(high, unit)}`));
  }
  showTip(mark.name, rows, box.left + box.width * mark.left, box.top + box.height * mark.top);
}

function followPlot(figure) {
  const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const marks = marksOf(data);
  const plot = figure.querySelector(".plot");
  if (!marks.length) {
    plot.removeAttribute("tabindex");
    return;
  }
  const ring = document.createElement("i");
  ring.className = "ring";
  ring.hidden = true;
  plot.append(ring);
  let current = -1;

  const select = (index) => {
    current = index;
    ring.hidden = false;
    ring.style.left = `${100 * marks[current].left}%`;
    ring.style.top = `${100 * marks[current].top}%`;
    showMark(data, marks[current], plot.getBoundingClientRect());
  };
  const stop = () => {
    ring.hidden = true;
    hideTip();
  };
  plot.addEventListener("pointermove", (event) => {
    const box = plot.getBoundingClientRect();
    const distances = marks.map((mark) =>
      Math.hypot(
        event.clientX - box.left - box.width * mark.left,
        event.clientY - box.top - box.height * mark.top,
      ),
    );
    select(distances.indexOf(Math.min(...distances)));
  });
  plot.addEventListener("pointerleave", stop);
  plot.addEventListener("blur", stop);
  plot.addEventListener("keydown", (event) => {
    const last = marks.length - 1;
    const steps = {
      ArrowRight: current + 1,
      ArrowLeft: current < 0 ? last : current - 1,
      PageDown: current + 21,
      PageUp: current - 21,
      Home: 0,
      End: last,
    };
    if (event.key === "Escape") return stop();
    if (!(event.key in steps)) return;
    event.preventDefault();
    select(Math.min(last, Math.max(0, steps[event.key])));
  });
  plot.tabIndex = 0;
  plot.setAttribute("role", "application");
}

document.querySelectorAll("figure[data-plot]").forEach(followPlot);
