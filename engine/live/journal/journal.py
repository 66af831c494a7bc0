"""Writes the journal of paper accounts: who started, what came, was decided, and came of it."""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from engine.core.errors import UsageError
from engine.live.journal.file import (
    connect_writer,
    journal_path,
    translate_sqlite_errors,
    write_transaction,
)
from engine.live.journal.reader import JournalReader, no_account_error
from engine.live.journal.rows import (
    AccountRow,
    BarRow,
    DecisionRow,
    EquityRow,
    FillRow,
    OrderRow,
    encode_values,
    format_instant,
    to_sqlite,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    import pandas as pd

    from engine.core.types import BarsFrame


@dataclass(frozen=True)
class NewEvent:
    """An event that is not written yet; see `EventRow`."""

    at: pd.Timestamp
    kind: str
    bar: pd.Timestamp | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class JournalEntry:
    """All that is written about one bar, in one transaction."""

    bars: tuple[BarRow, ...]
    decision: DecisionRow
    orders: tuple[OrderRow, ...]
    fills: tuple[FillRow, ...]
    equity: EquityRow
    events: tuple[NewEvent, ...] = ()


class Journal(JournalReader):
    """Writes the journal; created where there is none.

    One process at a time writes for an account, which its lock holds; several may write for
    several accounts.

    Args:
        path: The file, as by `journal_path`.

    Raises:
        JournalError: The file cannot be used.
        StorageError: Its folder cannot be created.
    """

    def __init__(self, path: Path) -> None:
        connect_writer(path).close()
        super().__init__(path)
        self._writer = connect_writer(path)

    def close(self) -> None:
        """Closes the connections."""
        with suppress(Exception):
            super().close()
        self._writer.close()

    @classmethod
    def existing(cls, home: Path) -> Journal:
        """The journal in a home, to be written.

        Raises:
            UsageError: No account was ever started there.
        """
        if not journal_path(home).exists():
            raise no_account_error(journal_path(home))
        return cls(journal_path(home))

    def require_new_name(self, name: str) -> None:
        """Refuses the name of an account that exists.

        Raises:
            UsageError: There is one of that name.
        """
        with translate_sqlite_errors(self.path):
            known = self._writer.execute(
                "SELECT created_at FROM accounts WHERE name = ?", (name,)
            ).fetchone()
        if known is not None:
            raise UsageError(
                "there is a paper account of that name",
                expected="a new name: what an account decided is never replaced",
                found=f"{name}, started {known['created_at'][:16]} UTC",
                where="--account",
                fix="give another name; one that was stopped goes on with "
                f"`backtest paper resume {name}`",
            )

    def create_account(self, account: AccountRow, event: NewEvent) -> None:
        """Writes a new account and its first event.

        Raises:
            UsageError: There is one of that name.
        """
        with write_transaction(self._writer, self.path):
            self.require_new_name(account.name)
            self._insert("accounts", [account])
            self._insert_events(account.name, [event])

    def record(self, entry: JournalEntry) -> None:
        """Writes all of one bar in one transaction.

        Raises:
            sqlite3.IntegrityError: The bar was decided before, or a later one was.
            JournalError: The file cannot be written.
        """
        with write_transaction(self._writer, self.path):
            self._insert("bars", entry.bars)
            self._insert("decisions", [entry.decision])
            self._insert("orders", entry.orders)
            self._insert("fills", entry.fills)
            self._insert("equity", [entry.equity])
            self._insert_events(entry.decision.account, entry.events)

    def record_arrivals(
        self,
        account: str,
        bars: BarsFrame,
        received_at: pd.Timestamp,
        after_bar: pd.Timestamp,
        events: Iterable[NewEvent] = (),
    ) -> None:
        """Writes bars of an account on several exchanges as they come, in one transaction.

        Args:
            account: The account.
            bars: Long bars in the currencies of their symbols; each comes once.
            received_at: When they were there.
            after_bar: The row that was decided last.
            events: What is told of them.
        """
        came = {"account": account, "received_at": received_at, "after_bar": after_bar}
        with write_transaction(self._writer, self.path):
            for values in bars.rename(columns={"timestamp": "bar"}).to_dict("records"):
                named = {str(name): value for name, value in values.items()}
                self._insert_values("arrivals", encode_values(named | came))
            self._insert_events(account, events)

    def record_funding(
        self,
        account: str,
        rates: pd.DataFrame,
        received_at: pd.Timestamp,
        after_bar: pd.Timestamp,
        events: Iterable[NewEvent] = (),
    ) -> None:
        """Writes funding rates as they come, in one transaction.

        Args:
            account: The account.
            rates: Columns timestamp, when each was due, symbol and rate; each comes once.
            received_at: When they were there.
            after_bar: The bar that was decided last.
            events: What is told of them.
        """
        came = {"account": account, "received_at": received_at, "after_bar": after_bar}
        with write_transaction(self._writer, self.path):
            for values in rates.rename(columns={"timestamp": "due_at"}).to_dict("records"):
                named = {str(name): value for name, value in values.items()}
                self._insert_values("funding", encode_values(named | came))
            self._insert_events(account, events)

    def record_events(self, account: str, events: Iterable[NewEvent]) -> None:
        """Appends events."""
        with write_transaction(self._writer, self.path):
            self._insert_events(account, events)

    def _insert_events(self, account: str, events: Iterable[NewEvent]) -> None:
        for event in events:
            self._writer.execute(
                "INSERT INTO events (account, at, kind, bar, detail) VALUES (?, ?, ?, ?, ?)",
                (
                    account,
                    format_instant(event.at),
                    event.kind,
                    None if event.bar is None else format_instant(event.bar),
                    json.dumps(event.detail, allow_nan=False),
                ),
            )

    def _insert(self, table: str, rows: Iterable[object]) -> None:
        for row in rows:
            self._insert_values(table, to_sqlite(row))

    def _insert_values(self, table: str, values: Mapping[str, object]) -> None:
        columns = ", ".join(f'"{name}"' for name in values)
        places = ", ".join("?" for _ in values)
        self._writer.execute(
            f"INSERT INTO {table} ({columns}) VALUES ({places})", tuple(values.values())
        )
