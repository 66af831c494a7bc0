"""Reads the journal of paper accounts, while another process may write it."""

from __future__ import annotations

from dataclasses import fields
from typing import TYPE_CHECKING, Self, TypeVar

from engine.core.errors import UsageError
from engine.live.journal.file import connect_reader, journal_path, translate_sqlite_errors
from engine.live.journal.rows import (
    AccountRow,
    ArrivalRow,
    BarRow,
    DecisionRow,
    EquityRow,
    EventRow,
    FillRow,
    FundingRow,
    OrderRow,
    format_instant,
    from_sqlite,
    parse_stored_instant,
)

if TYPE_CHECKING:
    import sqlite3
    from pathlib import Path
    from types import TracebackType

    import pandas as pd
    from _typeshed import DataclassInstance

Row = TypeVar("Row", bound="DataclassInstance")


def no_account_error(path: Path, name: str = "", known: str = "") -> UsageError:
    """The error of an account that was never started.

    Args:
        path: The journal.
        name: That was asked for.
        known: The names of all accounts.
    """
    return UsageError(
        "there is no paper account of that name" if known else "no paper account was started",
        expected=f"one of {known}" if known else "an account",
        found=name or "none",
        where=str(path),
        fix="backtest paper start STRATEGY --account NAME --capital X",
    )


