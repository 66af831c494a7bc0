"""How often the direction was right, with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Direction:
    """Directions in one state of the market; shares from 0 to 1.

    Attributes:
        rows: Forecasts in it.
        hits: Share whose direction was right; 0 is down, on both sides.
        low: Lower end of its interval.
        high: Upper end.
        up: Share that went up: what always saying up would have scored.
        downs: Forecasts that said down: the only ones in which it differs from always up.
        down_hits: Share of these that were right, None without any; hits - up is
            (2 x down_hits - 1) x downs / rows, so that above one half is better than always up.
    """

    rows: int
    hits: float
    low: float
    high: float
    up: float
    downs: int
    down_hits: float | None

    def better(self, horizon: int, confidence: float) -> bool:
        """Whether it beat always up by more than chance (a sign test where the two differ).

        Wilson's interval of `down_hits` lies above one half. An interval of `hits` would not do:
        that of always up is of the same rows, and as uncertain.

        Args:
            horizon: Bars ahead, see `direction`.
            confidence: Level of the interval.

        Source: McNemar (1947), Psychometrika 12.
        """
        if self.down_hits is None:
            return False
        return wilson(self.down_hits, max(1.0, self.downs / horizon), confidence)[0] > 0.5


def direction(made: pd.DataFrame, horizon: int, confidence: float) -> Direction | None:
    """How often the direction was right, with Wilson's interval.

    Outcomes over `horizon` bars share all but one with their neighbours, so that the interval is
    that of rows / horizon independent ones.

    Args:
        made: As `forecast.mean_forecasts` gives it.
        horizon: Bars ahead.
        confidence: Level of the interval.

    Returns:
        None without a row.
    """
    if made.empty:
        return None
    up = made["actual"].to_numpy() > 0
    down = made["predicted"].to_numpy() <= 0
    hits = float((down != up).mean())
    downs = int(down.sum())
    low, high = wilson(hits, max(1.0, len(made) / horizon), confidence)
    right = float((~up[down]).mean()) if downs else None
    return Direction(len(made), hits, low, high, float(up.mean()), downs, right)


def wilson(share: float, rows: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval of a share.

    (p + z^2 / 2n -+ z sqrt(p (1 - p) / n + z^2 / 4n^2)) / (1 + z^2 / n)

    Args:
        share: p, from 0 to 1.
        rows: n, independent trials, above 0.
        confidence: Level; z is the normal quantile of (1 + level) / 2.

    Source: Wilson (1927), J. of the American Statistical Association 22.
    """
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = share + z**2 / (2 * rows)
    reach = z * float(np.sqrt(share * (1 - share) / rows + z**2 / (4 * rows**2)))
    scale = 1 + z**2 / rows
    return max(0.0, (middle - reach) / scale), min(1.0, (middle + reach) / scale)
