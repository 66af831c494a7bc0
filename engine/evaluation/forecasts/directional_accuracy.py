"""How often the direction was right, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class DirectionalAccuracy:
    """Directions in one state of the market; shares from 0 to 1.

    Attributes:
        rows: Forecasts in it.
        hit_share: Share whose direction was right; 0 is down, on both sides.
        low: Lower end of its interval.
        high: Upper end.
        up_share: Share that went up: what always saying up would have scored.
        down_forecasts: Forecasts that said down: the only ones in which it differs from always up.
        down_hit_share: Share of these that were right, None without any; hits - up is
            (2 x down_hits - 1) x downs / rows, so that above one half is better than always up.
    """

    rows: int
    hit_share: float
    low: float
    high: float
    up_share: float
    down_forecasts: int
    down_hit_share: float | None

    def beats_always_up(self, horizon: int, confidence: float) -> bool:
        """Whether it beat always up by more than chance (a sign test where the two differ).

        Wilson's interval of `down_hit_share` lies above one half. An interval of `hit_share` would
        not do: that of always up is of the same rows, and as uncertain.

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
    """How often the direction was right, with Wilson's interval.

    Outcomes over `horizon` bars share all but one with their neighbours, so that the interval is
    that of rows / horizon independent ones.

    Args:
        forecasts: As `forecast.mean_forecasts` gives it.
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
    """Wilson's score interval of a share.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

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
