"""Single prices that no one could have traded at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView, LogPrices

# Half or twice the price, and back. The sharpest that came back in clean daily sets: XRP on
# 2017-04-02 by a factor of 1.85 (0.62 in logarithms), DOGE on 2013-12-19 by 1.65.
_MIN_LOG_SPIKE = np.log(2.0)
# Of an hour or a day that moves so much anyway, nothing can be said.
_MIN_MOVE_MULTIPLE = 10.0
# It comes back to where it was: what stays is at most a quarter of the way.
_MAX_UNREVERTED_SHARE = 0.25
# Opens and closes that a spike may last: two bars.
_MAX_SPIKE_POINTS = 4


def bad_ticks(view: BarsView) -> list[RuleViolation]:
    """An open or a close leaps to half or twice the price, and is back within two bars.

    A crash or a jump does not come back, and a real one that does takes longer or goes less far.
    """
    track = view.log_prices
    moves = np.diff(track.open_close_path)
    least = max(_MIN_LOG_SPIKE, _MIN_MOVE_MULTIPLE * track.median_abs_return)
    leaps = np.flatnonzero(np.abs(moves) >= least)
    points: set[int] = set()
    for here, there in zip(leaps[:-1].tolist(), leaps[1:].tolist(), strict=True):
        out, back = moves[here], moves[there]
        inside = there - here <= _MAX_SPIKE_POINTS and here not in points
        if (
            inside
            and abs(out + back) <= _MAX_UNREVERTED_SHARE * min(abs(out), abs(back))
            and out * back < 0
        ):
            points.update(range(here + 1, there + 1))
    rows = np.unique(track.rows[np.array(sorted(points), dtype=np.int64) // 2])
    complaint = "bars have a price far off that is back at once"
    return [RuleViolation(rows, complaint, "drop_bad_tick")]


def wicks(view: BarsView) -> list[RuleViolation]:
    """A high or a low is twice or half of every open and close about it.

    A flash crash really trades there, so that this is a warning.
    """
    track = view.log_prices
    above, below = _neighbour_extremes(track)
    far = (track.highs - above >= _MIN_LOG_SPIKE) | (below - track.lows >= _MIN_LOG_SPIKE)
    rows = np.sort(track.rows[far])
    return [RuleViolation(rows, "bars have a high or low twice or half of all prices about it")]


def _neighbour_extremes(log_prices: LogPrices) -> tuple[np.ndarray, np.ndarray]:
    """Highest and lowest of open, close, the close before and the open after."""
    before = np.r_[log_prices.opens[:1], log_prices.closes[:-1]]
    after = np.r_[log_prices.opens[1:], log_prices.closes[-1:]]
    points = np.stack([log_prices.opens, log_prices.closes, before, after])
    return points.max(axis=0), points.min(axis=0)


_LOG_100 = np.log(100.0)
# Between 78 and 128: a hundred, and what a market may move from one bar to the next.
_TOLERANCE = 0.25
# Above this share of the bars the lower ones are taken to be wrong, because what happens is that
# a price in pence is given in pounds.
_MINORITY_SHARE = 0.25


def unit_errors(view: BarsView) -> list[RuleViolation]:
    """From one bar to the next, all prices are a hundred times what they were, or a hundredth.

    Where few bars stand apart those are at fault; otherwise the lower ones.
    """
    track = view.log_prices
    steps = track.opens[1:] - track.closes[:-1]
    hundreds = np.abs(np.abs(steps) - _LOG_100) <= _TOLERANCE
    # Within a bar no price may bridge the two levels: that would be a tick, not a unit.
    narrow = (track.highs - track.lows) < _LOG_100 / 2
    hundreds &= narrow[1:] & narrow[:-1]
    if not hundreds.any():
        return []
    levels = np.r_[0, np.cumsum(np.where(hundreds, np.sign(steps), 0.0))]
    high = levels == levels.max()
    apart = high if high.mean() <= _MINORITY_SHARE else ~high
    rows = np.sort(track.rows[apart])
    if apart is high:
        return [
            RuleViolation(rows, "bars have prices a hundred times too high", "divide_by_100", 0.01)
        ]
    complaint = "bars have prices a hundredth of the others"
    return [RuleViolation(rows, complaint, "multiply_by_100", 100.0)]
