"""The messages of an account that a sink has not been sent yet, derived from the journal.

The decisions and events of the journal are the queue: a message is pending for a sink while it is
later than the last one that was delivered to that sink, or that has become a dead letter. Nothing
is written when a bar is decided, so that a sink cannot keep a decision from being recorded.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from engine.live.journal.file import (
    connect_reader,
    connect_writer,
    translate_sqlite_errors,
    write_transaction,
)
from engine.live.journal.reader import JournalReader
from engine.live.journal.rows import format_instant, from_sqlite, parse_stored_instant
from engine.live.sinks.compose import ALERT_KINDS, Composer

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    import pandas as pd

    from engine.live.sinks.message import SinkMessage

DECISIONS, EVENTS = "decisions", "events"

_FIRST_POSITION = {DECISIONS: "", EVENTS: 0}
_ALERTS = ", ".join(f"'{kind}'" for kind in ALERT_KINDS)


@dataclass(frozen=True)
class Pending:
    """A message and its place in the journal.

    Attributes:
        source: `decisions` or `events`.
        position: Bar of the decision, as the journal writes it, or number of the event.
        message: The message.
    """

    source: str
    position: str | int
    message: SinkMessage


@dataclass(frozen=True)
class Attempt:
    """An attempt to deliver a message.

    Attributes:
        number: From 1.
        at: When.
        outcome: `delivered`, `failed` or `dead`: failed, and not tried again.
        reason: Why it failed; empty where it did not.
        retry_at: When the next attempt is due; None where there is none.
    """

    number: int
    at: pd.Timestamp
    outcome: str
    reason: str = ""
    retry_at: pd.Timestamp | None = None


class Outbox:
    """What one sink of one account is sent, and what came of it.

    Args:
        path: The journal.
        account: Name of the account.
        sink: Name of the sink.
        events: What the sink is told of; see `SinkBase`.
        read_only: Whether to leave the journal as it is.

    Raises:
        JournalError: The journal cannot be used.
        UsageError: There is no such account.
    """

    def __init__(
        self,
        path: Path,
        account: str,
        sink: str,
        events: Collection[str],
        *,
        read_only: bool = False,
    ) -> None:
        with JournalReader(path) as reader:
            self._composer = Composer(reader.account(account))
        self.path, self.account, self.sink = path, account, sink
        self._events = events
        self._connection = connect_reader(path) if read_only else connect_writer(path)
        self._unrecorded: list[tuple[object, ...]] = []

    def close(self) -> None:
        """Closes the connection."""
        self._connection.close()

    def begin(self, now: pd.Timestamp) -> None:
        """Lets the sink begin with what the journal does not have yet; once for each sink."""
        for source, newest in (
            (DECISIONS, "SELECT MAX(bar) FROM decisions WHERE account = ?"),
            (EVENTS, "SELECT MAX(number) FROM events WHERE account = ?"),
        ):
            if self._cursor(source) is not None:
                continue
            (position,) = self._fetch(newest, self.account)[0]
            begun = Attempt(0, now, "begun")
            self._write(source, position or _FIRST_POSITION[source], "", begun)

    def next_pending(self) -> Pending | None:
        """The first message that is pending; None where there is none."""
        self._write_unrecorded()
        found = [*self._next_decision(), *self._next_alert()]
        return min(found, key=_instant) if found else None

    def last_attempt(self, key: str) -> Attempt | None:
        """The newest attempt to deliver a message."""
        found = self._fetch(
            "SELECT attempt, at, outcome, reason, retry_at FROM deliveries "
            "WHERE account = ? AND sink = ? AND key = ? ORDER BY number DESC LIMIT 1",
            *(self.account, self.sink, key),
        )
        if not found:
            return None
        number, at, outcome, reason, retry_at = found[0]
        due = None if retry_at is None else parse_stored_instant(retry_at)
        return Attempt(number, parse_stored_instant(at), outcome, reason, due)

    def record(self, pending: Pending, attempt: Attempt) -> None:
        """Writes an attempt; one that cannot be written now is written before the next message.

        Raises:
            JournalError: It cannot be written now.
        """
        self._write(pending.source, pending.position, pending.message.key, attempt)

    def dead(self) -> tuple[Pending, ...]:
        """The dead letters, in order: given up, and not delivered since."""
        return tuple(self._compose(*place) for place in self._dead_places())

    def count_dead(self) -> int:
        """How many dead letters there are."""
        return len(self._dead_places())

    def delivered_at(self) -> pd.Timestamp | None:
        """When the sink took a message last; None before the first."""
        found = self._fetch(
            "SELECT at FROM deliveries WHERE account = ? AND sink = ? "
            "AND outcome = 'delivered' ORDER BY number DESC LIMIT 1",
            *(self.account, self.sink),
        )
        return parse_stored_instant(found[0]["at"]) if found else None

    def failing(self) -> str:
        """Why the next message was not taken; empty where it was not tried or there is none."""
        found = self._fetch(
            "SELECT outcome, reason FROM deliveries WHERE account = ? AND sink = ? "
            "ORDER BY number DESC LIMIT 1",
            *(self.account, self.sink),
        )
        return str(found[0]["reason"]) if found and found[0]["outcome"] == "failed" else ""

    def _dead_places(self) -> list[tuple[str, Any]]:
        found = self._fetch(
            "SELECT source, position FROM deliveries AS given_up WHERE account = ? "
            "AND sink = ? AND outcome = 'dead' AND NOT EXISTS (SELECT 1 FROM deliveries AS "
            "later WHERE later.account = given_up.account AND later.sink = given_up.sink "
            "AND later.key = given_up.key AND later.outcome = 'delivered') ORDER BY number",
            *(self.account, self.sink),
        )
        return list(dict.fromkeys(map(tuple, found)))  # one may be given up again

    def settled(self) -> Iterator[Pending]:
        """Every message that is not pending, also of the time before the sink, in order."""
        decisions, alerts = self._settled_decisions(), self._settled_alerts()
        yield from sorted((*decisions, *alerts), key=_instant)

    def _settled_decisions(self) -> Iterator[Pending]:
        table = self._decision_table()
        if table is not None:
            for (bar,) in self._fetch(
                f"SELECT DISTINCT bar FROM {table} WHERE account = ? AND bar <= ? ORDER BY bar",
                *(self.account, self._cursor(DECISIONS) or ""),
            ):
                yield self._compose(DECISIONS, bar)

    def _settled_alerts(self) -> Iterator[Pending]:
        if "alert" in self._events:
            for (number,) in self._fetch(
                f"SELECT number FROM events WHERE account = ? AND number <= ? "
                f"AND kind IN ({_ALERTS}) ORDER BY number",
                *(self.account, self._cursor(EVENTS) or 0),
            ):
                yield self._compose(EVENTS, number)

    def _next_decision(self) -> Iterator[Pending]:
        table = self._decision_table()
        if table is not None:
            (bar,) = self._fetch(
                f"SELECT MIN(bar) FROM {table} WHERE account = ? AND bar > ?",
                *(self.account, self._cursor(DECISIONS) or ""),
            )[0]
            if bar is not None:
                yield self._compose(DECISIONS, bar)

    def _next_alert(self) -> Iterator[Pending]:
        if "alert" in self._events:
            (number,) = self._fetch(
                f"SELECT MIN(number) FROM events WHERE account = ? AND number > ? "
                f"AND kind IN ({_ALERTS})",
                *(self.account, self._cursor(EVENTS) or 0),
            )[0]
            if number is not None:
                yield self._compose(EVENTS, number)

    def _decision_table(self) -> str | None:
        """The table with a row for each bar whose decision the sink is told of."""
        if "decision" in self._events:
            return "decisions"
        return "orders" if "order" in self._events else None

    def _cursor(self, source: str) -> object:
        """Position up to which nothing is pending; None for a sink that has not begun."""
        return self._fetch(
            "SELECT MAX(position) FROM deliveries WHERE account = ? AND sink = ? AND source = ? "
            "AND outcome != 'failed'",
            *(self.account, self.sink, source),
        )[0][0]

    def _compose(self, source: str, position: str | int) -> Pending:
        if source == EVENTS:
            (event,) = self._rows("events", "account = ? AND number = ?", self.account, position)
            return Pending(source, position, self._composer.alert(event))
        of_bar = (self.account, position)
        (decision,) = self._rows("decisions", "account = ? AND bar = ?", *of_bar)
        (equity,) = self._rows("equity", "account = ? AND bar = ?", *of_bar)
        orders = self._rows("orders", "account = ? AND bar = ? ORDER BY rowid", *of_bar)
        return Pending(source, position, self._composer.decision(decision, orders, equity))

    def _rows(self, table: str, condition: str, *values: object) -> list[dict[str, Any]]:
        query = f"SELECT * FROM {table} WHERE {condition}"
        return [from_sqlite(table, row) for row in self._fetch(query, *values)]

    def _fetch(self, query: str, *values: object) -> list[Any]:
        with translate_sqlite_errors(self.path):
            return self._connection.execute(query, values).fetchall()

    def _write(self, source: str, position: object, key: str, attempt: Attempt) -> None:
        retry_at = None if attempt.retry_at is None else format_instant(attempt.retry_at)
        self._unrecorded.append(
            (
                *(self.account, self.sink, source, position, key, attempt.number),
                *(format_instant(attempt.at), attempt.outcome, attempt.reason, retry_at),
            )
        )
        self._write_unrecorded()

    def _write_unrecorded(self) -> None:
        if not self._unrecorded:
            return
        with write_transaction(self._connection, self.path):
            self._connection.executemany(
                "INSERT INTO deliveries (account, sink, source, position, key, attempt, at, "
                "outcome, reason, retry_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                self._unrecorded,
            )
        self._unrecorded.clear()


def _instant(pending: Pending) -> tuple[str, bool]:
    """Messages are sent in the order in which things happened, a decision before its alerts."""
    message = pending.message
    if message.kind == "decision":
        return message.decided_at, False
    return message.at, True
