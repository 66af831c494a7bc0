"""Returns by size: how often each came, and how far the tails reach."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts import marks
from engine.reporting.charts.axis import linear_axis, log_axis
from engine.reporting.charts.marks import Frame, Scale, Style
from engine.reporting.charts.plot import Plot

if TYPE_CHECKING:
    from engine.types import Vector

FEWEST_BINS = 12
MOST_BINS = 80
RANKS_DRAWN_WHOLE = 60
STEPS_OF_A_TAIL = 120


@dataclass(frozen=True)
class Sample:
    """A book's returns: its name and classes, simple returns of shape (n,) in per cent."""

    label: str
    css: str
    percent: Vector

    @property
    def moved(self) -> Vector:
        """Without the bars that returned exactly nothing."""
        moved: Vector = self.percent[self.percent != 0]
        return moved

    @property
    def normal(self) -> NormalDist | None:
        """Of the same mean and standard deviation (ddof 1); None without variation."""
        spread = float(self.percent.std(ddof=1)) if len(self.percent) > 1 else 0.0
        return NormalDist(float(self.percent.mean()), spread) if spread > 0 else None


def bin_edges(values: Vector) -> Vector:
    """Edges of equal bins over all values, one of them at 0.

    The width is Freedman and Diaconis', 2 x interquartile range / n^(1/3), between 12 and 80 bins.

    Args:
        values: Shape (n,).

    Returns:
        Shape (bins + 1,), ascending.

    Source: Freedman & Diaconis (1981), On the histogram as a density estimator.
    """
    if not len(values) or np.ptp(values) == 0:
        centre = float(values[0]) if len(values) else 0.0
        return np.linspace(min(0.0, centre) - 1.0, max(0.0, centre) + 1.0, FEWEST_BINS + 1)
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    length = float(np.ptp(values))
    wanted = 2.0 * spread / len(values) ** (1 / 3)
    width = min(max(wanted, length / MOST_BINS), length / FEWEST_BINS)
    first, last = np.floor(values.min() / width), np.floor(values.max() / width) + 1
    edges: Vector = np.arange(first, last + 1) * width
    return edges


def histogram(strategy: Sample, other: Sample | None, *, finding: str, span: str) -> Plot:
    """Share of the bars in each bin of returns, the other book's outlined.

    Args:
        strategy: Its bars.
        other: Beside it, on the same bars.
        finding: What the figures say.
        span: Over which bars.
    """
    samples = [strategy, *([other] if other else [])]
    edges = bin_edges(np.concatenate([sample.moved for sample in samples]))
    sides = (edges[:-1], edges[1:])
    shares = [100.0 * np.histogram(each.moved, edges)[0] / len(each.percent) for each in samples]
    curve = _bell(strategy, edges)
    highest = max(float(share.max(initial=1.0)) for share in (*shares, curve[1]))
    frame = Frame(
        Scale(
            "return of a bar, per cent",
            linear_axis(float(edges[0]), float(edges[-1]), ticks=8),
            formatting.FINE_PERCENT,
        ),
        Scale("per cent of all bars", linear_axis(0.0, highest, ticks=4), formatting.PERCENT),
    )
    names = [formatting.FINE_PERCENT.interval(*pair) for pair in zip(*sides, strict=True)]
    layers = [
        marks.bars(frame, _style("strategy", strategy), sides, shares[0], names),
        *(
            marks.steps(frame, _style("other", sample), sides, share, names)
            for sample, share in zip(samples[1:], shares[1:], strict=True)
        ),
        marks.line(frame, Style("normal", "Normal", "reference"), *curve),
        marks.up_at(frame, Style("zero", "", "zero"), 0.0),
    ]
    return Plot(
        key="histogram",
        title="Returns of a bar",
        finding=finding,
        says="How often a bar returned so much, after costs; dashed, a normal distribution of the "
        "strategy's own mean and standard deviation.",
        span=span,
        frame=frame,
        layers=tuple(layers),
        notes=_flat_note(samples),
    )


