"""How a paper account stands: what `backtest paper status` says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from engine.data.store.file_lock import find_lock_holder
from engine.live.loop.loop_state import LoopState
from engine.live.paper.account import account_lock
from engine.live.paper.journal_check import check_journal
from engine.live.paper.stored_documents import (
    schedule_of,
    settings_of,
    state_of,
    strategy_of,
)
from engine.live.sinks.state import SinkState, read_sink_states
from engine.runs.documents.base import Document, DocumentPart

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow, EventRow
    from engine.live.row_schedule import Schedule

CHECKED_BARS = 500
"""Newest bars whose rows are checked against each other."""


class HeldPosition(DocumentPart):
    """What an account holds of a symbol.

    Attributes:
        symbol: Its name.
        units: Units, signed.
        close: Close of its last bar.
        weight: Share of the equity.
        target_weight: Share that was decided last.
    """

    symbol: str
    units: float
    close: float
    weight: float
    target_weight: float


class WaitingOrder(DocumentPart):
    """An order that is not filled yet.

    Attributes:
        symbol: What is traded.
        target_weight: Share of the equity to hold.
        decided_on: Bar whose close decided it.
        due_in_bars: 1 is the next bar; 0 where it waits for a bar with a trade.
        due: That bar by the calendar; None where that does not say.
    """

    symbol: str
    target_weight: float
    decided_on: str
    due_in_bars: int
    due: str | None


class PaperEvent(DocumentPart):
    """An event of an account.

    Attributes:
        at: When.
        kind: What: `started`, `missed`, `late`, `absent`, `revision`, `difference` and others.
        bar: The bar that it is about.
        detail: What more is known.
    """

    at: str
    kind: str
    bar: str | None
    detail: dict[str, Any]


class PaperStatus(Document):
    """How a paper account stands. Times are ISO 8601, UTC; money in the currency of the bars.

    Attributes:
        account: Its name.
        strategy: Name of the strategy.
        dataset: Name of the dataset.
        interval: Length of a bar.
        state: `running` in a process, `idle` where none runs it, `stopped`.
        process: That process, as `process 4711`; None where none runs it.
        started_at: When it was started.
        capital: Equity at the start.
        equity: At the newest close.
        total_return: Since the start, a fraction.
        cash: Cash at the newest close.
        decisions: Bars that were decided.
        late_decisions: Of these, later than the grace time.
        missed_orders: Orders that were decided too late and are not filled.
        newest_bar: The bar that was decided last; None before the first.
        decided_at: When.
        age_minutes: Since the end of that bar, or of the history before the first.
        next_bar: The bar that comes next by the calendar; None where that does not say.
        next_bar_complete_at: When it is complete.
        overdue_minutes: Since then; 0 where it is not complete yet.
        positions: What is held or meant to be held.
        orders: Orders that are not filled yet.
        comparison: The last comparison with the backtest; None before the first.
        events: The newest events, the last first.
        sinks: How its sinks stand.
        problems: What the journal contradicts itself in, over its newest bars; not checked where
            it is None.
    """

    account: str
    strategy: str
    dataset: str
    interval: str
    state: Literal["running", "idle", "stopped"]
    process: str | None
    started_at: str
    capital: float
    equity: float
    total_return: float
    cash: float
    decisions: int
    late_decisions: int
    missed_orders: int
    newest_bar: str | None
    decided_at: str | None
    age_minutes: float
    next_bar: str | None
    next_bar_complete_at: str | None
    overdue_minutes: float
    positions: tuple[HeldPosition, ...]
    orders: tuple[WaitingOrder, ...]
    comparison: PaperEvent | None
    events: tuple[PaperEvent, ...]
    sinks: tuple[SinkState, ...]
    problems: tuple[str, ...] | None = None


def paper_status(
    reader: JournalReader,
    account: AccountRow,
    home: Path,
    clock: Clock,
    *,
    events: int = 10,
    check: bool = True,
) -> PaperStatus:
    """How an account stands now.

    Args:
        reader: The journal.
        account: The account.
        home: Folder of its lock and history.
        clock: The time.
        events: How many of the newest events.
        check: Whether to check the newest bars of the journal against each other.

    Raises:
        JournalError: The journal cannot be read.
    """
    newest, now = reader.newest(account.name), clock.now()
    settings, times = settings_of(account), schedule_of(account)
    last = account.history_last if newest is None else newest.bar
    following = next(iter(times.following(last, 1)), None)
    complete = None if following is None else times.is_complete_at(following.bar)
    state = LoopState() if newest is None else state_of(newest)
    process = find_lock_holder(account_lock(home, account.name))
    counts = reader.count(account.name)
    compared = reader.newest_event(account.name, "comparison")
    return PaperStatus(
        account=account.name,
        strategy=account.strategy,
        dataset=account.dataset,
        interval=account.interval,
        state="stopped" if reader.is_stopped(account.name) else "running" if process else "idle",
        process=process,
        started_at=account.created_at.isoformat(),
        capital=account.capital,
        equity=account.capital * state.account.equity,
        total_return=state.account.equity - 1.0,
        cash=account.capital * state.account.cash,
        decisions=counts["decisions"],
        late_decisions=counts["late"],
        missed_orders=counts["missed"],
        newest_bar=None if newest is None else newest.bar.isoformat(),
        decided_at=None if newest is None else newest.decided_at.isoformat(),
        age_minutes=_minutes(now - times.is_complete_at(last)),
        next_bar=None if following is None else following.bar.isoformat(),
        next_bar_complete_at=None if complete is None else complete.isoformat(),
        overdue_minutes=0.0 if complete is None else max(0.0, _minutes(now - complete)),
        positions=tuple(_positions(state, account.capital)),
        orders=tuple(_orders(state, times, strategy_of(account).execution.price)),
        comparison=None if compared is None else _event(compared),
        events=tuple(_event(row) for row in reader.newest_events(account.name, events)),
        sinks=tuple(read_sink_states(reader.path, account.name, settings.sinks)),
        problems=check_journal(reader, account, home, last=CHECKED_BARS) if check else None,
    )


def _positions(state: LoopState, capital: float) -> list[HeldPosition]:
    weights, targets = state.account.held_weights, state.account.targets
    return [
        HeldPosition(
            symbol=held.symbol,
            units=capital * held.units,
            close=held.close,
            weight=weights[held.symbol],
            target_weight=targets.get(held.symbol, 0.0),
        )
        for held in state.account.holdings
        if held.units != 0.0 or targets.get(held.symbol, 0.0) != 0.0
    ]


def _orders(
    state: LoopState, times: Schedule, price: Literal["open", "close"]
) -> list[WaitingOrder]:
    if state.account.timestamp is None:
        return []
    last, listed = pd.Timestamp(state.account.timestamp), []
    for order in state.account.orders:
        ahead, due = times.due_row(last, order, price)
        listed.append(
            WaitingOrder(
                symbol=order.symbol,
                target_weight=order.target_weight,
                decided_on=order.decided_on.isoformat(),
                due_in_bars=ahead,
                due=None if due is None else due.isoformat(),
            )
        )
    return listed


def _event(row: EventRow) -> PaperEvent:
    bar = None if row.bar is None else row.bar.isoformat()
    return PaperEvent(at=row.at.isoformat(), kind=row.kind, bar=bar, detail=dict(row.detail))


def _minutes(length: pd.Timedelta) -> float:
    return float(length / pd.Timedelta(minutes=1))
