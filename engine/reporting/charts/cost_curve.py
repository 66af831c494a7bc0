"""The Sharpe ratio over the cost of a fill."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting import formatting
from engine.reporting.charts.axis import linear_axis
from engine.reporting.charts.marks import Frame, Scale, Style, across_at, dots, line, up_at
from engine.reporting.charts.plot import Plot

if TYPE_CHECKING:
    from collections.abc import Mapping

CURVE = Style("curve", "Sharpe ratio at other costs", "hue-0 strong")
POINTS = Style("points", "", "hue-0 large")
CHARGED = Style("charged", "Cost charged", "reference")
BREAK_EVEN = Style("break-even", "Sharpe ratio of zero", "down-side")
ZERO = Style("zero", "", "zero")

STRETCH = 2.0
"""The axis reaches for a break-even cost up to this many times the dearest cost tried."""


def cost_curve(found: Mapping[str, Any], *, finding: str, span: str) -> Plot:
    """The surface cut along the cost, at the run's own delay and threshold.

    Args:
        found: `fragility` of significance.json.
        finding: What it says.
        span: Over which bars.
    """
    costs, ratios = _cut(found)
    limit = found.get("break_even_cost_bps")
    notes = _note(limit, reach=STRETCH * float(costs.max()))
    if limit is not None and not notes:
        costs, ratios = _with(costs, ratios, float(limit))
    known = np.append(ratios[np.isfinite(ratios)], 0.0)
    frame = Frame(
        Scale("fee and slippage of a fill, bps", linear_axis(0.0, costs.max()), formatting.BPS),
        Scale(
            "Sharpe ratio a year",
            linear_axis(float(known.min()), float(known.max())),
            formatting.SIGNED_RATIO,
        ),
    )
    names = [f"at {formatting.BPS(cost)} a fill" for cost in costs.tolist()]
    marked = [] if limit is None or notes else [up_at(frame, BREAK_EVEN, float(limit))]
    layers = (
        across_at(frame, ZERO, 0.0),
        up_at(frame, CHARGED, float(found["chosen"]["cost_bps"])),
        *marked,
        line(frame, CURVE, costs, ratios),
        dots(frame, POINTS, costs, ratios, names),
    )
    chosen = found["chosen"]
    return Plot(
        key="cost-curve",
        title="Sharpe ratio over the cost of a fill",
        finding=finding,
        says=(
            "The same forecasts and decisions, charged other costs, filled "
            f"{formatting.count_of(chosen['delay_bars'], 'bar')} after the decision and at the "
            "threshold of the strategy."
        ),
        span=span,
        frame=frame,
        layers=layers,
        notes=notes,
    )


def _cut(found: Mapping[str, Any]) -> tuple[np.ndarray, np.ndarray]:
    delay = found["delay_bars"].index(found["chosen"]["delay_bars"])
    entry = found["threshold"].index(found["chosen"]["threshold"])
    ratios = [sheet[delay][entry] for sheet in found["sharpe"]]
    return (
        np.array(found["cost_bps"], dtype=np.float64),
        np.array([np.nan if ratio is None else ratio for ratio in ratios], dtype=np.float64),
    )


def _with(costs: np.ndarray, ratios: np.ndarray, limit: float) -> tuple[np.ndarray, np.ndarray]:
    """The point of the break-even cost too, where the ratio is 0, in its place."""
    place = int(np.searchsorted(costs, limit))
    return np.insert(costs, place, limit), np.insert(ratios, place, 0.0)


def _note(limit: float | None, *, reach: float) -> tuple[str, ...]:
    if limit is None or limit <= reach:
        return ()
    return (f"The Sharpe ratio is zero at {formatting.BPS(limit)}, beyond this axis.",)
