"""A small panel a window: what it learned from, how its fits went, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axis import linear_axis
from engine.reporting.charts.losses import loss_curves, trained

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.reporting.charts.axis import Axis
    from engine.reporting.charts.drawing import Area
    from engine.reporting.charts.windows import Span, WindowMap


@dataclass(frozen=True)
class Ratios:
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
    def known(self) -> tuple[float, ...]:
        """All there are."""
        every = (self.strategy, self.benchmark, *self.seeds)
        return tuple(ratio for ratio in every if ratio is not None)


@dataclass(frozen=True)
class Mark:
    """A place on the axis of Sharpe ratios: class, and per cent from the left."""

    css: str
    at: float


@dataclass(frozen=True)
class WindowPanel:
    """One window.

    Attributes:
        index: Of the window.
        test: Its test span.
        spans: Its parts, on the time axis that all windows share.
        curves: Loss by epoch of each fit, on an axis of the window's own; empty without epochs.
        losses: Ends of that axis and the number of epochs, in words; empty without epochs.
        marks: Sharpe ratios, on the axis that all windows share; the strategy last.
        strategy: Its ratio as text.
        benchmark: That of buy and hold.
        seeds: Lowest to highest of the seeds; empty where they are not known.
        failed: How many fits were left out; empty where none was.
    """

    index: int
    test: str
    spans: tuple[Span, ...]
    curves: tuple[Area, ...]
    losses: str
    marks: tuple[Mark, ...]
    strategy: str
    benchmark: str
    seeds: str
    failed: str


@dataclass(frozen=True)
class WindowPanels:
    """All windows; `zero` is the place of a ratio of 0, `reach` the ends of that axis in words."""

    panels: tuple[WindowPanel, ...]
    zero: float
    reach: str


def window_panels(
    windows: Sequence[Mapping[str, Any]], spans: WindowMap, ratios: Mapping[int, Ratios]
) -> WindowPanels:
    """A panel a window on shared axes of time and of Sharpe ratios.

    Args:
        windows: Of the manifest, at least one.
        spans: The same windows, as `window_map` places them.
        ratios: By window.
    """
    known = [0.0, *(ratio for each in ratios.values() for ratio in each.known)]
    axis = linear_axis(min(known), max(known))
    placed = dict(spans.rows)
    panels = tuple(
        _panel(window, placed[int(window["index"])], ratios[int(window["index"])], axis)
        for window in windows
    )
    reach = f"{formatting.SIGNED_RATIO(min(known))} to {formatting.SIGNED_RATIO(max(known))}"
    return WindowPanels(panels, _place(axis, 0.0), reach)


def _panel(
    window: Mapping[str, Any], spans: tuple[Span, ...], ratios: Ratios, axis: Axis
) -> WindowPanel:
    fits = window.get("fits") or []
    told = (("seed", ratios.seeds), ("benchmark", (ratios.benchmark,)),
            ("strategy", (ratios.strategy,)))  # fmt: skip
    marks = tuple(
        Mark(css, _place(axis, ratio)) for css, some in told for ratio in some if ratio is not None
    )
    seeds = [ratio for ratio in ratios.seeds if ratio is not None]
    failed = sum("failed" in fit for fit in fits)
    return WindowPanel(
        index=int(window["index"]),
        test=formatting.span(*window["test"]),
        spans=spans,
        curves=loss_curves(fits),
        losses=_losses(fits),
        marks=marks,
        strategy=formatting.SIGNED_RATIO(ratios.strategy),
        benchmark=formatting.SIGNED_RATIO(ratios.benchmark),
        seeds=formatting.SIGNED_RATIO.interval(min(seeds), max(seeds)) if seeds else "",
        failed=f"{formatting.COUNT(failed)} of {formatting.count_of(len(fits), 'fit')} left out"
        if failed
        else "",
    )


def _losses(fits: Sequence[Mapping[str, Any]]) -> str:
    names = ("train_loss", "validation_loss")
    curves = [fit.get(name) or () for fit in trained(fits) for name in names]
    values = [float(loss) for curve in curves for loss in curve if formatting.exists(loss)]
    epochs = max(map(len, curves), default=0)
    if epochs < 2 or not values:
        return ""
    low, high = formatting.loss(min(values)), formatting.loss(max(values))
    return f"loss {low} to {high}, {formatting.count_of(epochs, 'epoch')}"


def _place(axis: Axis, value: float) -> float:
    return round(100 * float(axis.place(np.array([value]))[0]), 2)
