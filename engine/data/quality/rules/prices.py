"""Missing, impossible and stale prices."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.bars import MAX_PRICE, MIN_PRICE, ROUNDING_TOLERANCE
from engine.data.quality.rules.base import DAY_US, RuleViolation

if TYPE_CHECKING:
    from engine.data.quality.rules.base import BarsView

_UNIT_FACTOR = 1e12

# A quiet market repeats a price for some bars. The shortest run is a week of daily bars, a day of
# shorter bars, and 120 of the shortest, because a thin market may not trade for an hour.
_MIN_RUN_FLOOR, _MIN_RUN_CAP = 5, 120


def nonpositive_prices(view: BarsView) -> list[RuleViolation]:
    """A price is 0 or negative."""
    rows = np.flatnonzero((view.prices <= 0.0).any(axis=1))
    return [RuleViolation(rows, "bars have a price of 0 or less", "drop_nonpositive")]


def price_range(view: BarsView) -> list[RuleViolation]:
    """The open or the close lies outside low to high, or low is above high.

    A missing open and prices of 0 are left to their own rules.
    """
    opens, highs, lows, closes = view.prices.T
    if ((lows <= opens) & (opens <= highs) & (lows <= closes) & (closes <= highs)).all():
        return []
    opens = np.where((opens > 0.0) & np.isfinite(opens), opens, closes)
    usable = (view.prices[:, 1:] > 0.0).all(axis=1) & np.isfinite(view.prices[:, 1:]).all(1)
    above = np.maximum(np.maximum(opens, closes), lows) > highs * (1.0 + ROUNDING_TOLERANCE)
    below = np.minimum(opens, closes) < lows * (1.0 - ROUNDING_TOLERANCE)
    description = "bars have an open or close outside low to high"
    return [RuleViolation(np.flatnonzero(usable & (above | below)), description, "widen_range")]


def price_scale(view: BarsView) -> list[RuleViolation]:
    """A price is below 1e-10 or above 1e15, where a simulation loses its accuracy.

    Returns do not depend on the unit: the repair multiplies all prices of the symbol, and divides
    its volumes, by 1e12 or 1e-12. There is none for bars with prices of both kinds.
    """
    if not view.prices.size or (view.prices.min() >= MIN_PRICE and view.prices.max() <= MAX_PRICE):
        return []
    prices = view.prices.T
    tiny = np.flatnonzero(
        np.logical_or.reduce([(one > 0.0) & (one < MIN_PRICE) for one in prices])
    )
    huge = np.flatnonzero(
        np.logical_or.reduce([np.isfinite(one) & (one > MAX_PRICE) for one in prices])
    )
    repair = None if tiny.size and huge.size else "change_unit"
    return [
        RuleViolation(
            rows,
            f"bars have a price {limit}, where a simulation loses its accuracy",
            repair,
            price_factor=factor,
            advice="" if repair else "use bars in another unit of money",
        )
        for rows, limit, factor in (
            (tiny, f"below {MIN_PRICE:g}", _UNIT_FACTOR),
            (huge, f"above {MAX_PRICE:g}", 1.0 / _UNIT_FACTOR),
        )
    ]


def missing_open(view: BarsView) -> list[RuleViolation]:
    """The open is 0 or empty, and all other values of the bar are present.

    Vendors write 0 for the opens of early decades, for which only high, low and close are known.
    """
    opens = view.prices[:, 0]
    rows = np.flatnonzero(np.isnan(opens) | (opens == 0.0))
    others = view.prices[rows, 1:]
    complete = np.isfinite(others).all(axis=1) & (others > 0).all(axis=1)
    if view.has_volume:
        complete &= np.isfinite(view.volume[rows])
    rows = rows[complete]
    return [RuleViolation(rows, "bars have no open", "open_from_previous_close")]


def missing_values(view: BarsView) -> list[RuleViolation]:
    """A price or the volume is not a finite number.

    A volume that no bar has is not missing: the source has none.
    """
    priced = np.asarray(np.isfinite(view.prices).all(axis=1))
    missing, advice = np.flatnonzero(~priced), ""
    if view.has_volume:
        complete = priced & np.isfinite(view.volume)
        missing = np.flatnonzero(~complete)
        if priced[missing].any():
            advice = "declare `volume: none` in the files source, which leaves all volumes out"
    description = "bars have no number where a price or volume should be"
    return [RuleViolation(missing, description, "drop_missing", advice=advice)]


def stale(view: BarsView) -> list[RuleViolation]:
    """Bars repeat the previous prices for five days; for bars of less than a day, for one day."""
    if view.timestamps.size < _MIN_RUN_FLOOR:
        return []
    is_repeat = np.logical_and.reduce([prices[1:] == prices[:-1] for prices in view.prices.T])
    if view.has_volume:  # different volumes show that the market traded at an unchanged price
        is_repeat &= (view.volume[1:] == view.volume[:-1]) | (view.volume[1:] == 0.0)
    edges = np.diff(np.r_[False, is_repeat, False].astype(np.int8))
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    min_run = min(max(_MIN_RUN_FLOOR, DAY_US // view.bar_length_us), _MIN_RUN_CAP)
    long = ends - starts + 1 >= min_run
    runs = [np.arange(start, end + 1) for start, end in zip(starts[long], ends[long], strict=True)]
    rows = np.concatenate(runs) if runs else np.array([], dtype=np.int64)
    same = "close" if view.close_only else "open, high, low, close"
    description = f"bars are stale: runs of {min_run} or more with the same {same}"
    return [RuleViolation(rows, description)]
