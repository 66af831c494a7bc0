"""Other listings, halts, delistings and members after a cutoff.

The mask of a panel is future too: a decision that knew which symbols live on, or who will be a
member, would pass a test that replaces prices alone.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data import VALUE_COLUMNS
from engine.data.membership import Membership, MemberSpan, known_days

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from engine.core.types import BoolMatrix, BoolVector
    from engine.data import Market

_HALTED_SHARE = 0.1
"""Of the bars of a symbol that has gaps after a cutoff."""

_FATES = ("listed", "halted", "delisted", "halted", "listed")
"""What may become of a symbol, drawn for each."""


def alter_presence(market: Market, kept: int, rng: np.random.Generator) -> Market:
    """A market in which other bars are absent from a row on.

    Of each symbol either no bar is absent, or some are, or all from a row on. One symbol at least
    has a bar at each row, and some bar is absent, so that the market is a panel still.

    Args:
        market: With a bar of every symbol at each row from `kept` on.
        kept: Rows that stay as they are.
        rng: Decides every draw.
    """
    count = len(market.present) - kept
    later = np.column_stack([_draw_presence(count, rng) for _ in market.symbols])
    nobody = ~later.any(axis=1)
    later[nobody, rng.integers(0, len(market.symbols), int(nobody.sum()))] = True
    if count and later.all() and len(market.symbols) > 1:
        later[-1, int(rng.integers(len(market.symbols)))] = False
    return hide_bars(market, kept, later)


def hide_bars(market: Market, kept: int, present: BoolMatrix) -> Market:
    """A market without some bars from a row on.

    Args:
        market: The bars.
        kept: Rows that stay as they are.
        present: (n - kept, m) which of the others stay.
    """
    values = market.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
    by_row = values.reshape(-1, len(market.symbols), len(VALUE_COLUMNS))
    by_row[kept:][~present] = np.nan
    return market.with_values(values)


def alter_members(market: Market, row: int, rng: np.random.Generator) -> Market:
    """A market whose members change otherwise after a row.

    Every span that is known to have ended stays. Of the symbols half become members, or stay so,
    on the day after, and the others leave.

    Args:
        market: Of a universe.
        row: The last row whose members are known.
        rng: Decides every draw.
    """
    if market.membership is None:
        return market
    day: date = known_days(pd.DatetimeIndex(market.present.index[row : row + 1]), market.interval)[
        0
    ].item()
    chosen = rng.random(len(market.symbols)) < 0.5
    if chosen.all() or not chosen.any():
        chosen[0] = not chosen[0]
    spans = [
        span
        for symbol, stays in zip(market.symbols, chosen.tolist(), strict=True)
        for span in _alter_spans(market.membership, symbol, day, stays=stays)
    ]
    return replace(market, membership=Membership(tuple(sorted(spans))))


def _alter_spans(
    membership: Membership, symbol: str, day: date, *, stays: bool
) -> Iterator[MemberSpan]:
    """The spans of a symbol up to a day, and one after it where it is a member then."""
    is_member = False
    for span in membership.spans:
        if span.symbol == symbol and span.first <= day:
            is_member = span.end >= day
            if not is_member:
                yield span
            else:
                yield replace(span, last=None if stays else day)
    if stays and not is_member:
        yield MemberSpan(symbol, day + timedelta(days=1))


def _draw_presence(count: int, rng: np.random.Generator) -> BoolVector:
    present = np.ones(count, dtype=np.bool_)
    fate = _FATES[int(rng.integers(len(_FATES)))]
    if fate == "delisted":
        present[int(rng.integers(count)) if count else 0 :] = False
    elif fate == "halted":
        present &= rng.random(count) >= _HALTED_SHARE
    return present
