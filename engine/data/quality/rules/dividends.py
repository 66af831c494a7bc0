"""Dividends that adjusted closes leave out or get wrong."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.spotted import Spotted

if TYPE_CHECKING:
    from engine.data.quality.sample import Sample

# A vendor may take the close or the price in another currency's rounding: a quarter of the
# dividend, and a tenth of a percent of the price, are let pass.
_SHARE, _ROUNDING = 0.25, 0.001


def missed_dividends(sample: Sample) -> list[Spotted]:
    """The adjusted closes do not fall behind the closes by a dividend, or by another amount.

    With f = adjusted close / close, f of the bar before the ex-date over f of the ex-date is
    1 - dividend / close before. Checked only where the source carries dividends and adjusted
    closes; a dividend of more than the price is wrong with or without the latter.
    """
    paid = sample.events.get("dividends")
    if paid is None:
        return []
    track = sample.track
    ex_dates = np.flatnonzero(np.nan_to_num(paid[track.rows])[1:] > 0.0) + 1
    closes = np.exp(track.closes)
    share = paid[track.rows][ex_dates] / closes[ex_dates - 1]
    wrong = share >= 1.0
    adjusted = sample.events.get("adj_close")
    if adjusted is not None:
        wrong |= _unexplained(adjusted[track.rows] / closes, ex_dates, share)
    complaint = "bars have a dividend that the adjusted closes leave out, or that is wrong"
    return [Spotted(np.sort(track.rows[ex_dates[wrong]]), complaint)]


def _unexplained(factor: np.ndarray, ex_dates: np.ndarray, share: np.ndarray) -> np.ndarray:
    """Ex-dates at which the factor changes by something else than the dividend.

    The change may also stand at the bar after: a week's bar is labelled by the Monday before.
    """
    after = np.minimum(ex_dates + 1, factor.size - 1)
    near = _SHARE * share + _ROUNDING
    at_once = np.abs(1.0 - factor[ex_dates - 1] / factor[ex_dates] - share) <= near
    at_next = np.abs(1.0 - factor[ex_dates - 1] / factor[after] - share) <= near
    known = np.isfinite(factor[ex_dates - 1]) & np.isfinite(factor[ex_dates])
    return np.asarray(known & ~(at_once | at_next))
