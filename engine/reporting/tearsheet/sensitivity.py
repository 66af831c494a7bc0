"""Sensitivity of the result to costs, delay and threshold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle
from engine.reporting.charts.sharpe_curve import SharpeCurve, sharpe_curve_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.sensitivity_surface import break_even_sentence, sensitivity_heatmaps
from engine.reporting.tearsheet.capacity import capacity_plot
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.reporting.charts.heatmap import Heatmap
    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents.analysis import CostCurve
    from engine.runs.run import Run

CHARGED_COST_STYLE = LayerStyle("charged", "Cost charged", "reference")
BREAK_EVEN_STYLE = LayerStyle("break-even", "total return of zero", "down-side")

MAX_BREAK_EVEN_MULTIPLE = 2.0
"""A break-even cost up to this multiple of the highest cost tried is on the axis."""


@dataclass(frozen=True)
class SensitivityContent:
    """The surface, the cut through it along the cost, and the capacity where there is one."""

    finding: str
    span: str
    plot: XYPlot
    heatmaps: tuple[Heatmap, ...]
    capacity: XYPlot | None


def sensitivity_section(run: Run) -> TearsheetSection | None:
    """Cost curve and heat maps; None for a run without forecasts to trade on."""
    surface, curve = run.significance.sensitivity, run.analysis.cost_curve
    if surface is None or curve is None:
        return None
    span, capacity = describe_span(run.returns.index), run.significance.capacity
    return TearsheetSection(
        "fragility",
        "Sensitivity",
        SensitivityContent(
            finding=surface.sentence or "",
            span=span,
            plot=_cost_curve_plot(curve, finding=_cost_finding(run, curve), span=span),
            heatmaps=sensitivity_heatmaps(surface),
            capacity=None if capacity is None else capacity_plot(capacity, span),
        ),
    )


def _cost_finding(run: Run, curve: CostCurve) -> str:
    strategy = run.metrics.books.get(STRATEGY)
    paid = None if strategy is None else strategy.cost_paid_pct
    lost = curve.sharpe_lost_per_10_bps
    sentences = [
        break_even_sentence(run.significance),
        ""
        if lost is None
        else f"Each further {formatting.BPS(10.0)} a fill reduces it by about "
        f"{formatting.RATIO(lost)}.",
        ""
        if paid is None
        else f"Over the span costs came to {formatting.PERCENT(paid)} of the equity.",
    ]
    return " ".join(sentence for sentence in sentences if sentence)


def _cost_curve_plot(curve: CostCurve, *, finding: str, span: str) -> XYPlot:
    """The Sharpe ratio over the cost of a fill, at the run's own delay and threshold."""
    costs = [point.cost_bps for point in curve.points]
    break_even = curve.break_even_bps
    notes = _off_axis_note(break_even, axis_end=MAX_BREAK_EVEN_MULTIPLE * max(costs))
    if notes or not break_even:
        break_even = None
    return sharpe_curve_plot(
        SharpeCurve(
            across=LabelledAxis(
                "fee and slippage of a fill, bps", linear_axis(0.0, max(costs)), formatting.BPS
            ),
            values=costs,
            sharpe=[point.sharpe for point in curve.points],
            names=[f"at {formatting.BPS(cost)} a fill" for cost in costs],
            label="Sharpe ratio at other costs",
            marks=((CHARGED_COST_STYLE, curve.charged_bps), (BREAK_EVEN_STYLE, break_even)),
        ),
        key="cost-curve",
        title="Sharpe ratio over the cost of a fill",
        finding=finding,
        description="The same forecasts and decisions at other costs, filled "
        f"{formatting.count_of(curve.delay_bars, 'bar')} after the decision.",
        span=span,
        notes=notes,
    )


def _off_axis_note(break_even: float | None, *, axis_end: float) -> tuple[str, ...]:
    if break_even is None or break_even <= axis_end:
        return ()
    return (f"The total return is zero at {formatting.BPS(break_even)}, beyond this axis.",)
