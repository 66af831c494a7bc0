"""What is left of the result with other costs, other delays and other thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.axes import linear_axis
from engine.reporting.charts.plot_layers import (
    LabelledAxis,
    LayerStyle,
    XYAxes,
    dot_layer,
    horizontal_line,
    line_layer,
    vertical_line,
)
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.charts.xy_plot import XYPlot
from engine.reporting.significance.robustness import break_even_sentence, sensitivity_heatmaps
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.run import Run

COST_STEP_BPS = 10.0

CURVE_STYLE = LayerStyle("curve", "Sharpe ratio at other costs", "hue-0 strong")
POINT_STYLE = LayerStyle("points", "", "hue-0 large")
CHARGED_COST_STYLE = LayerStyle("charged", "Cost charged", "reference")
BREAK_EVEN_STYLE = LayerStyle("break-even", "Sharpe ratio of zero", "down-side")
ZERO_LINE = LayerStyle("zero", "", "zero")

MAX_BREAK_EVEN_MULTIPLE = 2.0
"""The axis reaches for a break-even cost up to this many times the dearest cost tried."""


def sensitivity_section(run: Run) -> TearsheetSection | None:
    """The surface, and a cut through it; nothing where there is no forecast to trade on."""
    found = run.significance.get("fragility")
    if not found:
        return None
    span = describe_span(pd.DatetimeIndex(run.returns.index))
    return TearsheetSection(
        "fragility",
        "Costs and fragility",
        {
            "finding": found.get("sentence") or "",
            "span": span,
            "plot": _cost_curve_plot(found, finding=_sensitivity_finding(run, found), span=span),
            "maps": sensitivity_heatmaps(found),
        },
    )


def _sensitivity_finding(run: Run, surface: Mapping[str, Any]) -> str:
    paid = run.metrics["books"].get(STRATEGY, {}).get("cost_paid_pct")
    told = [
        break_even_sentence(run.significance),
        _cost_slope_sentence(surface),
        f"Over the span costs came to {formatting.PERCENT(paid)} of the equity."
        if formatting.is_finite(paid)
        else "",
    ]
    return " ".join(sentence for sentence in told if sentence)


def _cost_slope_sentence(surface: Mapping[str, Any]) -> str:
    """What a dearer fill takes off, from the cost charged to the dearest that was tried."""
    chosen = surface["chosen"]
    delay = surface["delay_bars"].index(chosen["delay_bars"])
    entry = surface["threshold"].index(chosen["threshold"])
    dearest, last = surface["cost_bps"][-1], surface["sharpe"][-1][delay][entry]
    if chosen["sharpe"] is None or last is None or dearest <= chosen["cost_bps"]:
        return ""
    slope = (chosen["sharpe"] - last) / (dearest - chosen["cost_bps"])
    return (
        f"Each further {formatting.BPS(COST_STEP_BPS)} a fill takes about "
        f"{formatting.RATIO(COST_STEP_BPS * slope)} off it."
    )


def _cost_curve_plot(surface: Mapping[str, Any], *, finding: str, span: str) -> XYPlot:
    """The surface cut along the cost, at the run's own delay and threshold.

    Args:
        surface: `fragility` of significance.json.
        finding: What it says.
        span: Over which bars.
    """
    costs, ratios = _sharpe_by_cost(surface)
    limit = surface.get("break_even_cost_bps")
    notes = _off_axis_note(limit, axis_end=MAX_BREAK_EVEN_MULTIPLE * float(costs.max()))
    if limit is not None and not notes:
        costs, ratios = _insert_break_even(costs, ratios, float(limit))
    known = np.append(ratios[np.isfinite(ratios)], 0.0)
    frame = XYAxes(
        LabelledAxis(
            "fee and slippage of a fill, bps", linear_axis(0.0, costs.max()), formatting.BPS
        ),
        LabelledAxis(
            "Sharpe ratio a year",
            linear_axis(float(known.min()), float(known.max())),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [f"at {formatting.BPS(cost)} a fill" for cost in costs.tolist()]
    marked = (
        [] if limit is None or notes else [vertical_line(frame, BREAK_EVEN_STYLE, float(limit))]
    )
    layers = (
        horizontal_line(frame, ZERO_LINE, 0.0),
        vertical_line(frame, CHARGED_COST_STYLE, float(surface["chosen"]["cost_bps"])),
        *marked,
        line_layer(frame, CURVE_STYLE, costs, ratios),
        dot_layer(frame, POINT_STYLE, costs, ratios, names),
    )
    chosen = surface["chosen"]
    return XYPlot(
        key="cost-curve",
        title="Sharpe ratio over the cost of a fill",
        finding=finding,
        description=(
            "The same forecasts and decisions, charged other costs, filled "
            f"{formatting.count_of(chosen['delay_bars'], 'bar')} after the decision and at the "
            "threshold of the strategy."
        ),
        span=span,
        axes=frame,
        layers=layers,
        notes=notes,
    )


def _sharpe_by_cost(surface: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    delay = surface["delay_bars"].index(surface["chosen"]["delay_bars"])
    entry = surface["threshold"].index(surface["chosen"]["threshold"])
    ratios = [sheet[delay][entry] for sheet in surface["sharpe"]]
    return (
        np.array(surface["cost_bps"], dtype=np.float64),
        np.array([np.nan if ratio is None else ratio for ratio in ratios], dtype=np.float64),
    )


def _insert_break_even(
    costs: np.ndarray, ratios: np.ndarray, break_even: float
) -> tuple[np.ndarray, np.ndarray]:
    """The point of the break-even cost too, where the ratio is 0, in its place."""
    place = int(np.searchsorted(costs, break_even))
    return np.insert(costs, place, break_even), np.insert(ratios, place, 0.0)


def _off_axis_note(break_even: float | None, *, axis_end: float) -> tuple[str, ...]:
    if break_even is None or break_even <= axis_end:
        return ()
    return (f"The Sharpe ratio is zero at {formatting.BPS(break_even)}, beyond this axis.",)
