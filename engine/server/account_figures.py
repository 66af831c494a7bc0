"""The present state of every paper account, read from the journal."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import JournalError
from engine.live.event_text import describe_event
from engine.live.journal.queries import (
    count_absent_bars,
    count_events,
    newest_events,
)
from engine.live.paper.status import paper_status
from engine.live.sinks.compose import ALERT_KINDS
from engine.reporting.accounts import (
    AccountFigures,
    EventFigures,
    OrderFigures,
    SinkFigures,
    SymbolFigures,
)

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live.clock import Clock
    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow, DecisionRow, EquityRow, EventRow
    from engine.live.paper.status import PaperStatus

SHOWN_ALERTS = 5

MARKED_KINDS = ("late", *ALERT_KINDS)
"""Events that are marked as alerts: those that sinks are told of, and late bars."""


@dataclass(frozen=True)
class BarAge:
    """How old the newest bar of an account is.

    Attributes:
        age_s: Seconds since the bar ended.
        due_at: When the bar after it has to be there, its end and the grace time; None where the
            calendar does not say.
        overdue_s: Seconds since then; None before it.
    """

    age_s: float
    due_at: pd.Timestamp | None
    overdue_s: float | None


def read_account(
    reader: JournalReader, account: AccountRow, *, home: Path, clock: Clock, run_url: str
) -> AccountFigures:
    """The figures of one account.

    Args:
        reader: The journal.
        account: The account.
        home: Folder of the journal, which has the locks of the accounts too.
        clock: The time.
        run_url: Page of the run that tested its strategy; empty where there is none.

    Raises:
        JournalError: The journal cannot be read.
    """
    name = account.name
    status = paper_status(reader, account, home, clock, events=0, check=False)
    decision = reader.newest(name)
    age = _measure_age(account, status)
    fitted = newest_events(reader, name, ("trained",), 1)
    return AccountFigures(
        name=name,
        strategy=account.strategy,
        dataset=account.dataset,
        offline=account.offline,
        interval=account.interval,
        calendar=account.calendar,
        capital=account.capital,
        created_at=account.created_at,
        certified_by=account.certified_by,
        run_url=run_url,
        stopped=status.state == "stopped",
        process=status.process or "",
        decided_bar=decision.bar if decision else None,
        decided_at=decision.decided_at if decision else None,
        decided_late=decision.late if decision else False,
        symbols=_symbol_figures(account.capital, decision, reader.newest_equity(name)),
        orders=tuple(
            OrderFigures(
                symbol=order.symbol,
                target_weight=order.target_weight,
                decided_on=pd.Timestamp(order.decided_on),
                due_in_bars=order.due_in_bars,
                due=None if order.due is None else pd.Timestamp(order.due),
            )
            for order in status.orders
        ),
        equity=status.equity,
        cash=status.cash,
        newest_bar=decision.bar if decision else account.history_last,
        age_s=age.age_s,
        due_at=age.due_at,
        overdue_s=None if status.state == "stopped" else age.overdue_s,
        alerts=tuple(
            event_figures(event)
            for event in newest_events(reader, name, MARKED_KINDS, SHOWN_ALERTS)
        ),
        event_counts=count_events(reader, name),
        late_bars=status.late_decisions,
        missed_orders=status.missed_orders,
        absent_bars=count_absent_bars(reader, name),
        decision_count=status.decisions,
        fitted_at=next((event.at for event in fitted), None),
        comparison=_last_comparison(reader, name),
        sinks=tuple(
            SinkFigures(
                name=sink.name,
                target=sink.target,
                delivered_at=None
                if sink.delivered_at is None
                else pd.Timestamp(sink.delivered_at),
                failing=sink.failing,
                dead_letters=sink.dead_letters,
            )
            for sink in status.sinks
        ),
    )


def event_figures(event: EventRow) -> EventFigures:
    """An event of the journal as the pages show it."""
    try:
        text = describe_event(event.kind, event.detail)
    except JournalError:  # of another version; the detail may have addresses
        text = ""
    return EventFigures(event.at, event.kind, event.bar, text, event.kind in MARKED_KINDS)


def _last_comparison(reader: JournalReader, name: str) -> EventFigures | None:
    event = reader.newest_event(name, "comparison")
    return None if event is None else event_figures(event)


def _measure_age(account: AccountRow, status: PaperStatus) -> BarAge:
    grace_s = float(json.loads(account.settings)["grace_s"])
    overdue_s = 60.0 * status.overdue_minutes - grace_s
    complete = status.next_bar_complete_at
    return BarAge(
        age_s=60.0 * status.age_minutes,
        due_at=None if complete is None else pd.Timestamp(complete) + pd.Timedelta(grace_s, "s"),
        overdue_s=overdue_s if overdue_s > 0 else None,
    )


def _symbol_figures(
    capital: float, decision: DecisionRow | None, equity: EquityRow | None
) -> tuple[SymbolFigures, ...]:
    """Every symbol that was decided or is held; none before the first decision."""
    if decision is None or equity is None:
        return ()
    forecasts = decision.row["predicted"]
    symbols = dict.fromkeys([*decision.targets, *equity.holdings])
    return tuple(
        SymbolFigures(
            symbol=symbol,
            forecast=forecasts.get(symbol),
            target_weight=decision.targets.get(symbol, 0.0),
            held_weight=holding.get("weight", 0.0),
            value=capital * holding.get("units", 0.0) * holding.get("close", 0.0),
            close=holding.get("close"),
        )
        for symbol in symbols
        for holding in (equity.holdings.get(symbol, {}),)
    )
