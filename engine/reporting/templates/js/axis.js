// Axes for the bars that are shown, by the rules of charts/axis.py.

function linearAxis(low, high, count) {
  if (low === high) [low, high] = [low - 0.5, high + 0.5];
  const air = 0.04 * (high - low);
  [low, high] = [low - air, high + air];
  const place = (value) => (value - low) / (high - low);
  return labelled(place, roundNumbers(low, high, count));
}

function logAxis(low, high) {
  if (low === high) [low, high] = [low / 1.1, high * 1.1];
  const air = (high / low) ** 0.04;
  [low, high] = [low / air, high * air];
  const length = Math.log(high) - Math.log(low);
  const place = (value) => (value > 0 ? (Math.log(value) - Math.log(low)) / length : NaN);
  const first = Math.floor(Math.log10(low));
  const last = Math.ceil(Math.log10(high));
  const candidates = [];
  for (let power = first; power <= last; power += 1) {
    for (const digit of last - first < 4 ? [1, 2, 5] : [1]) {
      candidates.push(Number(`${digit}e${power}`));
    }
  }
  const values = candidates.filter((value) => low <= value && value <= high);
  return labelled(place, values.length < 3 ? roundNumbers(low, high, 5) : values);
}

function labelled(place, values) {
  return { place, ticks: values.map((value) => tick(place(value), tickText(value))) };
}

function tick(place, label) {
  return { at: Number((100 * place).toFixed(3)), label };
}

function roundNumbers(low, high, count) {
  const raw = (high - low) / count;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 2.5, 5, 10].find((factor) => factor * power >= raw) * power;
  const numbers = [];
  for (let at = Math.ceil(low / step); at <= Math.floor(high / step); at += 1) {
    numbers.push(at * step);
  }
  return numbers;
}

const DAY = 86_400;
const MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const two = (number) => String(number).padStart(2, "0");
const dayText = (day) => `${two(day.getUTCDate())} ${MONTHS[day.getUTCMonth()]}`;

// Days of one step, the text of a label, and the turns of the calendar from a day on.
const CALENDAR = {
  hour: {
    days: 1 / 24,
    text: (at) => `${dayText(at)} ${two(at.getUTCHours())}:${two(at.getUTCMinutes())}`,
    turn: (year, month, day, steps) => Date.UTC(year, month, day, steps),
  },
  day: {
    days: 1,
    text: dayText,
    turn: (year, month, day, steps) => Date.UTC(year, month, day + steps),
  },
  month: {
    days: 30.44,
    text: (at) => `${MONTHS[at.getUTCMonth()]} ${at.getUTCFullYear()}`,
    turn: (year, month, day, steps) => Date.UTC(year, month + (day > 1 ? 1 : 0) + steps),
  },
  year: {
    days: 365.25,
    text: (at) => String(at.getUTCFullYear()),
    turn: (year, month, day, steps) => Date.UTC(year + (month || day > 1 ? 1 : 0) + steps, 0),
  },
};
const STEPS = [
  ["hour", 1], ["hour", 3], ["hour", 6], ["day", 1], ["day", 2], ["day", 7], ["day", 14],
  ["month", 1], ["month", 3], ["month", 6], ["year", 1], ["year", 2], ["year", 5], ["year", 10],
  ["year", 20],
];

function timeAxis(first, last, count = 9) {
  const place = (seconds) => (seconds - first) / Math.max(last - first, 1);
  const days = (last - first) / DAY;
  const fits = ([unit, step]) => days / (CALENDAR[unit].days * step) <= count;
  const [name, step] = STEPS.find(fits) ?? STEPS[STEPS.length - 1];
  const unit = CALENDAR[name];
  const start = new Date(first * 1000);
  const day = [start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate()];
  const ticks = [];
  for (let steps = 0; ; steps += step) {
    const turn = unit.turn(...day, steps);
    if (turn > last * 1000) return { place, ticks };
    if (turn >= first * 1000) {
      ticks.push(tick(place(turn / 1000), unit.text(new Date(turn))));
    }
  }
}
