// Axes for the bars shown, by the rules of charts/axes.py.

function linearAxis(low, high, count) {
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const margin = 0.04 * (high - low);
  [low, high] = [low - margin, high + margin];
  const toFraction = (value) => (value - low) / (high - low);
  return labelled(toFraction, roundNumbers(low, high, count));
}

function logAxis(low, high) {
  if (low === high) [low, high] = [low / 1.1, high * 1.1];
  const margin = (high / low) ** 0.04;
  [low, high] = [low / margin, high * margin];
  const length = Math.log(high) - Math.log(low);
  const toFraction = (value) => (value > 0 ? (Math.log(value) - Math.log(low)) / length : NaN);
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const candidates = [];
  for (let power = first; power <= last; power += 1) {
    for (const digit of last - first < 4 ? [1, 2, 5] : [1]) {
      candidates.push(Number(`${digit}e${power}`));
    }
  }
  const values = candidates.filter((value) => low <= value && value <= high);
  return labelled(toFraction, values.length < 3 ? roundNumbers(low, high, 5) : values);
}

function labelled(toFraction, values) {
  return { toFraction, ticks: values.map((value) => tick(toFraction(value), tickText(value))) };
}

function tick(fraction, label) {
  return { position: Number((100 * fraction).toFixed(3)), label };
}

function roundNumbers(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) * power;
  const numbers = [];
  for (let index = Math.ceil(low / step); index <= Math.floor(high / step); index += 1) {
    numbers.push(index * step);
  }
  return numbers;
}

const DAY = 86_400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
const dayText = (day) => `${two(day.getUTCDate())} ${MONTHS[day.getUTCMonth()]}`;

// For each unit: its length in days, the text of a label, and the start of the unit `steps` later.
const CALENDAR = {
  minute: {
    days: 1 / 1440,
    text: (time) => `${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`,
    start: (year, month, day, steps) => Date.UTC(year, month, day, 0, steps),
  },
  hour: {
    days: 1 / 24,
    text: (time) => `${dayText(time)} ${two(time.getUTCHours())}:${two(time.getUTCMinutes())}`,
    start: (year, month, day, steps) => Date.UTC(year, month, day, steps),
  },
  day: {
    days: 1,
    text: dayText,
    start: (year, month, day, steps) => Date.UTC(year, month, day + steps),
  },
  month: {
    days: 30.44,
    text: (time) => `${MONTHS[time.getUTCMonth()]} ${time.getUTCFullYear()}`,
    start: (year, month, day, steps) => Date.UTC(year, month + (day > 1 ? 1 : 0) + steps),
  },
  year: {
    days: 365.25,
    text: (time) => String(time.getUTCFullYear()),
    start: (year, month, day, steps) => Date.UTC(year + (month || day > 1 ? 1 : 0) + steps, 0),
  },
};
const STEPS = [
  ["minute", 1], ["minute", 5], ["minute", 15],
  ["hour", 1], ["hour", 3], ["hour", 6], ["day", 1], ["day", 2], ["day", 7], ["day", 14],
  ["month", 1], ["month", 3], ["month", 6], ["year", 1], ["year", 2], ["year", 5], ["year", 10],
  ["year", 20],
];

function timeAxis(first, last, count = 9) {
  const toFraction = (seconds) => (seconds - first) / Math.max(last - first, 1);
  const days = (last - first) / DAY;
  const fits = ([unit, step]) => days / (CALENDAR[unit].days * step) <= count;
  const [name, step] = STEPS.find(fits) ?? STEPS[STEPS.length - 1];
  const unit = CALENDAR[name];
  const begin = new Date(first * 1000);
  const day = [begin.getUTCFullYear(), begin.getUTCMonth(), begin.getUTCDate()];
  const ticks = [];
  for (let steps = 0; ; steps += step) {
    const time = unit.start(...day, steps);
    if (time > last * 1000) return { toFraction, ticks };
    if (time >= first * 1000) {
      ticks.push(tick(toFraction(time / 1000), unit.text(new Date(time))));
    }
  }
}