def tail_plot(strategy: Sample, other: Sample | None, *, finding: str, span: str) -> Plot:
    """Share of the bars that lost, or gained, at least so much, on a log axis.

    Args:
        strategy: Its bars.
        other: Beside it, on the same bars.
        finding: What the figures say.
        span: Over which bars.
    """
    samples = [strategy, *([other] if other else [])]
    reach = max(float(np.abs(sample.percent).max()) for sample in samples)
    lowest = 100.0 / max(len(sample.percent) for sample in samples)
    frame = Frame(
        Scale("size of the loss or gain, per cent", linear_axis(0.0, reach), formatting.PERCENT),
        Scale(
            "bars at least as large, per cent",
            log_axis(min(lowest, 50.0), 100.0),
            formatting.FINE_PERCENT,
        ),
    )
    layers = [
        marks.line(
            frame, Style("normal", "Normal, losses", "reference"), *_below(strategy, frame)
        ),
        *(
            _tail(frame, Style("other", f"{each.label}, losses", each.css), -each.percent)
            for each in samples[1:]
        ),
        _tail(frame, Style("gains", f"{strategy.label}, gains", "hue-4"), strategy.percent),
        _tail(frame, Style("losses", f"{strategy.label}, losses", "hue-0"), -strategy.percent),
    ]
    return Plot(
        key="tails",
        title="Tails",
        finding=finding,
        says="The share of all bars that lost, or gained, at least so much, on a log axis; the "
        "lowest point of a line is the one worst or best bar. Where a line runs above the "
        "dashed one, bars so large came more often than a normal distribution allows.",
        span=span,
        frame=frame,
        layers=tuple(layers),
    )


def exceedances(sizes: Vector) -> tuple[Vector, Vector]:
    """Sizes above 0 and the share of all that are at least as large, the largest first.

    Args:
        sizes: Shape (n,), losses above 0 or gains above 0.

    Returns:
        Shapes (m,): sizes and shares in per cent, m / n at most 1; every rank of the largest 60,
        of the others as many as are told apart on a log axis.
    """
    ordered = np.sort(sizes[sizes > 0])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    if len(ordered) > RANKS_DRAWN_WHOLE:
        rare = np.geomspace(RANKS_DRAWN_WHOLE, len(ordered), STEPS_OF_A_TAIL)
        ranks = np.unique(np.concatenate((ranks[:RANKS_DRAWN_WHOLE], np.rint(rare).astype(int))))
    return ordered[ranks - 1], 100.0 * ranks / len(sizes)


def _tail(frame: Frame, style: Style, sizes: Vector) -> marks.Layer:
    size, share = exceedances(sizes)
    whole = formatting.BARS(len(sizes))
    bars = np.rint(share * len(sizes) / 100.0)
    names = [f"{formatting.COUNT(count)} of {whole}" for count in bars.tolist()]
    return marks.line(frame, style, size, share, names)


def _bell(sample: Sample, edges: Vector) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has around each place."""
    normal = sample.normal
    places = np.linspace(edges[0], edges[-1], 201)
    if normal is None:
        return np.zeros(0), np.zeros(0)
    width = float(edges[1] - edges[0])
    return places, np.array([100.0 * width * normal.pdf(place) for place in places.tolist()])


def _below(sample: Sample, frame: Frame) -> tuple[Vector, Vector]:
    """Share of the bars, in per cent, that a normal distribution has below each loss."""
    normal = sample.normal
    if normal is None:
        return np.zeros(0), np.zeros(0)
    sizes = np.linspace(0.0, frame.across.axis.high, 201)
    shares = np.array([100.0 * normal.cdf(-size) for size in sizes.tolist()])
    drawn = shares >= frame.up.axis.low
    return sizes[drawn], shares[drawn]


def _style(key: str, sample: Sample) -> Style:
    return Style(key, sample.label, sample.css)


def _flat_note(samples: list[Sample]) -> tuple[str, ...]:
    flat = [(each.label, len(each.percent) - len(each.moved)) for each in samples]
    told = [f"{label} {formatting.COUNT(count)}" for label, count in flat if count]
    if not told:
        return ()
    return (
        "Not drawn: bars that returned exactly nothing, as while nothing is held: "
        f"{', '.join(told)}. The figures and the normal distribution count them.",
    )
