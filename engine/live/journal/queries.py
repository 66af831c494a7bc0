"""Questions to the journal that a page asks often: the newest rows, counts, the equity line."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import fields
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

from engine.live.journal.rows import (
    DecisionRow,
    EquityRow,
    EventRow,
    FillRow,
    OrderRow,
    format_instant,
    from_sqlite,
)

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from engine.live.journal.reader import JournalReader

Row = TypeVar("Row", DecisionRow, EquityRow, EventRow, FillRow, OrderRow)

_TABLES: dict[type, tuple[str, str]] = {
    DecisionRow: ("decisions", "bar DESC"),
    EquityRow: ("equity", "bar DESC"),
    FillRow: ("fills", "bar DESC, number DESC"),
    OrderRow: ("orders", "bar DESC, rowid DESC"),
    EventRow: ("events", "number DESC"),
}


@contextmanager
def snapshot(reader: JournalReader) -> Iterator[None]:
    """All that is read inside is of one instant: no bar is written between two questions."""
    reader.rows("BEGIN")
    try:
        yield
    finally:
        reader.rows("COMMIT")


def newest_rows(
    reader: JournalReader, kind: type[Row], account: str, count: int
) -> tuple[Row, ...]:
    """The last rows of one table, the newest first.

    Args:
        reader: The journal.
        kind: Class of the rows.
        account: Name of the account.
        count: Most rows.
    """
    table, order = _TABLES[kind]
    columns = ", ".join(f'"{each.name}"' for each in fields(kind))
    found = reader.rows(
        f"SELECT {columns} FROM {table} WHERE account = ? ORDER BY {order} LIMIT ?",
        account,
        count,
    )
    return tuple(kind(**from_sqlite(table, row)) for row in found)


def newest_events(
    reader: JournalReader, account: str, kinds: Collection[str], count: int
) -> tuple[EventRow, ...]:
    """The last events of some kinds, the newest first."""
    places = ", ".join("?" for _ in kinds)
    columns = ", ".join(f'"{each.name}"' for each in fields(EventRow))
    found = reader.rows(
        f"SELECT {columns} FROM events WHERE account = ? AND kind IN ({places}) "
        "ORDER BY number DESC LIMIT ?",
        account,
        *kinds,
        count,
    )
    return tuple(EventRow(**from_sqlite("events", row)) for row in found)


def count_rows(reader: JournalReader, kind: type[Row], account: str) -> int:
    """How many rows of one table an account has."""
    table, _ = _TABLES[kind]
    return int(reader.rows(f"SELECT COUNT(*) FROM {table} WHERE account = ?", account)[0][0])


def count_events(reader: JournalReader, account: str) -> dict[str, int]:
    """Kind -> number of events; kinds without one are left out."""
    query = "SELECT kind, COUNT(*) FROM events WHERE account = ? GROUP BY kind ORDER BY kind"
    return {str(kind): int(count) for kind, count in reader.rows(query, account)}


def count_absent_bars(reader: JournalReader, account: str) -> int:
    """How many bars that the calendar has never came whole."""
    query = "SELECT SUM(json_extract(detail, '$.bars')) FROM events WHERE account = ? AND kind = ?"
    return int(reader.rows(query, account, "absent")[0][0] or 0)


def read_growth(
    reader: JournalReader, account: str, after: pd.Timestamp | None = None
) -> pd.Series[float]:
    """Equity of an account at each close, 1 at the start.

    Args:
        reader: The journal.
        account: Name of the account.
        after: Bars later than this one only.

    Returns:
        Index `timestamp` (UTC), ascending; empty before the first decision.
    """
    since = "" if after is None else format_instant(after)
    found = reader.rows(
        "SELECT bar, equity FROM equity WHERE account = ? AND bar > ? ORDER BY bar", account, since
    )
    index = pd.to_datetime([row["bar"] for row in found], utc=True, format="ISO8601")
    values = np.array([row["equity"] for row in found], dtype=np.float64)
    return pd.Series(values, pd.DatetimeIndex(index, name="timestamp").as_unit("us"))
