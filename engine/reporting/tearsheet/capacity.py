"""The Sharpe ratio against the money that the strategy trades."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts.axes import log_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle
from engine.reporting.charts.sharpe_curve import SharpeCurve, sharpe_curve_plot

if TYPE_CHECKING:
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents.significance_capacity import CapacityFigures

OWN_STYLE = LayerStyle("own", "Capital of the run", "reference")
CAPACITY_STYLE = LayerStyle("capacity", "Capacity", "down-side")


def describe_capacity(figures: CapacityFigures) -> str:
    """The capacity in a sentence, and what it is."""
    gross = f"{formatting.SIGNED_PERCENT(figures.gross_return_pct)} a year before costs"
    share = f"{figures.edge_kept_pct:g} %"
    low, high = (_money(figures.points[place].capital) for place in (0, -1))
    return {
        "found": f"The capacity is {_money(figures.capacity)}: with more, less than {share} of "
        f"the gross edge, {gross}, is left.",
        "above": f"At {high}, the largest capital tried, more than {share} of the gross edge, "
        f"{gross}, is left.",
        "below": f"Less than {share} of the gross edge, {gross}, is left at every capital from "
        f"{low} to {high}.",
        "no edge": f"There is no edge whose capacity could be told: {gross}.",
    }[figures.status]


def capacity_plot(figures: CapacityFigures, span: str) -> XYPlot:
    """The Sharpe ratio over capital, on a logarithmic axis."""
    capitals = [point.capital for point in figures.points]
    axis = log_axis(min(capitals), max(capitals), _tick_label)
    return sharpe_curve_plot(
        SharpeCurve(
            across=LabelledAxis("capital at the beginning", axis, formatting.COUNT),
            values=capitals,
            sharpe=[point.sharpe for point in figures.points],
            names=[f"with {_money(each)}" for each in capitals],
            label="Sharpe ratio with other capital",
            marks=((OWN_STYLE, figures.capital), (CAPACITY_STYLE, figures.capacity)),
        ),
        key="capacity",
        title="Sharpe ratio over capital",
        finding=describe_capacity(figures),
        description="The weights of the run, simulated again with other money at the beginning: "
        "minimums are a large share of small orders, market impact weighs on large ones. Where a "
        "cap of the volume leaves most of an order unfilled, the book holds other weights than "
        "those decided, and its ratio is that of another strategy.",
        span=span,
    )


def _tick_label(amount: float) -> str:
    for size, name in ((1e9, "bn"), (1e6, "m"), (1e3, "k")):
        if amount >= size:
            return f"{amount / size:g}{name}"
    return f"{amount:g}"


def _money(amount: float | None) -> str:
    """Three digits of an amount: a search has no more."""
    if amount is None:
        return formatting.MISSING
    for size, name in ((1e12, "trillion"), (1e9, "billion"), (1e6, "million")):
        if amount >= size:
            return f"{amount / size:.3g} {name}"
    return f"{float(f'{amount:.3g}'):,.0f}"
