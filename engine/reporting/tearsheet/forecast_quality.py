"""Plots of the traded forecasts: regression, calibration, rank correlation and direction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.reporting import formatting
from engine.reporting.charts import forecast_quality as charts
from engine.reporting.forecast_unit import ForecastUnit, forecast_unit
from engine.reporting.formatting import NO_BREAK_SPACE
from engine.reporting.tearsheet._attribution_groups import describe_regimes

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.reporting.charts.xy_plot import XYPlot
    from engine.runs.documents import Analysis
    from engine.runs.documents.analysis_forecasts import (
        CalibrationFigures,
        DirectionFigures,
        ForecastAnalysis,
        RankCorrelationFigures,
    )
    from engine.runs.run import Run

SIGNIFICANT_T = 1.96
"""|t| from which an estimate differs from 0 at about the 95 % level."""

ALL_REGIMES = "all"

RANKS_NOTE = (
    "Ranks are those of the whole span. With ranks within each period, a forecast of mean "
    "reversion of the price would seem to have skill even on a random walk."
)

DIRECTION_NOTE = (
    "Significant: the forecasts of down, which differ from always up, were right more than half "
    "of the time, at a level corrected for the number of regimes (Bonferroni)."
)


_TRANSFORMED = {
    "demeaned": "return less the mean of all symbols",
    "rank": "rank of the return among the symbols",
}


def _forecast_of(run: Run) -> str:
    """What of a return is forecast, see `target.transform`."""
    return _TRANSFORMED.get(run.manifest["strategy"].get("target", {}).get("transform"), "return")


def forecast_quality_plots(run: Run) -> tuple[XYPlot, ...]:
    """Scatter, calibration, rank correlation and direction; empty without a known outcome."""
    analysis, forecasts = run.analysis, run.analysis.forecasts
    if forecasts is None:
        return ()
    span = (
        f"{formatting.date_range(forecasts.first, forecasts.last)}, "
        f"{formatting.count_of(forecasts.rows, 'forecast')} of the {_forecast_of(run)} over "
        f"{formatting.count_of(forecasts.horizon, 'bar')}"
    )
    unit = forecast_unit(run)
    plots = [
        charts.forecast_scatter_plot(
            run.forecasts,
            forecasts.regression,
            finding=_regression_finding(forecasts, unit),
            span=span,
            unit=unit,
        ),
        _calibration_plot(forecasts, analysis.confidence, span, unit),
    ]
    if forecasts.rank_correlation is not None:
        plots.append(
            charts.rank_correlation_plot(
                forecasts.rank_correlation,
                finding=_rank_correlation_finding(forecasts.rank_correlation),
                span=span,
                notes=_rank_notes(forecasts.horizon),
            )
        )
    plots.append(_direction_plot(forecasts, analysis, span))
    return tuple(plots)


def _regression_finding(forecasts: ForecastAnalysis, unit: ForecastUnit) -> str:
    regression = forecasts.regression
    if regression is None and forecasts.constant:
        return "All forecasts are equal: a regression on them does not exist."
    if regression is None:
        return "There are too few forecasts for a regression."
    direction = "higher" if regression.slope >= 0 else "lower"
    one = unit.number_format()(1.0)
    sentence = (
        f"For each {one} of forecast the outcome was "
        f"{unit.number_format(2)(abs(regression.slope))} {direction} "
        f"(t{NO_BREAK_SPACE}{formatting.SIGNED_RATIO(regression.slope_t_statistic)}, HAC; "
        f"correlation {formatting.SIGNED_RATIO(regression.correlation)})"
    )
    if regression.slope_t_statistic is None or abs(regression.slope_t_statistic) < SIGNIFICANT_T:
        return f"{sentence}: not significantly different from no relation."
    if regression.slope < 0:
        return f"{sentence}: the forecasts have the wrong sign."
    return f"{sentence}; for a perfect forecast it is {one}."


def _calibration_plot(
    forecasts: ForecastAnalysis, confidence: float, span: str, unit: ForecastUnit
) -> XYPlot:
    groups = forecasts.calibration
    level = formatting.confidence_level(confidence)
    overlap = " and for overlapping outcomes" if forecasts.horizon > 1 else ""
    return charts.calibration_plot(
        groups,
        finding=_calibration_finding(groups, unit),
        description=f"Forecasts in {formatting.count_of(len(groups), 'group')} by size, "
        f"{_group_sizes_text(groups)} each: mean forecast and mean outcome of each group. Lines "
        f"are {level} intervals from HAC standard errors, which allow for autocorrelation"
        f"{overlap}.",
        span=span,
        unit=unit,
    )


def _group_sizes_text(groups: Sequence[CalibrationFigures]) -> str:
    low, high = min(group.rows for group in groups), max(group.rows for group in groups)
    lowest = formatting.COUNT(low)
    return lowest if low == high else f"{lowest} to {formatting.COUNT(high)}"


def _calibration_finding(groups: Sequence[CalibrationFigures], unit: ForecastUnit) -> str:
    lowest, highest = groups[0], groups[-1]
    if len(groups) == 1:
        return (
            "The forecasts form a single group: its mean outcome was "
            f"{unit.amount(lowest.actual_bps, signed=True)}."
        )
    is_higher = highest.actual_bps > lowest.actual_bps
    comparison = "higher, as forecast" if is_higher else "not higher, contrary to the forecasts"
    sentence = (
        "The mean outcome of the group with the highest forecasts was "
        f"{unit.amount(highest.actual_bps, signed=True)}, that of the lowest "
        f"{unit.amount(lowest.actual_bps, signed=True)}: {comparison}"
    )
    if _intervals_disjoint(lowest, highest):
        return f"{sentence}."
    return f"{sentence}; their intervals overlap."


def _intervals_disjoint(one: CalibrationFigures, other: CalibrationFigures) -> bool:
    ends = (one.actual_low_bps, one.actual_high_bps, other.actual_low_bps, other.actual_high_bps)
    low, high, other_low, other_high = (float("nan") if end is None else end for end in ends)
    return high < other_low or other_high < low


def _rank_correlation_finding(ranks: RankCorrelationFigures) -> str:
    periods = formatting.count_of(len(ranks.periods), ranks.period)
    sentence = (
        f"The rank correlation was {formatting.FINE_SIGNED_RATIO(ranks.overall)} over {periods}"
    )
    if ranks.t_statistic is None:
        return f"{sentence}."
    share = formatting.confidence_level(round(ranks.positive_share or 0.0, 2))
    t_statistic = formatting.SIGNED_RATIO(ranks.t_statistic)
    sentence += f" (t{NO_BREAK_SPACE}{t_statistic}), above 0 in {share} of them"
    if abs(ranks.t_statistic) < SIGNIFICANT_T:
        return f"{sentence}: not significantly different from 0."
    return f"{sentence}." if ranks.t_statistic > 0 else f"{sentence}: the order was reversed."


def _rank_notes(horizon: int) -> tuple[str, ...]:
    if horizon == 1:
        return (RANKS_NOTE,)
    return (
        RANKS_NOTE,
        f"Outcomes over {formatting.BARS(horizon)} overlap within a period and reach into the "
        "next: the t-statistic treats periods as independent and is somewhat too large.",
    )


def _direction_plot(forecasts: ForecastAnalysis, analysis: Analysis, span: str) -> XYPlot:
    level = formatting.confidence_level(analysis.confidence)
    notes = [DIRECTION_NOTE]
    if forecasts.horizon > 1:
        notes.append(
            f"Intervals are those of one forecast in {formatting.COUNT(forecasts.horizon)}, "
            "because outcomes overlap."
        )
    return charts.direction_plot(
        forecasts.direction,
        finding=direction_finding(forecasts.direction),
        description=f"Share of forecasts with the right direction, with Wilson's {level} "
        "interval, and that of always forecasting up in the same regime. "
        f"{describe_regimes(analysis.regimes)}",
        span=span,
        notes=tuple(notes),
    )


def direction_finding(directions: Sequence[DirectionFigures]) -> str:
    """Directional accuracy over all bars, and the regimes in which it beats always up."""
    total = next(direction for direction in directions if direction.state == ALL_REGIMES)
    regimes = [direction for direction in directions if direction.state != ALL_REGIMES]
    better = [direction.state for direction in regimes if direction.beats_always_up]
    sentence = (
        f"Directional accuracy was {formatting.PERCENT(total.hit_pct)}, that of always up "
        f"{formatting.PERCENT(total.up_pct)}"
    )
    if better:
        return f"{sentence}; it was significantly better in these regimes: {', '.join(better)}."
    return f"{sentence}; it was significantly better in no regime." if regimes else f"{sentence}."
