"""Calibration curve: mean outcome against mean forecast, by size of the forecast."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.inference.hac import MIN_BARS, long_run_variance

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector

MAX_BINS = 10
MIN_ROWS_PER_BIN = 10
"""The number of bins is reduced until each holds at least this many rows."""

MIN_ROWS_FOR_INTERVAL = 5
"""Below this many rows a mean has no interval."""


@dataclass(frozen=True)
class CalibrationBin:
    """Forecasts of similar size.

    Attributes:
        number: From 1 for the lowest forecasts.
        rows: Number of forecasts.
        low: Lowest forecast.
        high: Highest forecast.
        predicted: Mean forecast.
        actual: Mean outcome.
        actual_low: Lower end of the interval of the mean outcome; None where there is none.
        actual_high: Upper end.
    """

    number: int
    rows: int
    low: float
    high: float
    predicted: float
    actual: float
    actual_low: float | None
    actual_high: float | None


def calibration_curve(forecasts: pd.DataFrame, confidence: float) -> tuple[CalibrationBin, ...]:
    """Mean outcome of each decile of the forecasts.

    Row i is in bin floor(k (rank_i - 1/2) / n) + 1 of k = 10 (fewer below 100 rows). Equal
    forecasts share their mean rank and so their bin; bins may therefore be empty or of unequal
    size. The interval of a bin's mean is mean -+ z x sqrt(T x LRV(s)) / rows, where s_t is the sum
    of (outcome - mean) over the bin's rows at time t, 0 at the other times, T the number of times
    and LRV the long-run variance. It allows for overlapping horizons and for correlated symbols.

    Args:
        forecasts: As `scores.average_over_seeds` returns them.
        confidence: Level of the intervals.

    Returns:
        The bins that have rows, ascending. No interval below 30 times or 5 rows.
    """
    from scipy.stats import rankdata

    if forecasts.empty:
        return ()
    predicted = forecasts["predicted"].to_numpy(dtype=np.float64)
    actual = forecasts["actual"].to_numpy(dtype=np.float64)
    count = max(1, min(MAX_BINS, len(forecasts) // MIN_ROWS_PER_BIN))
    bins = np.floor(count * (rankdata(predicted) - 0.5) / len(forecasts)).astype(int)
    times = pd.factorize(forecasts["timestamp"])[0]
    curve = []
    for index in np.unique(bins).tolist():
        inside = bins == index
        mean = float(actual[inside].mean())
        half_width = _half_width(
            np.where(inside, actual - mean, 0.0), times, int(inside.sum()), confidence
        )
        curve.append(
            CalibrationBin(
                number=index + 1,
                rows=int(inside.sum()),
                low=float(predicted[inside].min()),
                high=float(predicted[inside].max()),
                predicted=float(predicted[inside].mean()),
                actual=mean,
                actual_low=None if half_width is None else mean - half_width,
                actual_high=None if half_width is None else mean + half_width,
            )
        )
    return tuple(curve)


def _half_width(
    deviations: Vector, times: npt.NDArray[np.int64], rows: int, confidence: float
) -> float | None:
    """Half the width of the interval of a mean outcome, see `calibration_curve`."""
    sums = np.bincount(times, weights=deviations).astype(np.float64)
    if len(sums) < MIN_BARS or rows < MIN_ROWS_FOR_INTERVAL or not np.any(deviations):
        return None
    error = np.sqrt(len(sums) * long_run_variance(sums)) / rows
    return float(NormalDist().inv_cdf((1 + confidence) / 2) * error)
