"""Figures of the forecasts that were traded: size, order and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.evaluation.forecasts.calibration import CalibrationBin, calibration_curve
from engine.evaluation.forecasts.directional_accuracy import (
    DirectionalAccuracy,
    measure_directional_accuracy,
)
from engine.evaluation.forecasts.scores import average_over_seeds
from engine.evaluation.forecasts.time_series_rank_correlation import (
    TimeSeriesRankCorrelation,
    time_series_rank_correlation,
)
from engine.evaluation.inference.regression import HacRegression, fit_hac_regression
from engine.evaluation.metrics.market_regimes import REGIME_NAMES
from engine.reporting import formatting
from engine.reporting.charts import forecast_quality as charts
from engine.reporting.regimes import REGIME_DESCRIPTION, market_regimes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.run import Run

BPS_PER_UNIT = 10_000.0
DEFAULT_CONFIDENCE = 0.95
SIGNIFICANT_T = 1.96
"""|t| from which an estimate is told from 0 at about 95 %."""

RANKS_NOTE = (
    "Ranks are those of the whole span. Ranked within each period, a forecast that prices return "
    "to their mean seems to have skill even on a random walk."
)

DIRECTION_NOTE = (
    "Beyond chance: where forecasts said down, and so differed from always up, they were right "
    "more than half the time, at a level corrected for the number of states."
)

CONSTANT_FORECAST_FINDING = "All forecasts are the same: their size and order tell nothing."


def forecast_quality_plots(run: Run) -> tuple[XYPlot, ...]:
    """Scatter, calibration, rank correlation and direction; nothing without a known outcome."""
    made = average_over_seeds(run.predictions, run.horizon)
    if made.empty:
        return ()
    confidence = run.significance.get("method", {}).get("confidence") or DEFAULT_CONFIDENCE
    stamps = pd.DatetimeIndex(made["timestamp"])
    span = (
        f"{formatting.date_range(stamps.min(), stamps.max())}, "
        f"{formatting.count_of(len(made), 'forecast')} of the return over "
        f"{formatting.count_of(run.horizon, 'bar')}"
    )
    plots = [_scatter_plot(made, span), _calibration_plot(made, confidence, run.horizon, span)]
    ranked = time_series_rank_correlation(made)
    if ranked.values:
        plots.append(
            charts.rank_correlation_plot(
                ranked,
                finding=_rank_correlation_finding(ranked),
                span=span,
                notes=_rank_notes(run.horizon),
            )
        )
    plots.append(_direction_plot(run, made, confidence, span))
    return tuple(plots)


def _scatter_plot(forecasts: pd.DataFrame, span: str) -> XYPlot:
    line = fit_hac_regression(forecasts["predicted"].to_numpy(), forecasts["actual"].to_numpy())
    return charts.forecast_scatter_plot(
        forecasts, line, finding=_regression_finding(forecasts, line), span=span
    )


def _regression_finding(forecasts: pd.DataFrame, regression: HacRegression | None) -> str:
    if regression is None:
        constant = forecasts["predicted"].nunique() == 1
        return (
            CONSTANT_FORECAST_FINDING if constant else "Too few forecasts for a line through them."
        )
    way = "higher" if regression.slope >= 0 else "lower"
    told = (
        f"For each {formatting.BPS(1.0)} of forecast the outcome was "
        f"{formatting.FINE_BPS(abs(regression.slope))} {way} "
        f"(t {formatting.SIGNED_RATIO(regression.slope_t_statistic)}, HAC; "
        f"correlation {formatting.SIGNED_RATIO(regression.correlation)})"
    )
    if regression.slope_t_statistic is None or abs(regression.slope_t_statistic) < SIGNIFICANT_T:
        return f"{told}: no more than chance gives a forecast that knows nothing."
    if regression.slope < 0:
        return f"{told}: the forecasts pointed the wrong way."
    return f"{told}; of a perfect forecast it is {formatting.BPS(1.0)}."


def _calibration_plot(
    forecasts: pd.DataFrame, confidence: float, horizon: int, span: str
) -> XYPlot:
    groups = calibration_curve(forecasts, confidence)
    level = formatting.confidence_level(confidence)
    overlap = " and outcomes that overlap" if horizon > 1 else ""
    return charts.calibration_plot(
        groups,
        finding=_calibration_finding(groups),
        description=f"Forecasts in {formatting.count_of(len(groups), 'group')} by size, of "
        f"{_group_sizes_text(groups)} each: what the group forecast on average and what came. "
        f"Lines are "
        f"{level} intervals from HAC errors, which allow for bars that hang together{overlap}.",
        span=span,
    )


def _group_sizes_text(groups: tuple[CalibrationBin, ...]) -> str:
    low, high = min(group.rows for group in groups), max(group.rows for group in groups)
    least = formatting.COUNT(low)
    return least if low == high else f"{least} to {formatting.COUNT(high)}"


def _calibration_finding(groups: tuple[CalibrationBin, ...]) -> str:
    if len(groups) == 1:
        lone = groups[0]
        return (
            f"Only one group can be told apart: its outcomes were "
            f"{formatting.SIGNED_BPS(BPS_PER_UNIT * lone.actual)} on average."
        )
    lowest, highest = groups[0], groups[-1]
    more = "more" if highest.actual > lowest.actual else "less"
    verdict = "as it should be" if more == "more" else "the opposite of what they said"
    told = (
        f"The highest group of forecasts was followed by {more} than the lowest, {verdict}: "
        f"{formatting.SIGNED_BPS(BPS_PER_UNIT * highest.actual)} against "
        f"{formatting.SIGNED_BPS(BPS_PER_UNIT * lowest.actual)} on average"
    )
    apart = _intervals_disjoint(lowest, highest)
    return f"{told}." if apart else f"{told}; their intervals overlap."


def _intervals_disjoint(one: CalibrationBin, other: CalibrationBin) -> bool:
    ends = (one.actual_low, one.actual_high, other.actual_low, other.actual_high)
    low, high, least, most = (end if end is not None else float("nan") for end in ends)
    return high < least or most < low


def _rank_correlation_finding(result: TimeSeriesRankCorrelation) -> str:
    periods = formatting.count_of(len(result.values), result.period)
    told = (
        f"The time-series rank correlation was "
        f"{formatting.FINE_SIGNED_RATIO(result.overall)} over {periods}"
    )
    if result.t_statistic is None:
        return f"{told}."
    share = formatting.confidence_level(round(result.positive_share or 0.0, 2))
    told += f" (t {formatting.SIGNED_RATIO(result.t_statistic)}), above 0 in {share} of them"
    if abs(result.t_statistic) < SIGNIFICANT_T:
        return f"{told}: no more than chance gives."
    return f"{told}." if result.t_statistic > 0 else f"{told}: the order was the wrong way round."


def _rank_notes(horizon: int) -> tuple[str, ...]:
    if horizon == 1:
        return (RANKS_NOTE,)
    return (
        RANKS_NOTE,
        f"Outcomes over {formatting.BARS(horizon)} overlap within a period and reach into the "
        "next: the t-statistic takes periods for independent and is somewhat too large.",
    )


def _direction_plot(run: Run, forecasts: pd.DataFrame, confidence: float, span: str) -> XYPlot:
    found: dict[str, DirectionalAccuracy] = {}
    for kind, names in REGIME_NAMES.items():
        states = market_regimes(run, kind).stack()
        label = states.reindex(
            pd.MultiIndex.from_frame(forecasts[["timestamp", "symbol"]])
        ).to_numpy()
        for name in names.values():
            there = measure_directional_accuracy(forecasts[label == name], run.horizon, confidence)
            if there is not None:
                found[name] = there
    whole = measure_directional_accuracy(forecasts, run.horizon, confidence)
    if whole is not None:
        found["all"] = whole
    level = formatting.confidence_level(confidence)
    notes = [DIRECTION_NOTE]
    if run.horizon > 1:
        notes.append(
            f"Intervals are those of one forecast in {formatting.COUNT(run.horizon)}, because "
            "outcomes overlap."
        )
    return charts.direction_plot(
        found,
        finding=direction_finding(found, run.horizon, confidence),
        description=f"How often the direction was right, with Wilson's {level} interval, beside "
        f"what "
        f"saying up each time would have scored in the same state. {REGIME_DESCRIPTION}",
        span=span,
        notes=tuple(notes),
    )


def direction_finding(
    directions: Mapping[str, DirectionalAccuracy], horizon: int, confidence: float
) -> str:
    """Whether the direction was right more often than always up, and in which states.

    A state counts where calls of down, the only ones that differ from always up, were right more
    than half the time beyond chance, the level corrected for the number of states (Bonferroni).

    Args:
        directions: State -> its figures, `all` among them.
        horizon: Bars ahead.
        confidence: Level of all states together.
    """
    states = {name: each for name, each in directions.items() if name != "all"}
    strict = 1 - (1 - confidence) / max(1, len(states))
    better = [name for name, each in states.items() if each.beats_always_up(horizon, strict)]
    whole = directions["all"]
    told = (
        f"The direction was right {formatting.PERCENT(100 * whole.hit_share)} of the time, "
        f"always up "
        f"{formatting.PERCENT(100 * whole.up_share)}"
    )
    if better:
        return f"{told}; it beat always up beyond chance in these states: {', '.join(better)}."
    return f"{told}; in no state did it beat always up beyond chance." if states else f"{told}."
