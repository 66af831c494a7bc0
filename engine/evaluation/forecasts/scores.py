"""Forecast scores: errors, direction and quantiles, next to those of persistence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.core.errors import TrainingError
from engine.evaluation.metrics.return_metrics import finite_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from engine.core.types import Vector


def average_over_seeds(predictions: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """The traded forecasts of one horizon: the mean over seeds, where the outcome is known.

    Args:
        predictions: As `runs.Run` describes them.
        horizon: Bars ahead.

    Returns:
        `timestamp`, `symbol`, `predicted`, `actual`, by timestamp and symbol.
    """
    rows = predictions[predictions["horizon"] == horizon]
    means = rows.groupby(["timestamp", "symbol"], as_index=False)[["predicted", "actual"]].mean()
    return means.dropna(subset=["predicted", "actual"]).reset_index(drop=True)


def score_forecasts(
    predicted: Vector, actual: Vector, persistence: Vector
) -> dict[str, float | int | None]:
    """Scores predicted returns against realised ones, next to price persistence.

    Args:
        predicted: Predicted simple returns, shape (n,).
        actual: Realised returns, shape (n,); rows where it is NaN, not known yet, are left out.
        persistence: Returns predicted by persistence, shape (n,): all 0 where that is the last
            price.

    Returns:
        bars: Rows scored.
        mae_bps, rmse_bps: Mean absolute and root mean squared error.
        r2: 1 - SSE / sum((actual - its mean)^2).
        directional_accuracy_pct: Rows with the right direction; 0 counts as down, on both sides,
            so that persistence always predicts down.
        auc: Area under the ROC curve of the predicted return as the score of "up"; see `auc`.
        persistence_mae_bps, persistence_rmse_bps: The same errors of persistence.
        r2_vs_persistence: 1 - SSE / SSE of persistence.
        up_share_pct: Rows that went up: the accuracy of always predicting up.
        None where a score is not defined, as all are without a known row.

    Raises:
        TrainingError: A prediction is not finite where the outcome is known.
    """
    known = ~np.isnan(actual)
    predicted, actual, persistence = predicted[known], actual[known], persistence[known]
    if not (np.isfinite(predicted).all() and np.isfinite(persistence).all()):
        raise TrainingError(
            "some predictions are not finite",
            expected="a finite predicted return on every row whose outcome is known",
            found=f"{int((~np.isfinite(predicted)).sum())} of {len(predicted)} rows without",
        )
    error, persistence_error = actual - predicted, actual - persistence
    up = actual > 0
    return {
        "bars": len(actual),
        "mae_bps": _scaled_mean(np.abs(error), 10_000),
        "rmse_bps": _rmse_bps(error),
        "r2": _r_squared(error, actual - actual.mean() if len(actual) else actual),
        "directional_accuracy_pct": _scaled_mean((predicted > 0) == up, 100),
        "auc": auc(predicted, up),
        "persistence_mae_bps": _scaled_mean(np.abs(persistence_error), 10_000),
        "persistence_rmse_bps": _rmse_bps(persistence_error),
        "r2_vs_persistence": _r_squared(error, persistence_error),
        "up_share_pct": _scaled_mean(up, 100),
    }


def score_quantiles(
    quantiles: Mapping[float, Vector],
    actual: Vector,
    unconditional: Mapping[float, Vector],
) -> dict[str, Any]:
    """Scores quantile forecasts: interval coverage and pinball loss, against past quantiles.

    Args:
        quantiles: Level -> forecast quantile of the simple return, shape (n,).
        actual: Realised returns, shape (n,); rows where it is NaN, not known yet, are left out.
        unconditional: Quantiles of past returns at the same levels, which use no features.

    Returns:
        pinball_bps: Mean over the rows and the levels q of max(q e, (q - 1) e), e = actual less
            quantile (Koenker & Bassett 1978); a proper score: the true quantiles have the lowest
            expected loss.
        unconditional_pinball_bps: The same for `unconditional`.
        intervals: One for each pair of levels q and 1 - q, the widest first: `low` and `high`
            (levels), `nominal_pct`, `coverage_pct` (share of rows whose actual lies inside, ends
            included) and `mean_width_bps`.
        None where a score is not defined, as all are without a known row.
    """
    known = ~np.isnan(actual)
    outcome = actual[known]
    forecast = {level: values[known] for level, values in sorted(quantiles.items())}
    baseline = {level: values[known] for level, values in unconditional.items()}
    return {
        "pinball_bps": _pinball_bps(forecast, outcome),
        "unconditional_pinball_bps": _pinball_bps(baseline, outcome),
        "intervals": [
            {
                "low": low,
                "high": high,
                "nominal_pct": round(100 * (high - low), 6),
                "coverage_pct": _scaled_mean(
                    (forecast[low] <= outcome) & (outcome <= forecast[high]), 100
                ),
                "mean_width_bps": _scaled_mean(forecast[high] - forecast[low], 10_000),
            }
            for low, high in _symmetric_pairs(list(forecast))
        ],
    }


def auc(score: Vector, positive: npt.NDArray[np.bool_]) -> float | None:
    """Area under the ROC curve: probability that a positive row scores above a negative one.

    Ties count half.

    (R - p (p + 1) / 2) / (p q), with R the sum of the ranks of the positive rows (ties get their
    mean rank), p positive and q negative rows.

    Returns:
        From 0 to 1, 0.5 without skill; None unless there are rows of both classes.

    Source: Hanley & McNeil (1982), Radiology 143(1); the Mann-Whitney U statistic.
    """
    from scipy.stats import rankdata

    ups, downs = int(positive.sum()), int((~positive).sum())
    if ups == 0 or downs == 0:
        return None
    ranks = rankdata(score)[positive].sum()
    return float((ranks - ups * (ups + 1) / 2) / (ups * downs))


def _scaled_mean(
    values: npt.NDArray[np.float64] | npt.NDArray[np.bool_], unit: float
) -> float | None:
    return finite_or_none(values.mean() * unit) if len(values) else None


def _rmse_bps(error: Vector) -> float | None:
    return finite_or_none(np.sqrt(np.mean(error**2)) * 10_000) if len(error) else None


def _r_squared(error: Vector, reference: Vector) -> float | None:
    total = float(np.sum(reference**2))
    return finite_or_none(1.0 - np.sum(error**2) / total) if total > 0 else None


def _pinball_bps(quantiles: Mapping[float, Vector], actual: Vector) -> float | None:
    errors = {level: actual - values for level, values in quantiles.items()}
    losses = [np.maximum(q * error, (q - 1) * error) for q, error in errors.items()]
    return _scaled_mean(np.ravel(losses), 10_000)


def _symmetric_pairs(levels: list[float]) -> list[tuple[float, float]]:
    """Pairs q and 1 - q; with a tolerance, as 1 - 0.9 is not exactly 0.1 in floating point."""
    return [
        (low, high)
        for low in levels
        for high in reversed(levels)
        if low < high and np.isclose(low, 1.0 - high, rtol=0, atol=1e-9)
    ]
