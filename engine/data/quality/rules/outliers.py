"""Prices far from their neighbours: bad ticks, long wicks, and prices in another unit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import RuleViolation, largest_log_ratio

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView, LogPrices

# Half or twice the price, and back. The largest reverting moves of clean daily sets: XRP on
# 2017-04-02 by a factor of 1.85 (0.62 in logarithms), DOGE on 2013-12-19 by 1.65.
_MIN_LOG_SPIKE = np.log(2.0)
# In a market with larger moves than this multiple allows, no tick can be called bad.
_MIN_MOVE_MULTIPLE = 10.0
# The price reverts: at most a quarter of the move remains.
_MAX_UNREVERTED_SHARE = 0.25
# Longest spike in opens and closes: two bars.
_MAX_SPIKE_POINTS = 4


def bad_ticks(view: BarsView) -> list[RuleViolation]:
    """An open or a close jumps to half or twice the price, and reverts within two bars.

    A real crash or jump does not revert, or takes longer, or is smaller.
    """
    prices = view.log_prices
    opens, _, _, closes = prices.prices
    if max(prices.max_step, largest_log_ratio(closes, opens)) < _MIN_LOG_SPIKE:
        return []
    moves = np.diff(prices.open_close_path)
    min_move = max(_MIN_LOG_SPIKE, _MIN_MOVE_MULTIPLE * prices.median_abs_return)
    jumps = np.flatnonzero(np.abs(moves) >= min_move)
    points: set[int] = set()
    for start, end in zip(jumps[:-1].tolist(), jumps[1:].tolist(), strict=True):
        out, back = moves[start], moves[end]
        is_short = end - start <= _MAX_SPIKE_POINTS and start not in points
        if (
            is_short
            and abs(out + back) <= _MAX_UNREVERTED_SHARE * min(abs(out), abs(back))
            and out * back < 0
        ):
            points.update(range(start + 1, end + 1))
    rows = np.unique(prices.rows[np.array(sorted(points), dtype=np.int64) // 2])
    description = "bars have a price far from its neighbours that reverts at once"
    return [RuleViolation(rows, description, "drop_bad_tick")]


def wicks(view: BarsView) -> list[RuleViolation]:
    """A high is twice, or a low is half, of every neighbouring open and close.

    A flash crash does trade at such prices, so this is a warning.
    """
    prices = view.log_prices
    opens, highs, lows, _ = prices.prices
    if max(largest_log_ratio(highs, opens), largest_log_ratio(lows, opens)) < _MIN_LOG_SPIKE:
        return []
    above, below = _neighbour_extremes(prices)
    far = (prices.highs - above >= _MIN_LOG_SPIKE) | (below - prices.lows >= _MIN_LOG_SPIKE)
    rows = np.sort(prices.rows[far])
    return [RuleViolation(rows, "bars have a high or low of twice or half the prices around it")]


def _neighbour_extremes(log_prices: LogPrices) -> tuple[np.ndarray, np.ndarray]:
    """Highest and lowest of open, close, the previous close and the next open."""
    before = np.r_[log_prices.opens[:1], log_prices.closes[:-1]]
    after = np.r_[log_prices.opens[1:], log_prices.closes[-1:]]
    points = np.stack([log_prices.opens, log_prices.closes, before, after])
    return points.max(axis=0), points.min(axis=0)


_LOG_100 = np.log(100.0)
# A factor of 78 to 128: a hundred, times a usual move from one bar to the next.
_TOLERANCE = 0.25
# Above this share of the bars the lower prices count as wrong, because the usual fault is a price
# in pounds among prices in pence.
_MINORITY_SHARE = 0.25


def unit_errors(view: BarsView) -> list[RuleViolation]:
    """From one bar to the next, all prices change by a factor of a hundred, or of a hundredth.

    If few bars are high, these are wrong; otherwise the low ones are.
    """
    prices = view.log_prices
    if prices.max_step < _LOG_100 - _TOLERANCE:
        return []
    steps = prices.overnight_steps
    is_step = np.abs(np.abs(steps) - _LOG_100) <= _TOLERANCE
    # No bar may span both levels: that would be a bad tick and not a unit.
    is_narrow = (prices.highs - prices.lows) < _LOG_100 / 2
    is_step &= is_narrow[1:] & is_narrow[:-1]
    if not is_step.any():
        return []
    levels = np.r_[0, np.cumsum(np.where(is_step, np.sign(steps), 0.0))]
    high = levels == levels.max()
    wrong = high if high.mean() <= _MINORITY_SHARE else ~high
    rows = np.sort(prices.rows[wrong])
    if wrong is high:
        return [
            RuleViolation(rows, "bars have prices a hundred times too high", "divide_by_100", 0.01)
        ]
    description = "bars have prices a hundredth of the others"
    return [RuleViolation(rows, description, "multiply_by_100", 100.0)]
