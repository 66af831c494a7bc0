"""What is left of the result with other costs, other delays and other thresholds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.reporting import formatting
from engine.reporting.books import STRATEGY
from engine.reporting.charts.cost_curve import cost_curve
from engine.reporting.charts.drawing import span_of
from engine.reporting.significance.robustness import fragility_line, surface_maps
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.artifacts import Run

STEP_BPS = 10.0


def fragility(run: Run) -> Section | None:
    """The surface, and a cut through it; nothing where there is no forecast to trade on."""
    found = run.significance.get("fragility")
    if not found:
        return None
    span = span_of(pd.DatetimeIndex(run.returns.index))
    return Section(
        "fragility",
        "Costs and fragility",
        {
            "finding": found.get("sentence") or "",
            "span": span,
            "plot": cost_curve(found, finding=_finding(run, found), span=span),
            "maps": surface_maps(found),
        },
    )


def _finding(run: Run, found: Mapping[str, Any]) -> str:
    paid = run.metrics["books"].get(STRATEGY, {}).get("cost_paid_pct")
    told = [
        fragility_line(run.significance),
        _each_step(found),
        f"Over the span costs came to {formatting.PERCENT(paid)} of the equity."
        if formatting.exists(paid)
        else "",
    ]
    return " ".join(sentence for sentence in told if sentence)


def _each_step(found: Mapping[str, Any]) -> str:
    """What a dearer fill takes off, from the cost charged to the dearest that was tried."""
    chosen = found["chosen"]
    delay = found["delay_bars"].index(chosen["delay_bars"])
    entry = found["threshold"].index(chosen["threshold"])
    dearest, last = found["cost_bps"][-1], found["sharpe"][-1][delay][entry]
    if chosen["sharpe"] is None or last is None or dearest <= chosen["cost_bps"]:
        return ""
    slope = (chosen["sharpe"] - last) / (dearest - chosen["cost_bps"])
    return (
        f"Each further {formatting.BPS(STEP_BPS)} a fill takes about "
        f"{formatting.RATIO(STEP_BPS * slope)} off it."
    )
