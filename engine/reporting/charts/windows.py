"""The walk-forward windows: a timeline, loss curves, and a small panel for each window."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.charts import svg_paths, time_chart
from engine.reporting.charts.axes import AxisTick, linear_axis, time_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import Vector
    from engine.reporting.charts.axes import Axis, TimeAxis
    from engine.runs.documents.analysis import WindowFigures
    from engine.runs.documents.manifest_windows import FitRecord, WindowRecord


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


def make_window_timeline(windows: Sequence[WindowRecord]) -> WindowTimeline:
    """Every part of every window on one time axis; at least one window."""
    ends = [
        pd.Timestamp(day)
        for window in windows
        for first_and_last in (window.train, window.validation, window.test)
        for day in first_and_last
    ]
    axis = time_axis(min(ends), max(ends))
    rows = tuple((window.index, _window_spans(window, axis)) for window in windows)
    summary = (
        f"{formatting.count_of(len(rows), 'window')}, "
        f"{formatting.date_range(min(ends), max(ends))}"
    )
    return WindowTimeline(rows, axis.ticks, summary)


def _window_spans(window: WindowRecord, axis: TimeAxis) -> tuple[WindowSpan, ...]:
    def span(part: str, ends: tuple[str, str], bars: int | None) -> WindowSpan:
        left, right = axis.to_fraction(pd.DatetimeIndex(ends)) * 100
        text = f"{part} {formatting.date_range(*ends)}, {formatting.BARS(bars)}"
        return WindowSpan(part, round(float(left), 3), round(float(right - left), 3), text)

    return (
        span("train", window.train, window.train_bars),
        span("validation", window.validation, window.validation_bars),
        span("test", window.test, window.test_bars),
    )


def make_window_panels(
    windows: Sequence[WindowRecord],
    timeline: WindowTimeline,
    figures: Mapping[int, WindowFigures],
) -> WindowPanels:
    """A panel for each window on shared axes of time and of Sharpe ratios.

    Args:
        windows: Of the manifest, at least one.
        timeline: Of the same windows.
        figures: By index of the window.
    """
    ratios = [
        0.0,
        *(ratio for window in windows for _, ratio in _sharpe_ratios(figures[window.index])),
    ]
    axis = linear_axis(min(ratios), max(ratios))
    spans = dict(timeline.rows)
    panels = tuple(
        _window_panel(window, spans[window.index], figures[window.index], axis)
        for window in windows
    )
    low, high = formatting.SIGNED_RATIO(min(ratios)), formatting.SIGNED_RATIO(max(ratios))
    return WindowPanels(panels, _position_pct(axis, 0.0), f"{low} to {high}")


def _sharpe_ratios(figures: WindowFigures) -> list[tuple[str, float]]:
    """Class of the marker and ratio of each ratio that exists, the strategy last."""
    ratios = [
        *(("seed", ratio) for ratio in figures.seed_sharpes),
        ("benchmark", figures.benchmark_sharpe),
        ("strategy", figures.strategy_sharpe),
    ]
    return [(css, ratio) for css, ratio in ratios if ratio is not None]


def _window_panel(
    window: WindowRecord, spans: tuple[WindowSpan, ...], figures: WindowFigures, axis: Axis
) -> WindowPanel:
    ratios = _sharpe_ratios(figures)
    seeds = [ratio for css, ratio in ratios if css == "seed"]
    failed = sum(fit.failed is not None for fit in window.fits)
    return WindowPanel(
        index=window.index,
        test_span=formatting.date_range(*window.test),
        spans=spans,
        curves=draw_loss_curves(window.fits),
        loss_range=_loss_range_text(window.fits),
        markers=tuple(SharpeMarker(css, _position_pct(axis, ratio)) for css, ratio in ratios),
        strategy=formatting.SIGNED_RATIO(figures.strategy_sharpe),
        benchmark=formatting.SIGNED_RATIO(figures.benchmark_sharpe),
        seeds=formatting.SIGNED_RATIO.interval(min(seeds), max(seeds)) if seeds else "",
        failed_fits=_failed_fits_text(failed, len(window.fits)),
    )


def expand_ensemble_fits(fits: Sequence[FitRecord]) -> list[FitRecord]:
    """The fits that have epochs: each fit of an ensemble is replaced by its members."""
    return [
        part
        for fit in fits
        for part in (expand_ensemble_fits(fit.members) if fit.members else [fit])
    ]


def draw_loss_curves(fits: Sequence[FitRecord]) -> tuple[time_chart.Area, ...]:
    """A path for each fit and curve, on one axis for all fits of the window.

    Args:
        fits: Of one window.

    Returns:
        Empty where no fit has epochs (ridge, persistence).
    """
    curves = [(css, curve) for css, curve in _loss_curves(fits) if len(curve) > 1]
    if not curves:
        return ()
    losses = np.concatenate([curve for _, curve in curves])
    losses = losses[np.isfinite(losses)]
    axis = linear_axis(float(losses.min()), float(losses.max()))
    epochs = max(len(curve) for _, curve in curves)
    return tuple(
        time_chart.Area(
            css,
            svg_paths.line_path(np.arange(len(curve)) / (epochs - 1), axis.to_fraction(curve)),
        )
        for css, curve in curves
    )


def _loss_curves(fits: Sequence[FitRecord]) -> list[tuple[str, Vector]]:
    """Class and losses by epoch, NaN where a loss is not finite."""
    return [
        (css, np.array([np.nan if loss is None else loss for loss in losses], dtype=np.float64))
        for fit in expand_ensemble_fits(fits)
        for css, losses in (("train", fit.train_loss), ("validation", fit.validation_loss))
    ]


def _failed_fits_text(failed: int, fits: int) -> str:
    if not failed:
        return ""
    return f"{formatting.COUNT(failed)} of {formatting.count_of(fits, 'fit')} left out"


def _loss_range_text(fits: Sequence[FitRecord]) -> str:
    curves = [curve for _, curve in _loss_curves(fits)]
    losses = np.concatenate([np.zeros(0), *curves])
    losses = losses[np.isfinite(losses)]
    epochs = max(map(len, curves), default=0)
    if epochs < 2 or not len(losses):
        return ""
    low, high = formatting.loss_value(losses.min()), formatting.loss_value(losses.max())
    return f"loss {low} to {high}, {formatting.count_of(epochs, 'epoch')}"


def _position_pct(axis: Axis, value: float) -> float:
    return round(100 * float(axis.to_fraction(np.array([value]))[0]), 2)
