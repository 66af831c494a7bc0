"""Dividends that adjusted closes leave out or get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.violation import RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.view import BarsView

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
