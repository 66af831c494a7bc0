"""Bars that were filled in: from their neighbours on both sides, or from the next."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.data.quality.rules.base import BLOCK_SIZE, RuleViolation

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.data.quality.rules.base import BarsView

    Bools = npt.NDArray[np.bool_]

ERROR_RATE = 0.01
"""Share of honest files in which chance may make bars look filled in.

An upper limit: chances are reckoned with the smallest step around a bar, which prices that are
hardly rounded exceed by far.
"""
# Rounding of a mean of two floats, with a margin.
_ROUNDING = 1e-9
# Steps in which prices move around a value: with fewer, a mean is met by chance all the time.
_MIN_STEPS = 3.0

_LOOKS_AHEAD = "; a run that uses them knows later prices"


def filled(view: BarsView) -> list[RuleViolation]:
    """Bars lie on a line between their neighbours, or have the values of the next bar.

    `interpolated`: every price (of a bar without a range, the close) is the mean of the one before
    and the one after, arithmetic or geometric. `from the next`: nothing traded, and the price is
    not that of the close before but of the next bar. `copies`: all prices and the volume are those
    of the bar before. A price that moves by n of its smallest steps meets a given value by chance
    in about 1 of n bars: bars count where all of it together has a chance below 1 % in the file.
    Bars without a trade at the close before are as exchanges deliver them, and no finding.
    """
    prices = view.log_prices
    if prices.rows.size < _MIN_STEPS:
        return []
    volume = view.volume[prices.rows]
    found = (
        (
            _interpolated(prices.prices, volume),
            "bars lie exactly on a line between the bars around them, as filled-in holes do"
            + _LOOKS_AHEAD,
        ),
        (
            _from_next(prices.prices, volume) if view.has_volume else np.empty(0, dtype=np.int64),
            "bars without a trade have the price of the next bar, not that of the close before"
            + _LOOKS_AHEAD,
        ),
        (
            _copies(prices.prices, volume),
            "bars have all values of the bar before: one of the two was filled in, and where it "
            "is the earlier one, a run that uses it knows later prices",
        ),
    )
    advice = (
        "use the bars as the market had them, with holes: a missing bar is no error, and nothing "
        "is filled in"
    )
    return [
        RuleViolation(np.sort(prices.rows[rows]), text, advice=advice)
        for rows, text in found
        if rows.size
    ]


def _interpolated(prices: Matrix, volume: Vector) -> IntVector:
    """Bars whose prices are means of their neighbours' in a way that chance does not explain."""
    opens, highs, lows, closes = prices
    on_line = [_on_line(column) for column in prices]
    flat = (highs == lows)[1:-1]
    candidates = on_line[3] & (flat | (on_line[0] & on_line[1] & on_line[2]))
    if not candidates.any():
        return np.empty(0, dtype=np.int64)
    own = (
        (opens[1:-1] != closes[:-2]) & ~flat,
        (highs > np.maximum(opens, closes))[1:-1],
        (lows < np.minimum(opens, closes))[1:-1],
        np.ones(flat.size, dtype=bool),
    )
    evidence = sum(
        np.where(counts, _surprise(column), 0.0)
        for column, counts in zip(prices, own, strict=True)
    )
    if np.isfinite(volume).all():
        evidence = evidence + np.where(_on_line(volume), _surprise(volume), 0.0)
    return _surprising_runs(candidates, np.asarray(evidence), closes.size) + 1


def _on_line(values: Vector) -> Bools:
    """Of each inner value, whether it is the mean of its neighbours, and they differ."""
    before, own, after = values[:-2], values[1:-1], values[2:]
    tolerance = _ROUNDING * np.abs(own)
    linear = np.abs(before - 2.0 * own + after) <= tolerance
    geometric = (before * after > 0.0) & (
        np.abs(np.sqrt(np.abs(before * after)) - np.abs(own)) <= tolerance
    )
    return np.asarray((linear | geometric) & (before != after))


def _surprise(values: Vector) -> Vector:
    """Minus the log chance to meet the mean of two neighbours: 1 of the steps between them."""
    between = np.abs(values[2:] - values[:-2])
    count = between / _smallest_steps(values)[1:-1]
    return np.asarray(np.where(count >= _MIN_STEPS, np.log1p(count), 0.0))


def _smallest_steps(values: Vector) -> Vector:
    """Around each value, the smallest change from one value to the next that is not 0."""
    changes = np.abs(np.diff(values, prepend=values[:1]))
    changes[changes <= _ROUNDING * np.abs(values)] = np.inf
    starts = np.arange(0, changes.size, BLOCK_SIZE)
    least = np.minimum.reduceat(changes, starts)
    around = np.minimum.reduce([np.r_[np.inf, least[:-1]], least, np.r_[least[1:], np.inf]])
    return np.repeat(around, BLOCK_SIZE)[: values.size]


def _surprising_runs(candidates: Bools, evidence: Vector, count: int) -> IntVector:
    """Positions in the runs of candidates whose evidence together is above chance."""
    edges = np.diff(np.r_[False, candidates, False].astype(np.int8))
    totals = np.r_[0.0, np.cumsum(evidence)]
    starts, ends = np.flatnonzero(edges == 1), np.flatnonzero(edges == -1)
    enough = totals[ends] - totals[starts] >= np.log(count / ERROR_RATE)
    marks = np.zeros(candidates.size + 1, dtype=np.int64)
    np.add.at(marks, starts[enough], 1)
    np.add.at(marks, ends[enough], -1)
    return np.flatnonzero(np.cumsum(marks)[:-1])


def _from_next(prices: Matrix, volume: Vector) -> IntVector:
    """Bars without a trade whose price is that of the next bar that traded, and of none before."""
    opens, highs, lows, closes = prices
    idle = volume == 0.0
    if not idle.any() or idle.mean() > 0.5:
        return np.empty(0, dtype=np.int64)
    count = closes.size
    positions = np.arange(count)
    following = np.minimum.accumulate(np.where(idle, count, positions)[::-1])[::-1]
    preceding = np.maximum.accumulate(np.where(idle, -1, positions))
    between = np.flatnonzero(idle & (following < count) & (preceding >= 0))
    after, before = following[between], preceding[between]
    flat = highs[between] == lows[between]
    at_next = flat & ((closes[between] == opens[after]) | (closes[between] == closes[after]))
    same = np.logical_and.reduce([column[between] == column[after] for column in prices]) & ~flat
    moved = closes[between] != closes[before]
    steps = np.abs(closes[between] - closes[before]) / _smallest_steps(closes)[between]
    return np.asarray(between[(at_next & moved & (steps >= _MIN_STEPS)) | same])


def _copies(prices: Matrix, volume: Vector) -> IntVector:
    """Bars with a range that have every value of the bar before, where chance has few of them."""
    _, highs, lows, closes = prices
    equal = np.logical_and.reduce([column[1:] == column[:-1] for column in prices])
    equal &= (highs > lows)[1:]
    if not equal.any():
        return np.empty(0, dtype=np.int64)
    if np.isnan(volume).all():
        # Closes that repeat after two bars tell how often they do so by chance.
        rare = np.mean(closes[2:] == closes[:-2]) <= ERROR_RATE
        return np.flatnonzero(equal & rare) + 1
    _, counts = np.unique(volume, return_counts=True)
    pairs = volume.size * (volume.size - 1.0)
    expected = np.sum(equal) * np.sum(counts * (counts - 1.0)) / pairs
    copied = equal & (volume[1:] == volume[:-1]) & (volume[1:] > 0.0)
    return np.flatnonzero(copied & (expected <= ERROR_RATE)) + 1
