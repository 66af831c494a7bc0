"use strict";
(() => {
  const tip = document.getElementById("tip");
  const minus = "\u2212";

  const number = (value, unit) => {
    if (value === null) return "\u2013";
    const text = Math.abs(value).toLocaleString("en-US", {
      minimumFractionDigits: unit.digits,
      maximumFractionDigits: unit.digits,
    });
    const zero = !/[1-9]/.test(text);
    return (zero ? "" : value < 0 ? minus : unit.signed ? "+" : "") + text + unit.suffix;
  };

  const moment = (seconds) => {
    const text = new Date(seconds * 1000).toISOString();
    return text.slice(11, 16) === "00:00" ? text.slice(0, 10) : text.slice(0, 16).replace("T", " ");
  };

  const charts = [...document.querySelectorAll("figure[data-chart]")].map((figure) => {
    const data = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
    const seconds = [];
    data.seconds.reduce((at, step) => (seconds.push(at + step), at + step), 0);
    return { figure, data, seconds, plots: [...figure.querySelectorAll(".plot")] };
  });

  const nearest = (seconds, at) => {
    let low = 0;
    let high = seconds.length - 1;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (seconds[middle] < at) low = middle;
      else high = middle;
    }
    return at - seconds[low] <= seconds[high] - at ? low : high;
  };

  const hidden = new Set();

  const point = (at) => {
    for (const chart of charts) {
      const first = chart.seconds[0];
      const length = chart.seconds[chart.seconds.length - 1] - first || 1;
      for (const plot of chart.plots) {
        const cursor = plot.querySelector(".cursor");
        cursor.hidden = at === null;
        if (at !== null) cursor.style.left = `${(100 * (at - first)) / length}%`;
      }
    }
  };

  const tell = (chart, row, x, y) => {
    const head = document.createElement("strong");
    head.textContent = moment(chart.seconds[row]);
    const rows = chart.data.panels.flatMap((panel) =>
      panel.lines.filter((line) => !hidden.has(line.key)).map((line) => {
        const item = document.createElement("div");
        const swatch = document.createElement("i");
        const label = document.createElement("span");
        const value = document.createElement("b");
        swatch.className = line.css;
        label.textContent = line.label;
        value.textContent = number(line.values[row], panel.unit);
        item.append(swatch, label, value);
        return item;
      }),
    );
    tip.replaceChildren(head, ...rows);
    tip.hidden = false;
    const left = x + 16 + tip.offsetWidth < innerWidth ? x + 16 : x - 16 - tip.offsetWidth;
    tip.style.left = `${Math.max(4, left)}px`;
    tip.style.top = `${Math.max(4, Math.min(y - 20, innerHeight - tip.offsetHeight - 4))}px`;
  };

  const leave = () => {
    point(null);
    tip.hidden = true;
  };

  for (const chart of charts) {
    let row = chart.seconds.length - 1;
    const show = (plot, y) => {
      const box = plot.getBoundingClientRect();
      const first = chart.seconds[0];
      const length = chart.seconds[chart.seconds.length - 1] - first || 1;
      point(chart.seconds[row]);
      tell(chart, row, box.left + (box.width * (chart.seconds[row] - first)) / length, y);
    };
    for (const plot of chart.plots) {
      plot.addEventListener("pointermove", (event) => {
        const box = plot.getBoundingClientRect();
        const first = chart.seconds[0];
        const length = chart.seconds[chart.seconds.length - 1] - first;
        row = nearest(chart.seconds, first + (length * (event.clientX - box.left)) / box.width);
        show(plot, event.clientY);
      });
      plot.addEventListener("pointerleave", leave);
      plot.addEventListener("blur", leave);
      plot.addEventListener("keydown", (event) => {
        const steps = { ArrowLeft: -1, ArrowRight: 1, PageUp: -21, PageDown: 21 };
        const last = chart.seconds.length - 1;
        if (event.key === "Escape") return leave();
        if (event.key === "Home") row = 0;
        else if (event.key === "End") row = last;
        else if (event.key in steps) row = Math.min(last, Math.max(0, row + steps[event.key]));
        else return;
        event.preventDefault();
        show(plot, plot.getBoundingClientRect().top + 30);
      });
    }
  }

  for (const button of document.querySelectorAll("button[data-book]")) {
    button.addEventListener("click", () => {
      const key = button.dataset.book;
      if (!hidden.delete(key)) hidden.add(key);
      for (const other of document.querySelectorAll("button[data-book]")) {
        if (other.dataset.book === key) other.setAttribute("aria-pressed", String(!hidden.has(key)));
      }
      for (const line of document.querySelectorAll("[data-line]")) {
        if (line.dataset.line === key) line.classList.toggle("off", hidden.has(key));
      }
    });
  }
})();
