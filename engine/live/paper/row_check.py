"""Whether the rows of an account on several exchanges are those of the bars that had come."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import VALUE_COLUMNS
from engine.live.paper.account_bars import to_frame
from engine.live.paper.row_assembly import RowAssembler, arrivals_to_frame

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.data import Market
    from engine.live.journal.rows import ArrivalRow, BarRow
    from engine.live.row_schedule import RowSchedule


JOINED_ROWS = 50
"""Rows that are joined again where the newest alone are checked; one takes some 10 ms."""


def check_rows(
    history: Market,
    arrivals: Sequence[ArrivalRow],
    rows: Sequence[BarRow],
    schedule: RowSchedule,
    *,
    newest_only: bool,
) -> Iterator[str]:
    """What contradicts the bars of each exchange; nothing where all rows follow from them.

    Args:
        history: The market that the account began with.
        arrivals: All bars that came since, in their order.
        rows: The bars of all rows that were decided, in the book's currency.
        schedule: When rows come.
        newest_only: Whether to join the newest `JOINED_ROWS` rows alone.
    """
    assert history.assembly is not None
    yield from _early_bars(history, arrivals)
    assembler = RowAssembler(
        history.assembly,
        schedule,
        delisted_after=pd.Timedelta(days=history.delisting.after_days),
        wait=pd.Timedelta(0),
    )
    table = to_frame(rows, history.bars)
    stamps = [pd.Timestamp(stamp) for stamp in table["timestamp"].drop_duplicates()]
    checked = set(stamps[-JOINED_ROWS:] if newest_only else stamps)
    place = 0
    for newest, stamp in pairwise([pd.Timestamp(history.bars["timestamp"].iloc[-1]), *stamps]):
        came = []
        while place < len(arrivals) and arrivals[place].after_bar < stamp:
            came.append(arrivals[place])
            place += 1
        if came:
            assembler.take(arrivals_to_frame(came), newest)
        if stamp not in checked:
            continue
        expected = assembler.join_row(stamp, newest)
        found = table[table["timestamp"] == stamp]
        if expected["symbol"].tolist() != found["symbol"].tolist() or not np.array_equal(
            expected[list(VALUE_COLUMNS)], found[list(VALUE_COLUMNS)], equal_nan=True
        ):
            yield f"{stamp}: the row is not joined of the bars that had come"


def _early_bars(history: Market, arrivals: Sequence[ArrivalRow]) -> Iterator[str]:
    assert history.assembly is not None
    for row in arrivals:
        if row.received_at < history.assembly.times[row.symbol].close(row.bar):
            yield f"{row.bar}: the bar of {row.symbol} came before its close"
