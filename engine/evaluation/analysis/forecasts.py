"""Size, order and direction of the forecasts that were traded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.forecasts.calibration import calibration_curve
from engine.evaluation.forecasts.directional_accuracy import (
    DirectionalAccuracy,
    measure_directional_accuracy,
)
from engine.evaluation.forecasts.time_series_rank_correlation import (
    time_series_rank_correlation,
)
from engine.evaluation.inference.regression import fit_hac_regression
from engine.evaluation.metrics.market_regimes import REGIME_NAMES
from engine.runs.documents.analysis_forecasts import (
    CalibrationFigures,
    DirectionFigures,
    ForecastAnalysis,
    ForecastRegressionFigures,
    RankCorrelationFigures,
    RankPeriodFigures,
)

if TYPE_CHECKING:
    from engine.evaluation.analysis.regimes import MarketStates
    from engine.runs.run import Run

_BPS_PER_UNIT = 10_000.0
ALL_STATES = "all"


def analyse_forecasts(
    run: Run, forecasts: pd.DataFrame, confidence: float, states: MarketStates
) -> ForecastAnalysis | None:
    """Regression, calibration, rank correlation and direction.

    Args:
        run: The run.
        forecasts: Its traded forecasts, as `scores.average_over_seeds` gives them.
        confidence: Level of the intervals.
        states: Of its markets.

    Returns:
        None without a known outcome.
    """
    if forecasts.empty:
        return None
    stamps = pd.DatetimeIndex(forecasts["timestamp"])
    return ForecastAnalysis(
        horizon=run.horizon,
        rows=len(forecasts),
        first=stamps.min().isoformat(),
        last=stamps.max().isoformat(),
        constant=forecasts["predicted"].nunique() == 1,
        regression=_regression(forecasts),
        calibration=_calibration(forecasts, confidence),
        rank_correlation=_rank_correlation(forecasts),
        direction=_directions(run, forecasts, confidence, states),
    )


def _regression(forecasts: pd.DataFrame) -> ForecastRegressionFigures | None:
    line = fit_hac_regression(forecasts["predicted"].to_numpy(), forecasts["actual"].to_numpy())
    if line is None:
        return None
    return ForecastRegressionFigures(
        intercept_bps=_BPS_PER_UNIT * line.intercept,
        slope=line.slope,
        slope_t_statistic=line.slope_t_statistic,
        correlation=line.correlation,
    )


def _calibration(forecasts: pd.DataFrame, confidence: float) -> tuple[CalibrationFigures, ...]:
    return tuple(
        CalibrationFigures(
            number=group.number,
            rows=group.rows,
            low_bps=_BPS_PER_UNIT * group.low,
            high_bps=_BPS_PER_UNIT * group.high,
            predicted_bps=_BPS_PER_UNIT * group.predicted,
            actual_bps=_BPS_PER_UNIT * group.actual,
            actual_low_bps=_scale_to_bps(group.actual_low),
            actual_high_bps=_scale_to_bps(group.actual_high),
        )
        for group in calibration_curve(forecasts, confidence)
    )


def _scale_to_bps(value: float | None) -> float | None:
    return None if value is None else _BPS_PER_UNIT * value


def _rank_correlation(forecasts: pd.DataFrame) -> RankCorrelationFigures | None:
    ranked = time_series_rank_correlation(forecasts)
    if not ranked.values:
        return None
    return RankCorrelationFigures(
        period=ranked.period,
        periods=tuple(
            RankPeriodFigures(label=label, value=value, rows=rows)
            for label, value, rows in zip(
                ranked.period_labels, ranked.values, ranked.rows, strict=True
            )
        ),
        overall=ranked.overall,
        t_statistic=ranked.t_statistic,
        positive_share=ranked.positive_share,
    )


def _directions(
    run: Run, forecasts: pd.DataFrame, confidence: float, markets: MarketStates
) -> tuple[DirectionFigures, ...]:
    """By state of volatility and trend, then of all.

    A state counts as better than always up at a level corrected for the number of states
    (Bonferroni).
    """
    found: dict[str, DirectionalAccuracy] = {}
    row = markets.index.get_indexer(pd.DatetimeIndex(forecasts["timestamp"]))
    for kind, states in markets.at_close().items():
        column = states.columns.get_indexer(pd.Index(forecasts["symbol"]))
        label = np.where((row >= 0) & (column >= 0), states.to_numpy()[row, column], np.nan)
        for name in REGIME_NAMES[kind].values():
            measured = measure_directional_accuracy(
                forecasts[label == name], run.horizon, confidence
            )
            if measured is not None:
                found[name] = measured
    strict = 1 - (1 - confidence) / max(1, len(found))
    figures = [
        _direction(name, each, beats=each.beats_always_up(run.horizon, strict))
        for name, each in found.items()
    ]
    whole = measure_directional_accuracy(forecasts, run.horizon, confidence)
    if whole is not None:
        beats = whole.beats_always_up(run.horizon, confidence)
        figures.append(_direction(ALL_STATES, whole, beats=beats))
    return tuple(figures)


def _direction(state: str, measured: DirectionalAccuracy, *, beats: bool) -> DirectionFigures:
    hits = measured.down_hit_share
    return DirectionFigures(
        state=state,
        rows=measured.rows,
        hit_pct=100.0 * measured.hit_share,
        low_pct=100.0 * measured.low,
        high_pct=100.0 * measured.high,
        up_pct=100.0 * measured.up_share,
        down_forecasts=measured.down_forecasts,
        down_hit_pct=None if hits is None else 100.0 * hits,
        beats_always_up=beats,
    )
