"""Journals of paper accounts, written without a strategy, and what reads them."""

from __future__ import annotations

import json
import resource
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal, JournalEntry, NewEvent
from engine.live.journal.rows import AccountRow, BarRow, DecisionRow, EquityRow, OrderRow
from engine.live.sinks.message import DecisionMessage
from engine.live.sinks.outbox import Attempt, Outbox
from tests.live.manual_clock import ManualClock

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

    from engine.live.sinks.message import SinkMessage
    from engine.live.sinks.sink import DeliveryError

FIRST_BAR = pd.Timestamp("2026-01-05", tz="UTC")
DATASET = {
    "name": "none",
    "interval": "1d",
    "calendar": "XNYS",
    "symbols": ["A"],
    "sources": [{"kind": "files", "path": "."}],
}
MARKER = "s3cret-MARKER-0123456789abcdef"


def bar(number: int) -> pd.Timestamp:
    """A weekday: the first bars of January 2026 from Monday the 5th on."""
    return FIRST_BAR + pd.Timedelta(days=number)


def make_clock() -> ManualClock:
    """A month after the first bar."""
    return ManualClock("2026-02-04")


@dataclass
class RecordingSink:
    """Takes every message, but raises the failures first, one a message."""

    failures: list[DeliveryError | Exception] = field(default_factory=list)
    taken: list[SinkMessage] = field(default_factory=list)

    def send(self, message: SinkMessage, now: pd.Timestamp) -> None:
        if self.failures:
            raise self.failures.pop(0)
        self.taken.append(message)

    @property
    def keys(self) -> list[str]:
        return [message.key for message in self.taken]


def make_account(
    home: Path, name: str = "demo", sinks: Sequence[Mapping[str, object]] = ()
) -> Path:
    """A journal with an account that has decided nothing."""
    path = journal_path(home)
    row = AccountRow(
        name=name,
        created_at=FIRST_BAR,
        strategy="momentum",
        specification=json.dumps({"execution": {"delay": 1, "price": "open"}}),
        dataset="none",
        manifest=json.dumps({"path": "none.yaml", "dataset": DATASET}),
        offline=False,
        interval="1d",
        calendar="XNYS",
        capital=50_000.0,
        settings=json.dumps({"sinks": list(sinks)}),
        certified_by="run",
        history_hash="",
        history_last=FIRST_BAR - pd.Timedelta(days=1),
    )
    with Journal(path) as journal:
        journal.create_account(row, NewEvent(FIRST_BAR, "started"))
    return path


def decide(
    path: Path, number: int, target: float = 0.0, *, places_order: bool = False, name: str = "demo"
) -> None:
    """Records the decision of one bar about the symbol A."""
    at = bar(number)
    orders = (OrderRow(name, at, "A", target, 1, "placed"),) if places_order else ()
    entry = JournalEntry(
        bars=(BarRow(name, at, "A", 1.0, 1.0, 1.0, 1.0, 1.0, at),),
        decision=DecisionRow(
            name,
            at,
            decided_at=at + pd.Timedelta(days=1, seconds=2),
            late=False,
            row={"window": 0, "predicted": {"A": 0.001}, "quantiles": {}},
            targets={"A": target},
            state="{}",
        ),
        orders=orders,
        fills=(),
        equity=EquityRow(name, at, 1.02, 1.0, {"A": {"units": 0.0, "close": 1.0, "weight": 0.25}}),
    )
    with Journal(path) as journal:
        journal.record(entry)


def happen(
    path: Path,
    kind: str,
    number: int | None = None,
    detail: Mapping[str, object] | None = None,
    name: str = "demo",
) -> None:
    """Records an event about a bar."""
    about = None if number is None else bar(number)
    at = FIRST_BAR + pd.Timedelta(days=29)
    with Journal(path) as journal:
        journal.record_events(name, [NewEvent(at, kind, about, detail or {})])


def make_message(number: int = 0, text: str = "Nothing changes.") -> DecisionMessage:
    """A message that no journal has."""
    return DecisionMessage(
        key=f"demo/{bar(number):%Y-%m-%d}/decision",
        account="demo",
        strategy="momentum",
        bar=bar(number).isoformat(),
        decided_at=bar(number + 1).isoformat(),
        late=False,
        symbols=(),
        orders=(),
        equity=51_000.0,
        text=text,
    )


@contextmanager
def file_size_limit(size: int) -> Iterator[None]:
    """Files of this process cannot grow beyond so many bytes, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def give_up(path: Path, numbers: Sequence[int], sink: str, attempt: int = 10) -> None:
    """Records decisions, and that a sink has given them up."""
    now = make_clock().now()
    with closing(Outbox(path, "demo", sink, ("decision", "alert"))) as outbox:
        outbox.begin(now)
        for number in numbers:
            decide(path, number, 0.4, places_order=True)
            outbox.record(outbox.next_pending(), Attempt(attempt, now, "dead"))
