"""Figures that a page has drawn, read from its paths and the labels of its axes."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from playwright.sync_api import Page

EXTENT = 10_000

READ = """
() => [...document.querySelectorAll("figure[data-chart]")].map((figure) => ({
  key: figure.id,
  data: JSON.parse(figure.querySelector('script[type="application/json"]').textContent),
  across: [...figure.querySelectorAll(".across span")].map(
    (label) => [label.textContent, parseFloat(label.style.left)]),
  panels: [...figure.querySelectorAll(".panel")].map((panel) => ({
    label: panel.querySelector(".axis-label").textContent,
    up: [...panel.querySelectorAll(".up span")].map(
      (label) => [label.textContent, parseFloat(label.style.bottom)]),
    lines: [...panel.querySelectorAll("[data-line]")].map((path) => ({
      key: path.dataset.line,
      d: path.getAttribute("d"),
      seen: path.getBoundingClientRect().width > 0,
    })),
    areas: [...panel.querySelectorAll("[data-area]")].map((path) => path.getAttribute("d")),
  })),
}))
"""


@dataclass(frozen=True)
class Panel:
    """One plot: labels of its vertical axis with their heights in per cent, and its paths."""

    label: str
    up: list[tuple[str, float]]
    paths: dict[str, str]
    areas: list[str]
    data: dict[str, Any]

    def values(self, key: str) -> list[float | None]:
        """The figures of a line in the page's data."""
        (found,) = [line["values"] for line in self.data["lines"] if line["key"] == key]
        return found

    def points(self, key: str) -> np.ndarray:
        """Place from the left, 0 to 1, and figure of every point of a line, shape (n, 2)."""
        drawn = points(self.paths[key])
        return np.column_stack((drawn[:, 0] / EXTENT, self.read(drawn[:, 1])))

    def read(self, down: np.ndarray) -> np.ndarray:
        """The figures at heights, as the labels of the axis tell them."""
        return read(down, self.up, log=self.data["scale"]["log"])

    @property
    def resolution(self) -> float:
        """What one unit of the drawing is: a difference, on a log axis a relative one."""
        one, other = self.read(np.array([5_000.0, 5_002.0]))
        return abs(other / one - 1) if self.data["scale"]["log"] else abs(other - one)


@dataclass(frozen=True)
class Chart:
    """A chart over time: labels of its time axis with positions in per cent, and its plots."""

    key: str
    seconds: np.ndarray
    across: list[tuple[str, float]]
    panels: list[Panel]


def charts(page: Page) -> dict[str, Chart]:
    """Every chart over time of a page, by its key."""
    return {found["key"]: _chart(found) for found in page.evaluate(READ)}


def _chart(found: dict[str, Any]) -> Chart:
    panels = [
        Panel(
            drawn["label"],
            [(label, at) for label, at in drawn["up"]],
            {line["key"]: line["d"] for line in drawn["lines"] if line["seen"]},
            drawn["areas"],
            data,
        )
        for drawn, data in zip(found["panels"], found["data"]["panels"], strict=True)
    ]
    across = [(label, at) for label, at in found["across"]]
    return Chart(found["key"], np.cumsum(found["data"]["seconds"]), across, panels)


def read(down: np.ndarray, up: list[tuple[str, float]], *, log: bool) -> np.ndarray:
    """The figures at heights, as the two outermost labels of a vertical axis tell them."""
    (low, low_at), (high, high_at) = up[0], up[-1]
    ends = np.array([number(low), number(high)])
    at = 100.0 * (1.0 - down / EXTENT)
    share = (at - low_at) / (high_at - low_at)
    if not log:
        return ends[0] + share * (ends[1] - ends[0])
    return np.exp(np.log(ends[0]) + share * np.log(ends[1] / ends[0]))


def number(text: str) -> float:
    """The figure of a label."""
    return float(text.replace("\N{MINUS SIGN}", "-").replace(",", ""))


def points(path: str) -> np.ndarray:
    """Every point that a path goes through, shape (n, 2)."""
    at, found = (0.0, 0.0), []
    for command, numbers in re.findall(r"([MLlHhV])([^MLlHhVZ]*)", path):
        shown = [float(value) for value in re.findall(r"-?[\d.]+", numbers)]
        for step in _steps(command, shown):
            across, down = step
            if command in "lh":
                across, down = at[0] + across, at[1] + down
            at = (at[0] if math.isnan(across) else across, at[1] if math.isnan(down) else down)
            found.append(at)
    return np.array(found).reshape(-1, 2)


def _steps(command: str, shown: list[float]) -> list[tuple[float, float]]:
    if command == "H":
        return [(value, math.nan) for value in shown]
    if command == "h":
        return [(value, 0.0) for value in shown]
    if command == "V":
        return [(math.nan, value) for value in shown]
    return list(zip(shown[::2], shown[1::2], strict=True))
