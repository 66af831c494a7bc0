"""Scores of the forecasts, by forecaster and by horizon, and their plots."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.book_styles import STRATEGY, ordered_book_styles
from engine.reporting.forecast_unit import RETURN_UNIT, ForecastUnit, forecast_unit
from engine.reporting.tearsheet._metrics_table import MetricDefinition, MetricsRow, metrics_row
from engine.reporting.tearsheet.forecast_quality import forecast_quality_plots
from engine.reporting.tearsheet.section import TearsheetSection
from engine.runs.documents.metrics import ForecastScores, HorizonScores

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.run import Run

R2 = "R\N{SUPERSCRIPT TWO}"

_METRICS = (
    MetricDefinition("bars", "Forecasts", formatting.COUNT, "bars with a known outcome"),
    MetricDefinition("mae_bps", "MAE", formatting.BPS, "mean absolute error", "low"),
    MetricDefinition("persistence_mae_bps", "MAE of no change", formatting.BPS, "naive forecast"),
    MetricDefinition("rmse_bps", "RMSE", formatting.BPS, "root mean squared error", "low"),
    MetricDefinition(
        "persistence_rmse_bps", "RMSE of no change", formatting.BPS, "naive forecast"
    ),
    MetricDefinition("r2", R2, formatting.FINE_RATIO, "against the mean", "high"),
    MetricDefinition(
        "r2_vs_persistence",
        f"{R2} against no change",
        formatting.FINE_RATIO,
        "above 0: better than the naive forecast",
        "high",
    ),
    MetricDefinition(
        "directional_accuracy_pct",
        "Directional accuracy",
        formatting.PERCENT,
        "forecasts with the right sign",
        "high",
    ),
    MetricDefinition(
        "up_share_pct", "Always up", formatting.PERCENT, "directional accuracy of always up"
    ),
    MetricDefinition("auc", "AUC", formatting.RATIO, "0.50 is chance", "high"),
)


def forecast_metrics(unit: ForecastUnit) -> tuple[MetricDefinition, ...]:
    """The scores, those of the size of an error in the unit of the target."""
    number_format = unit.number_format()
    return tuple(
        replace(metric, number_format=number_format, scale=unit.per_bps)
        if metric.number_format == formatting.BPS
        else metric
        for metric in _METRICS
    )


@dataclass(frozen=True)
class ForecastsContent:
    """Scores and plots of the forecasts.

    Attributes:
        forecasters: Columns of the table of scores.
        scores: Its rows.
        horizons: Columns of the table by horizon; empty for a single horizon.
        scores_by_horizon: Its rows.
        plots: Figures of the traded forecasts.
        intervals: Sentences on the forecast intervals.
    """

    forecasters: tuple[str, ...]
    scores: tuple[MetricsRow, ...]
    horizons: tuple[str, ...]
    scores_by_horizon: tuple[MetricsRow, ...]
    plots: tuple[XYPlot, ...]
    intervals: tuple[str, ...]


def forecasts_section(run: Run) -> TearsheetSection:
    """Scores of every forecaster, by horizon where there are several, and of intervals; plots."""
    forecasters = ordered_book_styles(run.metrics.forecasts)
    columns = [run.metrics.forecasts[book.key] for book in forecasters]
    strategy = run.metrics.forecasts.get(STRATEGY, ForecastScores())
    unit = forecast_unit(run)
    horizons, scores_by_horizon = horizon_score_table(strategy.horizons, run.horizon, unit)
    return TearsheetSection(
        "forecasts",
        "Forecasts",
        ForecastsContent(
            forecasters=tuple(book.label for book in forecasters),
            scores=tuple(metrics_row(metric, columns) for metric in forecast_metrics(unit)),
            horizons=horizons,
            scores_by_horizon=scores_by_horizon,
            plots=forecast_quality_plots(run),
            intervals=_interval_sentences(strategy, unit),
        ),
    )


def horizon_score_table(
    scores: Mapping[str, HorizonScores],
    traded_horizon: int,
    unit: ForecastUnit = RETURN_UNIT,
) -> tuple[tuple[str, ...], tuple[MetricsRow, ...]]:
    """Labels of the strategy's horizons, ascending, and a row for each score.

    Both are empty without horizons. No cell is the best of its row, because errors grow with the
    horizon.
    """
    horizons = sorted(map(int, scores))
    columns = [scores[str(bars)] for bars in horizons]
    labels = [
        formatting.count_of(bars, "bar") + (", traded" if bars == traded_horizon else "")
        for bars in horizons
    ]
    rows = [
        metrics_row(replace(metric, better_when=""), columns) for metric in forecast_metrics(unit)
    ]
    return tuple(labels), tuple(rows) if horizons else ()


def _interval_sentences(scores: ForecastScores, unit: ForecastUnit) -> tuple[str, ...]:
    """A sentence for each interval that the strategy forecast, and one on the pinball loss."""
    sentences = [
        f"The {formatting.confidence_level(interval.nominal_pct / 100)} forecast interval "
        f"contained {formatting.PERCENT(interval.coverage_pct)} of the outcomes; its mean "
        f"width was {unit.amount(interval.mean_width_bps)}."
        for interval in scores.intervals
    ]
    if "pinball_bps" in scores:
        sentences.append(
            f"Pinball loss of the quantiles: {unit.amount(scores.pinball_bps)}; of the "
            "unconditional quantiles of the train rows: "
            f"{unit.amount(scores.unconditional_pinball_bps)}."
        )
    return tuple(sentences)
