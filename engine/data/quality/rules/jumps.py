"""Jumps to another level of prices that stay, and that no split or trading explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import BLOCK_SIZE, DAY_US, RuleViolation, largest_log_ratio
from engine.data.quality.rules.corporate_actions import missed_splits
from engine.data.quality.rules.outliers import unit_errors

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.data.quality.rules.base import BarsView, LogPrices

# Five times the price, or a fifth. The largest daily moves of the clean sets are DOGE's by 4.6
# (2021-01-28) and falls of shares to a half.
_MIN_LOG_JUMP = np.log(5.0)
# Penny stocks and coins in their first weeks double and halve by the day.
_MIN_MOVE_MULTIPLE = 12.0
# A real crash or rally is traded: more than three times the usual units change hands, as for
# splits. No trading explains an open at twenty times the close before it, or a twentieth.
_MIN_VOLUME_MULTIPLE = 3.0
_MAX_OPENING_LOG_JUMP = np.log(20.0)
# The price stays: of five bars before and after, the medians differ by the jump, within a quarter.
_LEVEL_BARS, _LEVEL_TOLERANCE = 5, 0.25
_YEAR_US = 365 * DAY_US


def jumps(view: BarsView) -> list[RuleViolation]:
    """The price changes to five times, or a fifth, from one bar to the next, and stays there.

    Not where it reverts, where the usual moves are a twelfth of that, where a split, a unit of a
    hundredth or a year without bars has its own rule, and not with the volume of a crash or a
    rally, unless the open already is at twenty times the close before, or a twentieth.
    """
    prices = view.log_prices
    opens, _, _, closes = prices.prices
    if max(prices.max_step, largest_log_ratio(closes, opens)) < _MIN_LOG_JUMP / 2:
        return []
    steps = np.diff(prices.closes)
    candidates = np.flatnonzero(np.abs(steps) >= _MIN_LOG_JUMP) + 1
    bars = [
        bar
        for bar in candidates.tolist()
        if _stays(prices, steps, bar) and not _is_traded(view, prices, bar)
    ]
    if not bars:
        return []
    bars = [bar for bar in bars if not _has_own_rule(view, prices, bar)]
    description = (
        "bars are at five times the price before or more, or at a fifth or less, and the price "
        "stays there without the volume of a crash or a rally: another unit of money, or another "
        "instrument"
    )
    advice = (
        "compare the bars before and after with another source; where the price did jump, "
        "`quality: {jumps: warn}` uses them"
    )
    return [RuleViolation(np.sort(prices.rows[bars]), description, advice=advice)]


def _stays(prices: LogPrices, steps: Vector, bar: int) -> bool:
    """Whether the new level lasts, and usual moves are much smaller."""
    step = float(steps[bar - 1])
    before = np.median(prices.closes[max(bar - _LEVEL_BARS, 0) : bar])
    after = np.median(prices.closes[bar : bar + _LEVEL_BARS])
    moves = np.abs(steps[max(bar - 1 - BLOCK_SIZE, 0) : bar - 1])
    if moves.size < _LEVEL_BARS:
        moves = np.abs(steps[bar : bar + BLOCK_SIZE])
    usual = float(moves.mean()) if moves.size else 0.0
    lasts = abs(after - before - step) <= _LEVEL_TOLERANCE * abs(step)
    return bool(lasts and abs(step) >= _MIN_MOVE_MULTIPLE * usual)


def _is_traded(view: BarsView, prices: LogPrices, bar: int) -> bool:
    """Whether the volume is that of a crash or a rally, and the open within its reach."""
    if not view.has_volume or abs(prices.overnight_steps[bar - 1]) >= _MAX_OPENING_LOG_JUMP:
        return False
    volume = view.volume[prices.rows]
    usual = np.median(volume[max(bar - BLOCK_SIZE, 0) : bar])
    return bool(volume[bar] > _MIN_VOLUME_MULTIPLE * usual)


def _has_own_rule(view: BarsView, prices: LogPrices, bar: int) -> bool:
    """Whether another rule explains the step before a bar."""
    if prices.timestamps[bar] - prices.timestamps[bar - 1] >= _YEAR_US:
        return True
    pair = prices.rows[[bar - 1, bar]]
    explained = (*missed_splits(view), *unit_errors(view))
    return any(np.isin(pair, one.rows).sum() == 1 for one in explained)
