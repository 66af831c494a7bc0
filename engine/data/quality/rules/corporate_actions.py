"""Splits and dividends for which prices are not adjusted, or not all of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import BLOCK_SIZE, RuleViolation

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector
    from engine.data.quality.rules.base import BarsView, LogPrices

# A smaller split cannot be distinguished from a large daily move.
_MIN_LOG_RATIO = np.log(1.2)
_MIN_MOVE_MULTIPLE = 8.0
# Largest difference of a step from the ratio: a quarter of it, at most a daily loss.
_RATIO_TOLERANCE, _MAX_TOLERANCE = 0.25, 0.15
# Vendors begin to adjust some bars before the day of the split, or a few after it.
_BARS_BEFORE, _BARS_AFTER = 10, 3

# Without a list of splits: a common ratio, matched at the open within 3 % (10 % from four for one
# on, a step that no market makes), on a bar with a small range and normal turnover.
_COMMON_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
_MATCH_TOLERANCE, _LARGE_RATIO_MATCH_TOLERANCE, _LARGE_RATIO = 0.03, 0.10, 4.0
_MAX_BAR_RANGE = 0.1
_MAX_TURNOVER_MULTIPLE = 3.0
_LEVEL_WINDOW = 5


def missed_splits(view: BarsView) -> list[RuleViolation]:
    """All or some bars before a split are not divided by its ratio.

    Where the source lists splits: near one of them the total return steps by its ratio. Where it
    lists none at that bar: the price steps by a common ratio from close to open and stays there,
    without the turnover of a crash or a jump.
    """
    prices = view.log_prices
    listed = _find_listed_splits(view, prices)
    edges = {edge for span in listed for edge in (span.first, span.end)}
    unlisted = [span for span in _find_unlisted_splits(view, prices) if span.end not in edges]
    if not listed and not unlisted:
        return []
    ratios = np.ones(prices.rows.size)
    for span in [*listed, *unlisted]:
        ratios[span.first : span.end] *= span.ratio
    return [
        _to_violation(np.sort(prices.rows[ratios == ratio]), float(ratio))
        for ratio in np.unique(ratios)
        if ratio != 1.0
    ]


@dataclass(frozen=True)
class _UnadjustedSpan:
    """Bars whose prices are not adjusted for a split.

    Attributes:
        first: Position of the first bar.
        end: Position after the last bar.
        ratio: New shares per old share.
    """

    first: int
    end: int
    ratio: float


def _find_listed_splits(view: BarsView, log_prices: LogPrices) -> list[_UnadjustedSpan]:
    split = view.events.get("split")
    if split is None:
        return []
    ratios = split[log_prices.rows]
    returns = _total_returns(view, log_prices)
    spans = []
    for event in np.flatnonzero(np.isfinite(ratios) & (ratios > 0.0) & (ratios != 1.0)).tolist():
        ratio = float(ratios[event])
        if abs(np.log(ratio)) >= max(
            _MIN_LOG_RATIO, _MIN_MOVE_MULTIPLE * log_prices.median_abs_return
        ):
            span = _find_unadjusted_span(returns, event, ratio)
            spans += [span] if span else []
    return spans


def _total_returns(view: BarsView, log_prices: LogPrices) -> Vector:
    """Log return of each bar, dividends included; 0 for the first bar."""
    adjusted = view.events.get("adj_close")
    if adjusted is not None and (adjusted[log_prices.rows] > 0.0).all():
        return np.diff(
            np.log(adjusted[log_prices.rows]), prepend=np.log(adjusted[log_prices.rows[:1]])
        )
    paid = np.nan_to_num(
        view.events.get("dividends", np.zeros(view.timestamps.size))[log_prices.rows]
    )
    closes = np.exp(log_prices.closes)
    with_dividends = np.log(np.maximum(closes + paid, closes * 0.01))
    return np.r_[0.0, with_dividends[1:] - log_prices.closes[:-1]] if closes.size else closes


def _find_unadjusted_span(returns: Vector, event: int, ratio: float) -> _UnadjustedSpan | None:
    """The bars that are not adjusted for the split; None if all are adjusted.

    They end where the price steps by one over the ratio, near the split. They begin where it
    steps by the ratio, or with the first bar.
    """
    size = np.log(ratio)
    tolerance = min(_RATIO_TOLERANCE * abs(size), _MAX_TOLERANCE)
    first = max(event - _BARS_BEFORE, 1)
    ends = (
        np.flatnonzero(np.abs(returns[first : event + _BARS_AFTER + 1] + size) <= tolerance)
        + first
    )
    if not ends.size:
        return None
    end = int(ends[-1])
    begins = np.flatnonzero(np.abs(returns[:end] - size) <= tolerance)
    return _UnadjustedSpan(int(begins[-1]) if begins.size else 0, end, ratio)


def _find_unlisted_splits(view: BarsView, log_prices: LogPrices) -> list[_UnadjustedSpan]:
    """Steps from close to open by a common ratio, without other signs of a market move."""
    smallest = np.log(_COMMON_RATIOS[0]) - _MATCH_TOLERANCE
    if log_prices.rows.size < 2 * _LEVEL_WINDOW or log_prices.max_step < smallest:
        return []
    steps = log_prices.overnight_steps
    spans = []
    for bar in (np.flatnonzero(np.abs(steps) >= smallest) + 1).tolist():
        ratio = _match_common_ratio(float(steps[bar - 1]))
        if (
            ratio
            and _level_persists(log_prices, bar, ratio)
            and _has_normal_turnover(view, log_prices, bar)
        ):
            spans.append(_UnadjustedSpan(0, bar, ratio))
    return spans


def _match_common_ratio(step: float) -> float | None:
    """The common ratio that a step from close to open matches; None if it matches none."""
    ratio = min(_COMMON_RATIOS, key=lambda known: abs(abs(step) - np.log(known)))
    tolerance = _LARGE_RATIO_MATCH_TOLERANCE if ratio >= _LARGE_RATIO else _MATCH_TOLERANCE
    if abs(abs(step) - np.log(ratio)) > tolerance:
        return None
    return ratio if step < 0 else 1.0 / ratio


def _level_persists(log_prices: LogPrices, bar: int, ratio: float) -> bool:
    """Whether the price stays at the new level, and usual moves are much smaller than the step."""
    before = np.median(log_prices.closes[max(bar - _LEVEL_WINDOW, 0) : bar])
    after = np.median(log_prices.closes[bar : bar + _LEVEL_WINDOW])
    step = abs(after - before + np.log(ratio))
    # The mean, because a penny stock does not move on most days and jumps on the others.
    moves = np.abs(np.diff(log_prices.closes[max(bar - 101, 0) : bar]))
    is_large = moves.size and abs(np.log(ratio)) >= _MIN_MOVE_MULTIPLE * float(moves.mean())
    return bool(
        is_large
        and step <= _MAX_TOLERANCE
        and log_prices.highs[bar] - log_prices.lows[bar] <= _MAX_BAR_RANGE
    )


def _has_normal_turnover(view: BarsView, log_prices: LogPrices, bar: int) -> bool:
    """Whether open and turnover of the bar are known, and this is not much higher than usual."""
    if not view.has_volume or view.close_only:  # a step at the open tells a split from a crash
        return False
    with np.errstate(over="ignore"):
        turnover = view.volume[log_prices.rows] * log_prices.prices[3]
    before = turnover[max(bar - BLOCK_SIZE, 0) : bar]
    return bool(before.size and 0.0 < turnover[bar] <= _MAX_TURNOVER_MULTIPLE * np.median(before))


def _to_violation(rows: IntVector, ratio: float) -> RuleViolation:
    is_reverse = ratio < 1 and abs(1 / ratio - round(1 / ratio)) < 1e-6
    text = f"1 for {1 / ratio:.0f}" if is_reverse else f"{ratio:.4g} for 1"
    description = f"bars are not adjusted for a split of {text}"
    return RuleViolation(rows, description, "apply_split", 1.0 / ratio)


# Vendors round prices and convert currencies: differences up to a quarter of the dividend plus a
# tenth of a percent of the price are accepted.
_DIVIDEND_TOLERANCE, _PRICE_TOLERANCE = 0.25, 0.001


def missed_dividends(view: BarsView) -> list[RuleViolation]:
    """The adjusted closes do not reflect a dividend, or reflect another amount.

    With f = adjusted close / close, f of the bar before the ex-date over f of the ex-date is
    1 - dividend / previous close. Checked only where the source has dividends and adjusted
    closes; a dividend above the price is wrong even without adjusted closes.
    """
    paid = view.events.get("dividends")
    if paid is None:
        return []
    prices = view.log_prices
    ex_dates = np.flatnonzero(np.nan_to_num(paid[prices.rows])[1:] > 0.0) + 1
    closes = np.exp(prices.closes)
    dividend_yield = paid[prices.rows][ex_dates] / closes[ex_dates - 1]
    wrong = dividend_yield >= 1.0
    adjusted = view.events.get("adj_close")
    if adjusted is not None:
        wrong |= _find_unexplained(adjusted[prices.rows] / closes, ex_dates, dividend_yield)
    description = "bars have a dividend that the adjusted closes omit, or that is wrong"
    return [RuleViolation(np.sort(prices.rows[ex_dates[wrong]]), description)]


def _find_unexplained(
    adjustment_factor: np.ndarray, ex_dates: np.ndarray, dividend_yield: np.ndarray
) -> np.ndarray:
    """Ex-dates at which the factor changes by another amount than the dividend.

    The change may also be at the next bar: a weekly bar is labelled by its Monday.
    """
    after = np.minimum(ex_dates + 1, adjustment_factor.size - 1)
    tolerance = _DIVIDEND_TOLERANCE * dividend_yield + _PRICE_TOLERANCE
    at_once = (
        np.abs(
            1.0 - adjustment_factor[ex_dates - 1] / adjustment_factor[ex_dates] - dividend_yield
        )
        <= tolerance
    )
    at_next = (
        np.abs(1.0 - adjustment_factor[ex_dates - 1] / adjustment_factor[after] - dividend_yield)
        <= tolerance
    )
    known = np.isfinite(adjustment_factor[ex_dates - 1]) & np.isfinite(adjustment_factor[ex_dates])
    return np.asarray(known & ~(at_once | at_next))
