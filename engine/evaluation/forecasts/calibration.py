"""Whether high forecasts were followed by high outcomes, and by as much as they said."""

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
"""Fewer groups where there are fewer rows than this in each."""

MIN_ROWS_FOR_INTERVAL = 5
"""Rows below which a mean has no interval."""


@dataclass(frozen=True)
class CalibrationBin:
    """Forecasts of about one size.

    Attributes:
        number: From 1, the lowest forecasts, on.
        rows: Forecasts in it.
        low: Its lowest forecast.
        high: Its highest.
        predicted: Mean forecast.
        actual: Mean outcome.
        actual_low: Lower end of the mean outcome's interval; None where there is none.
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
    """Mean outcome of each tenth of the forecasts, by size.

    Row i is in group floor(k (rank_i - 1/2) / n) + 1 of k = 10 (fewer below 100 rows), equal
    forecasts sharing their mean rank: they are never parted, so that groups may be missing or of
    unequal size. The interval of a group's mean is mean -+ z x sqrt(T x LRV(s)) / rows, with s_t
    the sum of (outcome - mean) over the group's rows at time t, 0 at the others, T times and LRV
    the long-run variance: it allows for overlapping horizons and symbols that move together.

    Args:
        forecasts: As `forecast.mean_forecasts` gives it.
        confidence: Level of the intervals.

    Returns:
        Groups that have rows, ascending. No interval below 30 times or 5 rows.
    """
    from scipy.stats import rankdata

    if forecasts.empty:
        return ()
    predicted = forecasts["predicted"].to_numpy(dtype=np.float64)
    actual = forecasts["actual"].to_numpy(dtype=np.float64)
    count = max(1, min(MAX_BINS, len(forecasts) // MIN_ROWS_PER_BIN))
    places = np.floor(count * (rankdata(predicted) - 0.5) / len(forecasts)).astype(int)
    times = pd.factorize(forecasts["timestamp"])[0]
    groups = []
    for place in np.unique(places).tolist():
        inside = places == place
        mean = float(actual[inside].mean())
        reach = _half_width(
            np.where(inside, actual - mean, 0.0), times, int(inside.sum()), confidence
        )
        groups.append(
            CalibrationBin(
                number=place + 1,
                rows=int(inside.sum()),
                low=float(predicted[inside].min()),
                high=float(predicted[inside].max()),
                predicted=float(predicted[inside].mean()),
                actual=mean,
                actual_low=None if reach is None else mean - reach,
                actual_high=None if reach is None else mean + reach,
            )
        )
    return tuple(groups)


def _half_width(
    deviations: Vector, times: npt.NDArray[np.int64], rows: int, confidence: float
) -> float | None:
    """Half the interval of a mean of `rows` outcomes, see `calibration_curve`."""
    sums = np.bincount(times, weights=deviations).astype(np.float64)
    if len(sums) < MIN_BARS or rows < MIN_ROWS_FOR_INTERVAL or not np.any(deviations):
        return None
    error = np.sqrt(len(sums) * long_run_variance(sums)) / rows
    return float(NormalDist().inv_cdf((1 + confidence) / 2) * error)
