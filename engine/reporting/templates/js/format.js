// Formats of figures and times, as in formatting.py.

const MINUS = "\u2212";
const NO_FIGURE = "\u2013";

function figureText(value, unit) {
  if (value === null || !Number.isFinite(value)) return NO_FIGURE;
  const text = Math.abs(value).toLocaleString("en-US", {
    minimumFractionDigits: unit.digits,
    maximumFractionDigits: unit.digits,
  });
  const zero = !/[1-9]/.test(text);
  return (zero ? "" : value < 0 ? MINUS : unit.signed ? "+" : "") + text + unit.suffix;
}

function tickText(value) {
  const size = Math.abs(value);
  const text =
    size >= 1e6 || (size > 0 && size < 1e-4)
      ? Number(size.toPrecision(3)).toExponential().replace(/e([+-])(\d)$/, "e$10$2")
      : Number(size.toPrecision(10)).toLocaleString("en-US", { maximumFractionDigits: 14 });
  return (value < 0 ? MINUS : "") + text;
}

function timeText(seconds) {
  const text = new Date(seconds * 1000).toISOString();
  return text.slice(11, 16) === "00:00" ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
}
