"""The walk-forward windows: a timeline, loss curves, and a small panel for each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import AxisTick, linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.charts.axes import Axis

SPLIT_PARTS = ("train", "validation", "test")
LOSS_KEYS = ("train_loss", "validation_loss")


@dataclass(frozen=True)
class WindowSpan:
    """One part of a window: its position and width in per cent, its dates and bars as text."""

    part: str
    left: float
    width: float
    text: str


@dataclass(frozen=True)
class WindowTimeline:
    """A row for each window: its index and its parts."""

    rows: tuple[tuple[int, tuple[WindowSpan, ...]], ...]
    ticks: tuple[AxisTick, ...]
    summary: str


@dataclass(frozen=True)
class WindowSharpeRatios:
    """Sharpe ratios over the test bars of one window, None where there is none.

    Attributes:
        strategy: Of the strategy, which trades on the mean forecast of its seeds.
        benchmark: Of buy and hold.
        seeds: Of the strategy traded on each seed alone; empty where not known.
    """

    strategy: float | None
    benchmark: float | None
    seeds: tuple[float | None, ...] = ()

    @property
    def known_seeds(self) -> tuple[float, ...]:
        """The seeds that have a ratio."""
        return tuple(ratio for ratio in self.seeds if ratio is not None)

    @property
    def known_ratios(self) -> tuple[float, ...]:
        """All ratios that exist."""
        books = (self.strategy, self.benchmark)
        return (*(ratio for ratio in books if ratio is not None), *self.known_seeds)


@dataclass(frozen=True)
class SharpeMarker:
    """A mark on the axis of Sharpe ratios: class, and position in per cent from the left."""

    css: str
    position: float


@dataclass(frozen=True)
class WindowPanel:
    """The panel of one window.

    Attributes:
        index: Of the window.
        test_span: First and last bar of its test part.
        spans: Its parts, on the time axis that all windows share.
        curves: Loss by epoch of each fit, on an axis of this window; empty without epochs.
        loss_range: Range of that axis and number of epochs; empty without epochs.
        markers: Sharpe ratios, on the axis that all windows share; the strategy last.
        strategy: Sharpe ratio of the strategy.
        benchmark: Sharpe ratio of buy and hold.
        seeds: Lowest to highest ratio of the seeds; empty where not known.
        failed_fits: How many fits were left out; empty for none.
    """

    index: int
    test_span: str
    spans: tuple[WindowSpan, ...]
    curves: tuple[time_chart.Area, ...]
    loss_range: str
    markers: tuple[SharpeMarker, ...]
    strategy: str
    benchmark: str
    seeds: str
    failed_fits: str


@dataclass(frozen=True)
class WindowPanels:
    """Panels of all windows, the position of a ratio of 0, and the range of the shared axis."""

    panels: tuple[WindowPanel, ...]
    zero_position: float
    ratio_range: str


def make_window_timeline(windows: Sequence[Mapping[str, Any]]) -> WindowTimeline:
    """Every part of every window on one time axis.

    Args:
        windows: Of the manifest, at least one: `index`, and for each part its first and last day
            and its number of bars.
    """
    ends = [
        pd.Timestamp(day) for window in windows for part in SPLIT_PARTS for day in window[part]
    ]
    axis = time_axis(min(ends), max(ends))

    def span(window: Mapping[str, Any], part: str) -> WindowSpan:
        first, last = window[part]
        left, right = axis.to_fraction(pd.DatetimeIndex([first, last])) * 100
        bars = formatting.BARS(window.get(f"{part}_bars"))
        text = f"{part} {formatting.date_range(first, last)}, {bars}"
        return WindowSpan(part, round(float(left), 3), round(float(right - left), 3), text)

    rows = tuple(
        (int(window["index"]), tuple(span(window, part) for part in SPLIT_PARTS))
        for window in windows
    )
    summary = (
        f"{formatting.count_of(len(rows), 'window')}, "
        f"{formatting.date_range(min(ends), max(ends))}"
    )
    return WindowTimeline(rows, axis.ticks, summary)


def make_window_panels(
    windows: Sequence[Mapping[str, Any]],
    timeline: WindowTimeline,
    ratios: Mapping[int, WindowSharpeRatios],
) -> WindowPanels:
    """A panel for each window on shared axes of time and of Sharpe ratios.

    Args:
        windows: Of the manifest, at least one.
        timeline: Of the same windows.
        ratios: By index of the window.
    """
    known = [0.0, *(ratio for each in ratios.values() for ratio in each.known_ratios)]
    axis = linear_axis(min(known), max(known))
    spans = dict(timeline.rows)
    panels = tuple(
        _window_panel(window, spans[int(window["index"])], ratios[int(window["index"])], axis)
        for window in windows
    )
    ratio_range = f"{formatting.SIGNED_RATIO(min(known))} to {formatting.SIGNED_RATIO(max(known))}"
    return WindowPanels(panels, _position_pct(axis, 0.0), ratio_range)


def _window_panel(
    window: Mapping[str, Any],
    spans: tuple[WindowSpan, ...],
    ratios: WindowSharpeRatios,
    axis: Axis,
) -> WindowPanel:
    fits = window.get("fits") or []
    seeds = ratios.known_seeds
    marked = [
        *(("seed", ratio) for ratio in seeds),
        ("benchmark", ratios.benchmark),
        ("strategy", ratios.strategy),
    ]
    failed = sum("failed" in fit for fit in fits)
    return WindowPanel(
        index=int(window["index"]),
        test_span=formatting.date_range(*window["test"]),
        spans=spans,
        curves=draw_loss_curves(fits),
        loss_range=_loss_range_text(fits),
        markers=tuple(
            SharpeMarker(css, _position_pct(axis, ratio))
            for css, ratio in marked
            if ratio is not None
        ),
        strategy=formatting.SIGNED_RATIO(ratios.strategy),
        benchmark=formatting.SIGNED_RATIO(ratios.benchmark),
        seeds=formatting.SIGNED_RATIO.interval(min(seeds), max(seeds)) if seeds else "",
        failed_fits=_failed_fits_text(failed, len(fits)),
    )


def expand_ensemble_fits(fits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The fits that have epochs: each fit of an ensemble is replaced by its members."""
    return [
        part
        for fit in fits
        for part in (expand_ensemble_fits(fit["members"]) if fit.get("members") else [fit])
    ]


