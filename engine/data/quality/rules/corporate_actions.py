"""Splits that prices were not adjusted for, or only some of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import RuleViolation, block_medians

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector
    from engine.data.quality.rules.base import BarsView, LogPrices

# A split smaller than this cannot be told from a bad day.
_MIN_LOG_RATIO = np.log(1.2)
_MIN_MOVE_MULTIPLE = 8.0
# How far a step may be from the ratio: a quarter of it, and not more than a day's fall.
_RATIO_TOLERANCE, _MAX_TOLERANCE = 0.25, 0.15
# Vendors adjust from some bars before the day of the split on, or from a few after it.
_BARS_BEFORE, _BARS_AFTER = 10, 3

# Without a list of splits: the ratios that companies choose, met at the open within 3 % (10 % from
# four for one on, which no market leaps), on a bar that moves little by itself and trades no more
# money than usual.
_COMMON_RATIOS = (1.5, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 10.0, 15.0, 20.0, 25.0, 30.0, 40.0, 50.0)
_MATCH_TOLERANCE, _LARGE_RATIO_MATCH_TOLERANCE, _LARGE_RATIO = 0.03, 0.10, 4.0
_MAX_BAR_RANGE = 0.1
_MAX_TURNOVER_MULTIPLE = 3.0
_LEVEL_WINDOW = 5


def missed_splits(view: BarsView) -> list[RuleViolation]:
    """Bars before a split are not divided by its ratio, all of them or some.

    Where the source lists splits: near one of them the price, with dividends put back, steps by
    its ratio. Where it lists none at that bar: the price steps by a common ratio from close to
    open and stays, without the rush of trading that a crash or a jump brings.
    """
    track = view.log_prices
    listed = _find_listed_splits(view, track)
    met = {edge for raw in listed for edge in (raw.first, raw.end)}
    missed = [*listed, *(raw for raw in _find_unlisted_splits(view, track) if raw.end not in met)]
    ratios = np.ones(track.rows.size)
    for raw in missed:
        ratios[raw.first : raw.end] *= raw.ratio
    return [
        _to_violation(np.sort(track.rows[ratios == ratio]), float(ratio))
        for ratio in np.unique(ratios)
        if ratio != 1.0
    ]


@dataclass(frozen=True)
class _UnadjustedSpan:
    """Bars that stand at their price before a split.

    Attributes:
        first: The first of them.
        end: The bar after the last of them.
        ratio: New shares for an old one.
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
    found = []
    for event in np.flatnonzero(np.isfinite(ratios) & (ratios > 0.0) & (ratios != 1.0)).tolist():
        ratio = float(ratios[event])
        if abs(np.log(ratio)) >= max(
            _MIN_LOG_RATIO, _MIN_MOVE_MULTIPLE * log_prices.median_abs_return
        ):
            raw = _find_unadjusted_span(returns, event, ratio)
            found += [raw] if raw else []
    return found


def _total_returns(view: BarsView, log_prices: LogPrices) -> Vector:
    """Log return into each bar, less what dividends explain; 0 into the first."""
    adjusted = view.events.get("adj_close")
    if adjusted is not None and (adjusted[log_prices.rows] > 0.0).all():
        return np.diff(
            np.log(adjusted[log_prices.rows]), prepend=np.log(adjusted[log_prices.rows[:1]])
        )
    paid = np.nan_to_num(
        view.events.get("dividends", np.zeros(view.timestamps.size))[log_prices.rows]
    )
    closes = np.exp(log_prices.closes)
    whole = np.log(np.maximum(closes + paid, closes * 0.01))
    return np.r_[0.0, whole[1:] - log_prices.closes[:-1]] if closes.size else closes


def _find_unadjusted_span(returns: Vector, event: int, ratio: float) -> _UnadjustedSpan | None:
    """The bars that stand at their price before the split, if any do.

    They end where the price steps by one over the ratio, near the split. They begin where it
    steps by the ratio, or with the first bar.
    """
    size = np.log(ratio)
    near = min(_RATIO_TOLERANCE * abs(size), _MAX_TOLERANCE)
    first = max(event - _BARS_BEFORE, 1)
    ends = np.flatnonzero(np.abs(returns[first : event + _BARS_AFTER + 1] + size) <= near) + first
    if not ends.size:
        return None
    end = int(ends[-1])
    begins = np.flatnonzero(np.abs(returns[:end] - size) <= near)
    return _UnadjustedSpan(int(begins[-1]) if begins.size else 0, end, ratio)


def _find_unlisted_splits(view: BarsView, log_prices: LogPrices) -> list[_UnadjustedSpan]:
    """Steps from close to open that are a ratio and nothing else."""
    if log_prices.rows.size < 2 * _LEVEL_WINDOW:
        return []
    steps = log_prices.opens[1:] - log_prices.closes[:-1]
    found = []
    for bar in (
        np.flatnonzero(np.abs(steps) >= np.log(_COMMON_RATIOS[0]) - _MATCH_TOLERANCE) + 1
    ).tolist():
        ratio = _match_common_ratio(float(steps[bar - 1]))
        if (
            ratio
            and _level_persists(log_prices, bar, ratio)
            and _has_normal_turnover(view, log_prices, bar)
        ):
            found.append(_UnadjustedSpan(0, bar, ratio))
    return found


