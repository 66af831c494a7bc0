"""What is left of the result with other costs, other delays and other thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY
from engine.reporting.charts.cost_curve import cost_curve_plot
from engine.reporting.charts.time_chart import describe_span
from engine.reporting.significance.robustness import break_even_sentence, sensitivity_heatmaps
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.runs.run import Run

COST_STEP_BPS = 10.0


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
            "plot": cost_curve_plot(found, finding=_sensitivity_finding(run, found), span=span),
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
