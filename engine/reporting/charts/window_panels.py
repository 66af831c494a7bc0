"""A small panel a window: what it learned from, how its fits went, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.loss_curves import draw_loss_curves, expand_ensemble_fits

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.charts.axes import Axis
    from engine.reporting.charts.time_chart import Area
    from engine.reporting.charts.window_timeline import WindowSpan, WindowTimeline


@dataclass(frozen=True)
class WindowSharpeRatios:
    """Sharpe ratios over one window's test bars, None where there is none.

    Attributes:
        strategy: Of the strategy, whose forecasts are the mean over its seeds.
        benchmark: Of buy and hold.
        seeds: Of the strategy traded on each seed alone; empty where that is not known.
    """

    strategy: float | None
    benchmark: float | None
    seeds: tuple[float | None, ...] = ()

    @property
    def known_ratios(self) -> tuple[float, ...]:
        """All there are."""
        every = (self.strategy, self.benchmark, *self.seeds)
        return tuple(ratio for ratio in every if ratio is not None)


@dataclass(frozen=True)
class SharpeMarker:
    """A place on the axis of Sharpe ratios: class, and per cent from the left."""

    css: str
    position: float


@dataclass(frozen=True)
class WindowPanel:
    """One window.

    Attributes:
        index: Of the window.
        test_span: Its test span.
        spans: Its parts, on the time axis that all windows share.
        curves: Loss by epoch of each fit, on an axis of the window's own; empty without epochs.
        loss_range: Ends of that axis and the number of epochs, in words; empty without epochs.
        markers: Sharpe ratios, on the axis that all windows share; the strategy last.
        strategy: Its ratio as text.
        benchmark: That of buy and hold.
        seeds: Lowest to highest of the seeds; empty where they are not known.
        failed_fits: How many fits were left out; empty where none was.
    """

    index: int
    test_span: str
    spans: tuple[WindowSpan, ...]
    curves: tuple[Area, ...]
    loss_range: str
    markers: tuple[SharpeMarker, ...]
    strategy: str
    benchmark: str
    seeds: str
    failed_fits: str


@dataclass(frozen=True)
class WindowPanels:
    """All windows; `zero_position` is where a ratio of 0 lies, `ratio_range` the axis in words."""

    panels: tuple[WindowPanel, ...]
    zero_position: float
    ratio_range: str


def make_window_panels(
    windows: Sequence[Mapping[str, Any]],
    timeline: WindowTimeline,
    ratios: Mapping[int, WindowSharpeRatios],
) -> WindowPanels:
    """A panel a window on shared axes of time and of Sharpe ratios.

    Args:
        windows: Of the manifest, at least one.
        timeline: The same windows, as `window_map` places them.
        ratios: By window.
    """
    known = [0.0, *(ratio for each in ratios.values() for ratio in each.known_ratios)]
    axis = linear_axis(min(known), max(known))
    placed = dict(timeline.rows)
    panels = tuple(
        _window_panel(window, placed[int(window["index"])], ratios[int(window["index"])], axis)
        for window in windows
    )
    reach = f"{formatting.SIGNED_RATIO(min(known))} to {formatting.SIGNED_RATIO(max(known))}"
    return WindowPanels(panels, _position_pct(axis, 0.0), reach)


def _window_panel(
    window: Mapping[str, Any],
    spans: tuple[WindowSpan, ...],
    ratios: WindowSharpeRatios,
    axis: Axis,
) -> WindowPanel:
    fits = window.get("fits") or []
    told = (("seed", ratios.seeds), ("benchmark", (ratios.benchmark,)),
            ("strategy", (ratios.strategy,)))  # fmt: skip
    marks = tuple(
        SharpeMarker(css, _position_pct(axis, ratio))
        for css, some in told
        for ratio in some
        if ratio is not None
    )
    seeds = [ratio for ratio in ratios.seeds if ratio is not None]
    failed = sum("failed" in fit for fit in fits)
    return WindowPanel(
        index=int(window["index"]),
        test_span=formatting.date_range(*window["test"]),
        spans=spans,
        curves=draw_loss_curves(fits),
        loss_range=_loss_range_text(fits),
        markers=marks,
        strategy=formatting.SIGNED_RATIO(ratios.strategy),
        benchmark=formatting.SIGNED_RATIO(ratios.benchmark),
        seeds=formatting.SIGNED_RATIO.interval(min(seeds), max(seeds)) if seeds else "",
        failed_fits=f"{formatting.COUNT(failed)} of {formatting.count_of(len(fits), 'fit')} "
        f"left out"
        if failed
        else "",
    )


def _loss_range_text(fits: Sequence[Mapping[str, Any]]) -> str:
    names = ("train_loss", "validation_loss")
    curves = [fit.get(name) or () for fit in expand_ensemble_fits(fits) for name in names]
    values = [float(loss) for curve in curves for loss in curve if formatting.is_finite(loss)]
    epochs = max(map(len, curves), default=0)
    if epochs < 2 or not values:
        return ""
    low, high = formatting.loss_value(min(values)), formatting.loss_value(max(values))
    return f"loss {low} to {high}, {formatting.count_of(epochs, 'epoch')}"


def _position_pct(axis: Axis, value: float) -> float:
    return round(100 * float(axis.to_fraction(np.array([value]))[0]), 2)