def _match_common_ratio(step: float) -> float | None:
    """The ratio that a step from close to open shows, if it shows one."""
    ratio = min(_COMMON_RATIOS, key=lambda known: abs(abs(step) - np.log(known)))
    near = _LARGE_RATIO_MATCH_TOLERANCE if ratio >= _LARGE_RATIO else _MATCH_TOLERANCE
    if abs(abs(step) - np.log(ratio)) > near:
        return None
    return ratio if step < 0 else 1.0 / ratio


def _level_persists(log_prices: LogPrices, bar: int, ratio: float) -> bool:
    """Whether the price is at the other level after it, in a market that is otherwise quiet."""
    before = np.median(log_prices.closes[max(bar - _LEVEL_WINDOW, 0) : bar])
    after = np.median(log_prices.closes[bar : bar + _LEVEL_WINDOW])
    step = abs(after - before + np.log(ratio))
    # The mean, because a penny stock stands still on most days and leaps on the others.
    moves = np.abs(np.diff(log_prices.closes[max(bar - 101, 0) : bar]))
    bold = moves.size and abs(np.log(ratio)) >= _MIN_MOVE_MULTIPLE * float(moves.mean())
    return bool(
        bold
        and step <= _MAX_TOLERANCE
        and log_prices.highs[bar] - log_prices.lows[bar] <= _MAX_BAR_RANGE
    )


def _has_normal_turnover(view: BarsView, log_prices: LogPrices, bar: int) -> bool:
    """Whether the money traded on the bar is known, and not much more than usual."""
    money = view.volume[log_prices.rows] * np.exp(log_prices.closes)
    usual = block_medians(money[max(bar - 101, 0) : bar])
    return bool(usual.size and 0.0 < money[bar] <= _MAX_TURNOVER_MULTIPLE * usual[-1])


def _to_violation(rows: IntVector, ratio: float) -> RuleViolation:
    whole = ratio < 1 and abs(1 / ratio - round(1 / ratio)) < 1e-6
    text = f"1 for {1 / ratio:.0f}" if whole else f"{ratio:.4g} for 1"
    complaint = f"bars are not adjusted for a split of {text}"
    return RuleViolation(rows, complaint, "apply_split", 1.0 / ratio)


# A vendor may take the close or the price in another currency's rounding: a quarter of the
# dividend, and a tenth of a percent of the price, are let pass.
_DIVIDEND_TOLERANCE, _PRICE_TOLERANCE = 0.25, 0.001


def missed_dividends(view: BarsView) -> list[RuleViolation]:
    """The adjusted closes do not fall behind the closes by a dividend, or by another amount.

    With f = adjusted close / close, f of the bar before the ex-date over f of the ex-date is
    1 - dividend / close before. Checked only where the source carries dividends and adjusted
    closes; a dividend of more than the price is wrong with or without the latter.
    """
    paid = view.events.get("dividends")
    if paid is None:
        return []
    track = view.log_prices
    ex_dates = np.flatnonzero(np.nan_to_num(paid[track.rows])[1:] > 0.0) + 1
    closes = np.exp(track.closes)
    share = paid[track.rows][ex_dates] / closes[ex_dates - 1]
    wrong = share >= 1.0
    adjusted = view.events.get("adj_close")
    if adjusted is not None:
        wrong |= _find_unexplained(adjusted[track.rows] / closes, ex_dates, share)
    complaint = "bars have a dividend that the adjusted closes leave out, or that is wrong"
    return [RuleViolation(np.sort(track.rows[ex_dates[wrong]]), complaint)]


def _find_unexplained(
    adjustment_factor: np.ndarray, ex_dates: np.ndarray, dividend_yield: np.ndarray
) -> np.ndarray:
    """Ex-dates at which the factor changes by something else than the dividend.

    The change may also stand at the bar after: a week's bar is labelled by the Monday before.
    """
    after = np.minimum(ex_dates + 1, adjustment_factor.size - 1)
    near = _DIVIDEND_TOLERANCE * dividend_yield + _PRICE_TOLERANCE
    at_once = (
        np.abs(
            1.0 - adjustment_factor[ex_dates - 1] / adjustment_factor[ex_dates] - dividend_yield
        )
        <= near
    )
    at_next = (
        np.abs(1.0 - adjustment_factor[ex_dates - 1] / adjustment_factor[after] - dividend_yield)
        <= near
    )
    known = np.isfinite(adjustment_factor[ex_dates - 1]) & np.isfinite(adjustment_factor[ex_dates])
    return np.asarray(known & ~(at_once | at_next))
