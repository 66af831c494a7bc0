"""The walk-forward windows on a time axis."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts.axes import AxisTick, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

SPLIT_PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class WindowSpan:
    """One part of a window: places in per cent from the left, and its dates and bars in words."""

    part: str
    left: float
    width: float
    text: str


@dataclass(frozen=True)
class WindowTimeline:
    """A row a window: its index and its parts."""

    rows: tuple[tuple[int, tuple[WindowSpan, ...]], ...]
    ticks: tuple[AxisTick, ...]
    summary: str


def make_window_timeline(windows: Sequence[Mapping[str, Any]]) -> WindowTimeline:
    """Places every part of every window.

    Args:
        windows: Of the manifest, at least one: `index`, and for each part its first and last day
            and its number of bars.
    """
    ends = [
        pd.Timestamp(day) for window in windows for part in SPLIT_PARTS for day in window[part]
    ]
    time = time_axis(min(ends), max(ends))

    def span(window: Mapping[str, Any], part: str) -> WindowSpan:
        first, last = window[part]
        left, right = time.to_fraction(pd.DatetimeIndex([first, last])) * 100
        bars = formatting.BARS(window.get(f"{part}_bars"))
        text = f"{part} {formatting.date_range(first, last)}, {bars}"
        return WindowSpan(part, round(float(left), 3), round(float(right - left), 3), text)

    rows = tuple(
        (int(window["index"]), tuple(span(window, part) for part in SPLIT_PARTS))
        for window in windows
    )
    says = (
        f"{formatting.count_of(len(rows), 'window')}, "
        f"{formatting.date_range(min(ends), max(ends))}"
    )
    return WindowTimeline(rows, time.ticks, says)
