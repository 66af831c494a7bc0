"""The bars at which a feature that looks ahead is most likely to do so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

from engine.data import VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector, Vector
    from engine.data import Market

FeatureCutKind: TypeAlias = Literal[
    "end of day",
    "end of week",
    "end of month",
    "end of quarter",
    "end of year",
    "before a longer gap in time",
    "before a gap in price",
    "before a large fall",
    "large fall",
    "before a large rise",
    "large rise",
    "without volume",
    "before a bar without volume",
    "filled order",
    "before a filled order",
]
"""What is particular about a bar after which features are probed."""

CUTS_PER_KIND = 16
"""Bars of each kind: the most extreme ones, or some spread over all of them."""

_SPREAD, _MOST_RANKED = 4, 50
"""Bars of a kind are apart by the mean distance over `_SPREAD`, and chosen from so many times as
many."""

_MONTHS_PER_QUARTER = 3
_DAYS_PER_WEEK = 7
_FIRST_MONDAY = 3
"""Days from 1970-01-01, a Thursday, back to the Monday of its week."""


def find_special_cuts(
    market: Market, fills: pd.DatetimeIndex, first: int, last: int, rng: np.random.Generator
) -> dict[FeatureCutKind, IntVector]:
    """Bars of each special kind between two rows.

    Args:
        market: The real bars.
        fills: Timestamps at which a book of the run was filled.
        first: First row that may be chosen.
        last: Last row that may be chosen; at least one bar follows it.
        rng: Chooses where a kind has more bars than `CUTS_PER_KIND` and none is more extreme.

    Returns:
        Kind -> ascending rows; no kind without one.
    """
    found: dict[FeatureCutKind, IntVector] = {}
    for kind, strength in _strengths(market, fills):
        rows = np.flatnonzero(strength[first : last + 1] > 0.0) + first
        if len(rows) > CUTS_PER_KIND:
            shuffled = rng.permutation(rows)
            ranked = shuffled[np.argsort(-strength[shuffled], kind="stable")]
            rows = _take_apart(ranked, (last - first) // (_SPREAD * CUTS_PER_KIND))
        if len(rows):
            found[kind] = rows
    return found


def _take_apart(ranked: IntVector, apart: int) -> IntVector:
    """The first rows that are further than `apart` from each other, ascending.

    Extremes come in clusters, of which one build of features can probe one bar.
    """
    chosen: list[int] = []
    for row in ranked[: _MOST_RANKED * CUTS_PER_KIND].tolist():
        if all(abs(row - other) > apart for other in chosen):
            chosen.append(row)
        if len(chosen) == CUTS_PER_KIND:
            break
    return np.array(sorted(chosen), dtype=np.int64)


def _strengths(market: Market, fills: pd.DatetimeIndex) -> Iterator[tuple[FeatureCutKind, Vector]]:
    """Each kind with (n,) how extreme a bar is as one of it; 0 where it is none."""
    stamps = pd.DatetimeIndex(market.wide("close").index)
    yield from _calendar_strengths(stamps)
    shape = (len(stamps), len(market.symbols), len(VALUE_COLUMNS))
    values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64).reshape(shape)
    opens, closes, volumes = values[:, :, 0], values[:, :, 3], values[:, :, 4]
    gap = np.nan_to_num(np.abs(np.log(opens[1:] / closes[:-1]))).max(axis=1)
    yield "before a gap in price", np.append(gap, 0.0)
    moves = np.log(closes[1:] / closes[:-1])
    for name, move in (("fall", -moves.min(axis=1)), ("rise", moves.max(axis=1))):
        large = np.where(move > 2.0 * moves.std(), move, 0.0)
        yield ("before a large fall" if name == "fall" else "before a large rise"), _before(large)
        yield ("large fall" if name == "fall" else "large rise"), np.insert(large, 0, 0.0)
    idle = (volumes == 0.0).any(axis=1).astype(np.float64)
    yield "without volume", idle
    yield "before a bar without volume", _before(idle[1:])
    filled = np.asarray(stamps.isin(fills), dtype=np.float64)
    yield "filled order", filled
    yield "before a filled order", _before(filled[1:])


def _before(strength: Vector) -> Vector:
    """The strengths of the bars 1 to n - 1, each at the bar before."""
    return np.append(strength, 0.0)


def _calendar_strengths(stamps: pd.DatetimeIndex) -> Iterator[tuple[FeatureCutKind, Vector]]:
    opens = stamps.tz_convert(None).to_numpy()
    days = opens.astype("datetime64[D]").astype(np.int64)
    months = opens.astype("datetime64[M]").astype(np.int64)
    periods: Mapping[FeatureCutKind, npt.NDArray[np.int64]] = {
        "end of day": days,
        "end of week": (days + _FIRST_MONDAY) // _DAYS_PER_WEEK,
        "end of month": months,
        "end of quarter": months // _MONTHS_PER_QUARTER,
        "end of year": opens.astype("datetime64[Y]").astype(np.int64),
    }
    for kind, number in periods.items():
        ends = np.diff(number) != 0
        if not ends.all():  # otherwise every bar is the end of one
            yield kind, _before(ends.astype(np.float64))
    steps = np.diff(opens).astype(np.float64)
    yield "before a longer gap in time", _before(np.where(steps > np.median(steps), steps, 0.0))


def choose_cuts(
    first: int, last: int, spacing: int, waiting: IntVector, rng: np.random.Generator
) -> IntVector:
    """Cuts at least `spacing` apart, at bars that wait for one where there is one near.

    Args:
        first: First row.
        last: Last row.
        spacing: Fewest bars from one to the next.
        waiting: Ascending rows that come first.
        rng: Chooses the others.
    """
    cuts, row = [], first + int(rng.integers(spacing))
    while row <= last:
        place = int(waiting.searchsorted(row))
        near = waiting[place] if place < len(waiting) else last + 1
        if near - row > spacing // 2 or near > last:
            near = min(last, row + int(rng.integers(max(1, spacing // 8))))
        cuts.append(int(near))
        row = int(near) + spacing
    return np.array(cuts or [last], dtype=np.int64)
