"""Whether high forecasts were followed by high outcomes, and by as much as they said."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.bootstrap import FEWEST_BARS, long_run_variance

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.types import Vector

GROUPS = 10
ROWS_A_GROUP = 10
"""Fewer groups where there are fewer rows than this in each."""

FEWEST_IN_A_GROUP = 5
"""Rows below which a mean has no interval."""


@dataclass(frozen=True)
class Group:
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


def calibration(made: pd.DataFrame, confidence: float) -> tuple[Group, ...]:
    """Mean outcome of each tenth of the forecasts, by size.

    Row i is in group floor(k (rank_i - 1/2) / n) + 1 of k = 10 (fewer below 100 rows), equal
    forecasts sharing their mean rank: they are never parted, so that groups may be missing or of
    unequal size. The interval of a group's mean is mean -+ z x sqrt(T x LRV(s)) / rows, with s_t
    the sum of (outcome - mean) over the group's rows at time t, 0 at the others, T times and LRV
    the long-run variance: it allows for overlapping horizons and symbols that move together.

    Args:
        made: As `forecast.mean_forecasts` gives it.
        confidence: Level of the intervals.

    Returns:
        Groups that have rows, ascending. No interval below 30 times or 5 rows.
    """
    from scipy.stats import rankdata

    if made.empty:
        return ()
    predicted = made["predicted"].to_numpy(dtype=np.float64)
    actual = made["actual"].to_numpy(dtype=np.float64)
    count = max(1, min(GROUPS, len(made) // ROWS_A_GROUP))
    places = np.floor(count * (rankdata(predicted) - 0.5) / len(made)).astype(int)
    times = pd.factorize(made["timestamp"])[0]
    groups = []
    for place in np.unique(places).tolist():
        inside = places == place
        mean = float(actual[inside].mean())
        reach = _reach(np.where(inside, actual - mean, 0.0), times, int(inside.sum()), confidence)
        groups.append(
            Group(
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


def _reach(
    deviations: Vector, times: npt.NDArray[np.int64], rows: int, confidence: float
) -> float | None:
    """Half the interval of a mean of `rows` outcomes, see `calibration`."""
    sums = np.bincount(times, weights=deviations).astype(np.float64)
    if len(sums) < FEWEST_BARS or rows < FEWEST_IN_A_GROUP or not np.any(deviations):
        return None
    error = np.sqrt(len(sums) * long_run_variance(sums)) / rows
    return float(NormalDist().inv_cdf((1 + confidence) / 2) * error)
