"""How good the forecasts were."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import metrics_table
from engine.reporting.tearsheet.forecast_quality import forecast_quality_plots
from engine.reporting.tearsheet.section import TearsheetSection

if TYPE_CHECKING:
    from engine.runs.run import Run


def forecasts_section(run: Run) -> TearsheetSection:
    """Scores of every forecaster, by horizon where there are several, and of intervals; plots."""
    forecasters, scores = metrics_table.forecast_score_table(run.metrics)
    horizons, by_horizon = metrics_table.horizon_score_table(run.metrics, run.horizon)
    return TearsheetSection(
        "forecasts",
        "Forecasts",
        {
            "forecasters": forecasters,
            "scores": scores,
            "horizons": horizons,
            "scores_by_horizon": by_horizon,
            "plots": forecast_quality_plots(run),
            "intervals": metrics_table.describe_intervals(run.metrics),
        },
    )