class JournalReader:
    """Reads the journal; a writer in another process is not disturbed.

    Args:
        path: The file, as by `journal_path`.

    Raises:
        JournalError: There is no such file, or it cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._connection = connect_reader(path)

    @classmethod
    def of_home(cls, home: Path) -> JournalReader | None:
        """The journal in a home; None where no account was ever started there."""
        path = journal_path(home)
        return cls(path) if path.exists() else None

    def __enter__(self) -> Self:
        """The reader itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Closes the connection."""
        self.close()

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    @property
    def data_version(self) -> int:
        """Another number whenever another connection has written since."""
        with translate_sqlite_errors(self.path):
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])

    def rows(self, query: str, *values: object) -> list[sqlite3.Row]:
        """The rows of a query, for sums and counts that the methods do not have."""
        with translate_sqlite_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    def list_accounts(self) -> tuple[AccountRow, ...]:
        """All accounts, the oldest first."""
        return self._select(AccountRow, "accounts", "ORDER BY created_at, name")

    def account(self, name: str) -> AccountRow:
        """One account.

        Raises:
            UsageError: There is none of that name.
        """
        found = self._select(AccountRow, "accounts", "WHERE name = ?", name)
        if not found:
            known = ", ".join(row.name for row in self.list_accounts())
            raise no_account_error(self.path, name, known)
        return found[0]

    def bars(self, account: str, after: pd.Timestamp | None = None) -> tuple[BarRow, ...]:
        """The bars that were decided, later than `after`, in order of time."""
        return self._of_account(BarRow, "bars", account, after, "bar, rowid")

    def arrivals(self, account: str) -> tuple[ArrivalRow, ...]:
        """The bars of each symbol as they came, of an account on several exchanges."""
        clause = "WHERE account = ? ORDER BY number"
        return self._select(ArrivalRow, "arrivals", clause, account)

    def funding(self, account: str) -> tuple[FundingRow, ...]:
        """The funding rates of an account as they came."""
        clause = "WHERE account = ? ORDER BY number"
        return self._select(FundingRow, "funding", clause, account)

    def symbols_of_bars(
        self, account: str, after: pd.Timestamp
    ) -> tuple[tuple[pd.Timestamp, str], ...]:
        """Bar and symbol of the bars later than `after`, without their prices."""
        query = "SELECT bar, symbol FROM bars WHERE account = ? AND bar > ?"
        found = self.rows(query, account, format_instant(after))
        rows = (from_sqlite("bars", row) for row in found)
        return tuple((row["bar"], row["symbol"]) for row in rows)

    def count_bars(self, account: str, until: pd.Timestamp) -> int:
        """How many bars of any symbol are not later than an instant."""
        query = "SELECT COUNT(*) FROM bars WHERE account = ? AND bar <= ?"
        return int(self.rows(query, account, format_instant(until))[0][0])

    def newest_bars(self, account: str, count: int) -> tuple[BarRow, ...]:
        """The last bars that were decided, all symbols of each, in order of time."""
        clause = (
            "WHERE account = ? AND bar IN (SELECT bar FROM decisions WHERE account = ? "
            "ORDER BY bar DESC LIMIT ?) ORDER BY bar, rowid"
        )
        return self._select(BarRow, "bars", clause, account, account, count)

    def bar_before(self, account: str, count: int) -> pd.Timestamp | None:
        """The bar before the last `count` decisions; None where there are no more of them."""
        clause = "WHERE account = ? ORDER BY bar DESC LIMIT 1 OFFSET ?"
        found = self._select(DecisionRow, "decisions", clause, account, count)
        return found[0].bar if found else None

    def decisions(
        self, account: str, after: pd.Timestamp | None = None
    ) -> tuple[DecisionRow, ...]:
        """The decisions at bars later than `after`, in order."""
        return self._of_account(DecisionRow, "decisions", account, after, "bar")

    def targets(self, account: str) -> dict[pd.Timestamp, dict[str, float]]:
        """Bar -> target weights that were decided at it, without the rest of the decisions."""
        query = "SELECT bar, targets FROM decisions WHERE account = ? ORDER BY bar"
        rows = (from_sqlite("decisions", row) for row in self.rows(query, account))
        return {row["bar"]: row["targets"] for row in rows}

    def equity_by_bar(self, account: str) -> dict[pd.Timestamp, float]:
        """Bar -> equity at its close, for an initial equity of 1."""
        query = "SELECT bar, equity FROM equity WHERE account = ? ORDER BY bar"
        rows = (from_sqlite("equity", row) for row in self.rows(query, account))
        return {row["bar"]: row["equity"] for row in rows}

    def decision_before(self, account: str, bar: pd.Timestamp) -> DecisionRow | None:
        """The last decision at an earlier bar; None before the first."""
        clause = "WHERE account = ? AND bar < ? ORDER BY bar DESC LIMIT 1"
        found = self._select(DecisionRow, "decisions", clause, account, format_instant(bar))
        return found[0] if found else None

    def orders(self, account: str, after: pd.Timestamp | None = None) -> tuple[OrderRow, ...]:
        """The orders decided at bars later than `after`, in order."""
        return self._of_account(OrderRow, "orders", account, after, "bar, rowid")

    def fills(self, account: str, after: pd.Timestamp | None = None) -> tuple[FillRow, ...]:
        """The fills at bars later than `after`, in the order of execution."""
        return self._of_account(FillRow, "fills", account, after, "bar, number")

    def equity(self, account: str, after: pd.Timestamp | None = None) -> tuple[EquityRow, ...]:
        """The account at the closes of bars later than `after`."""
        return self._of_account(EquityRow, "equity", account, after, "bar")

    def events(self, account: str | None = None, after: int = 0) -> tuple[EventRow, ...]:
        """The events with a number above `after`; of all accounts where none is named."""
        if account is None:
            return self._select(EventRow, "events", "WHERE number > ? ORDER BY number", after)
        clause = "WHERE account = ? AND number > ? ORDER BY number"
        return self._select(EventRow, "events", clause, account, after)

    def newest_events(self, account: str, count: int) -> tuple[EventRow, ...]:
        """The newest events, the last first."""
        clause = "WHERE account = ? ORDER BY number DESC LIMIT ?"
        return self._select(EventRow, "events", clause, account, count)

    def untold_late(self, account: str) -> tuple[pd.Timestamp, ...]:
        """The bars that were decided late since the last event `late`, in order."""
        return self._untold(
            "SELECT bar FROM decisions WHERE account = ? AND late", account, "late"
        )

    def untold_missed(self, account: str) -> tuple[pd.Timestamp, ...]:
        """The bar of each order that was missed since the last event `missed`, in order."""
        query = "SELECT bar FROM orders WHERE account = ? AND status = 'missed'"
        return self._untold(query, account, "missed")

    def _untold(self, query: str, account: str, kind: str) -> tuple[pd.Timestamp, ...]:
        told = "SELECT COALESCE(MAX(bar), '') FROM events WHERE account = ? AND kind = ?"
        rows = self.rows(f"{query} AND bar > ({told}) ORDER BY bar", account, account, kind)
        return tuple(parse_stored_instant(row["bar"]) for row in rows)

    def count(self, account: str) -> dict[str, int]:
        """Numbers of `decisions`, of those that were `late`, and of `missed` orders."""
        queries = {
            "decisions": "SELECT COUNT(*) FROM decisions WHERE account = ?",
            "late": "SELECT COUNT(*) FROM decisions WHERE account = ? AND late",
            "missed": "SELECT COUNT(*) FROM orders WHERE account = ? AND status = 'missed'",
        }
        with translate_sqlite_errors(self.path):
            return {
                name: int(self._connection.execute(query, (account,)).fetchone()[0])
                for name, query in queries.items()
            }

    def newest_event(self, account: str, kind: str) -> EventRow | None:
        """The last event of a kind; None before the first."""
        clause = "WHERE account = ? AND kind = ? ORDER BY number DESC LIMIT 1"
        found = self._select(EventRow, "events", clause, account, kind)
        return found[0] if found else None

    def newest(self, account: str) -> DecisionRow | None:
        """The decision at the newest bar; None before the first."""
        return self._last(DecisionRow, "decisions", account)

    def newest_equity(self, account: str) -> EquityRow | None:
        """The account at the newest close; None before the first."""
        return self._last(EquityRow, "equity", account)

    def is_stopped(self, account: str) -> bool:
        """Whether the last of its events of starting and stopping is that of stopping."""
        with translate_sqlite_errors(self.path):
            row = self._connection.execute(
                "SELECT kind FROM events WHERE account = ? AND kind IN ('started', 'resumed', "
                "'stopped') ORDER BY number DESC LIMIT 1",
                (account,),
            ).fetchone()
        return row is not None and row["kind"] == "stopped"

    def list_active(self) -> list[str]:
        """The names of the accounts that are not stopped, the oldest first."""
        rows = self.rows("SELECT name FROM accounts ORDER BY created_at, name")
        return [row["name"] for row in rows if not self.is_stopped(row["name"])]

    def _last(self, kind: type[Row], table: str, account: str) -> Row | None:
        found = self._select(kind, table, "WHERE account = ? ORDER BY bar DESC LIMIT 1", account)
        return found[0] if found else None

    def _of_account(
        self, kind: type[Row], table: str, account: str, after: pd.Timestamp | None, order: str
    ) -> tuple[Row, ...]:
        clause = f"WHERE account = ? AND bar > ? ORDER BY {order}"
        since = "" if after is None else format_instant(after)
        return self._select(kind, table, clause, account, since)

    def _select(
        self, kind: type[Row], table: str, clause: str, *values: object
    ) -> tuple[Row, ...]:
        names = [each.name for each in fields(kind)]
        with translate_sqlite_errors(self.path):
            # A file that no engine of this version has written yet lacks the last columns.
            info = self._connection.execute(f"PRAGMA table_info({table})").fetchall()
            there = {each["name"] for each in info}
            columns = ", ".join(f'"{name}"' for name in names if name in there)
            rows = self._connection.execute(f"SELECT {columns} FROM {table} {clause}", values)
            return tuple(kind(**from_sqlite(table, row)) for row in rows)
