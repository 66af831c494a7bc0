"""How good the forecasts were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import metrics_table
from engine.reporting.tearsheet.forecast_quality import quality_plots
from engine.reporting.tearsheet.section import Section

if TYPE_CHECKING:
    from engine.artifacts import Run


def forecasts(run: Run) -> Section:
    """Scores of every forecaster, by horizon where there are several, and of intervals; plots."""
    forecasters, scores = metrics_table.forecast_table(run.metrics)
    horizons, by_horizon = metrics_table.horizons_table(run.metrics, run.horizon)
    return Section(
        "forecasts",
        "Forecasts",
        {
            "forecasters": forecasters,
            "scores": scores,
            "horizons": horizons,
            "scores_by_horizon": by_horizon,
            "plots": quality_plots(run),
            "intervals": metrics_table.intervals(run.metrics),
        },
    )