def draw_loss_curves(fits: Sequence[Mapping[str, Any]]) -> tuple[time_chart.Area, ...]:
    """A path for each fit and curve, on one axis for all fits of the window.

    Args:
        fits: Of one window; `train_loss` and `validation_loss`, one value for each epoch, or
            `members` that have them.

    Returns:
        Empty where no fit has epochs (ridge, persistence).
    """
    curves = [
        (name, np.array([_loss_or_nan(value) for value in fit.get(name) or ()]))
        for fit in expand_ensemble_fits(fits)
        for name in LOSS_KEYS
    ]
    curves = [(name, curve) for name, curve in curves if len(curve) > 1]
    if not curves:
        return ()
    values = np.concatenate([curve for _, curve in curves])
    values = values[np.isfinite(values)]
    axis = linear_axis(float(values.min()), float(values.max()))
    epochs = max(len(curve) for _, curve in curves)
    return tuple(
        time_chart.Area(
            name.removesuffix("_loss"),
            time_chart.line_path(np.arange(len(curve)) / (epochs - 1), axis.to_fraction(curve)),
        )
        for name, curve in curves
    )


def _failed_fits_text(failed: int, fits: int) -> str:
    if not failed:
        return ""
    return f"{formatting.COUNT(failed)} of {formatting.count_of(fits, 'fit')} left out"


def _loss_range_text(fits: Sequence[Mapping[str, Any]]) -> str:
    curves = [fit.get(name) or () for fit in expand_ensemble_fits(fits) for name in LOSS_KEYS]
    values = [float(loss) for curve in curves for loss in curve if formatting.is_finite(loss)]
    epochs = max(map(len, curves), default=0)
    if epochs < 2 or not values:
        return ""
    low, high = formatting.loss_value(min(values)), formatting.loss_value(max(values))
    return f"loss {low} to {high}, {formatting.count_of(epochs, 'epoch')}"


def _loss_or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)


def _position_pct(axis: Axis, value: float) -> float:
    return round(100 * float(axis.to_fraction(np.array([value]))[0]), 2)
