"""Directional accuracy of forecasts, with a Wilson interval."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DirectionalAccuracy:
    """Directional accuracy over some forecasts; shares from 0 to 1.

    Attributes:
        rows: Number of forecasts.
        hit_share: Share with the right direction; 0 counts as down, for forecasts and outcomes.
        low: Lower end of its interval.
        high: Upper end.
        up_share: Share of outcomes that were up: the accuracy of always predicting up.
        down_forecasts: Number of "down" forecasts, the only ones that differ from always up.
        down_hit_share: Share of these that were right; None without any. hit_share - up_share is
            (2 x down_hit_share - 1) x down_forecasts / rows, so that above one half is better than
            always up.
    """

    rows: int
    hit_share: float
    low: float
    high: float
    up_share: float
    down_forecasts: int
    down_hit_share: float | None

    def beats_always_up(self, horizon: int, confidence: float) -> bool:
        """Whether it is significantly better than always up, by a sign test where they differ.

        True if the Wilson interval of `down_hit_share` lies above one half. Comparing `hit_share`
        with the fixed value of `up_share` would be wrong: both come from the same rows.

        Args:
            horizon: Bars ahead, see `measure_directional_accuracy`.
            confidence: Level of the interval.

        Source: McNemar (1947), Psychometrika 12.
        """
        if self.down_hit_share is None:
            return False
        return (
            wilson_interval(
                self.down_hit_share, max(1.0, self.down_forecasts / horizon), confidence
            )[0]
            > 0.5
        )


def measure_directional_accuracy(
    forecasts: pd.DataFrame, horizon: int, confidence: float
) -> DirectionalAccuracy | None:
    """Measures directional accuracy, with its Wilson interval.

    Outcomes over `horizon` bars overlap, so that the interval is that of rows / horizon
    independent outcomes.

    Args:
        forecasts: As `scores.average_over_seeds` returns them.
        horizon: Bars ahead.
        confidence: Level of the interval.

    Returns:
        None without a row.
    """
    if forecasts.empty:
        return None
    up = forecasts["actual"].to_numpy() > 0
    down = forecasts["predicted"].to_numpy() <= 0
    hits = float((down != up).mean())
    downs = int(down.sum())
    low, high = wilson_interval(hits, max(1.0, len(forecasts) / horizon), confidence)
    right = float((~up[down]).mean()) if downs else None
    return DirectionalAccuracy(len(forecasts), hits, low, high, float(up.mean()), downs, right)


def wilson_interval(share: float, observations: float, confidence: float) -> tuple[float, float]:
    """Wilson score interval of a proportion.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Not that of `scipy.stats.binomtest`, which takes whole numbers of trials and hits only: the
    effective number of overlapping outcomes is fractional.

    Args:
        share: p, from 0 to 1.
        observations: n, independent trials, above 0.
        confidence: Level; z is the normal quantile of (1 + level) / 2.

    Source: Wilson (1927), J. of the American Statistical Association 22.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z**2 / (2 * observations)
    reach = z * float(np.sqrt(share * (1 - share) / observations + z**2 / (4 * observations**2)))
    scale = 1 + z**2 / observations
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
