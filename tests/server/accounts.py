"""Paper accounts in a journal, as the command writes them, from generated bars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.data import Dataset, DatasetManifest
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal, JournalEntry, NewEvent
from engine.live.journal.rows import AccountRow, BarRow, DecisionRow, FillRow, OrderRow
from engine.live.loop.loop_state import LoopState
from engine.live.paper.account import manifest_to_json
from engine.live.paper.bar_entry import equity_row
from engine.signals.orders import Order
from engine.simulation.account import Account, Holding
from tests.live.manual_clock import ManualClock

if TYPE_CHECKING:
    from pathlib import Path

FIRST_BAR = pd.Timestamp("2026-03-02", tz="UTC").as_unit("us")
DAY = pd.Timedelta(days=1)
GRACE_S = 30.0


def clock_after(bars: int, *, seconds: float = 5.0) -> ManualClock:
    """The clock some time after the end of the last of so many bars."""
    now = FIRST_BAR + bars * DAY + pd.Timedelta(seconds=seconds)
    return ManualClock(now.tz_localize(None).isoformat())


def start_account(home: Path, name: str = "ridge", **changes: Any) -> AccountRow:
    """A new account of daily bars around the clock."""
    calendar = changes.get("calendar", "24/7")
    dataset = Dataset(
        name="made-up",
        interval="1d",
        calendar=calendar,
        symbols=("ABC",),
        sources=({"kind": "yahoo"},),
    )
    row = AccountRow(
        **{
            "name": name,
            "created_at": FIRST_BAR,
            "strategy": "ridge",
            "specification": '{"execution": {"price": "open"}}',
            "dataset": "made-up",
            "offline": False,
            "interval": "1d",
            "calendar": "24/7",
            "capital": 100_000.0,
            "settings": f'{{"missed": "skip", "grace_s": {GRACE_S}}}',
            "certified_by": "1111aaaa0000",
            "history_hash": "ab" * 32,
            "history_last": FIRST_BAR - DAY,
            "manifest": manifest_to_json(DatasetManifest(dataset, home / "made-up.yaml")),
            **changes,
        }
    )
    with Journal(journal_path(home)) as journal:
        journal.create_account(
            row, NewEvent(FIRST_BAR, "started", detail={"capital": row.capital})
        )
    return row


def bar_at(number: int) -> pd.Timestamp:
    """The bar of a number, from 0."""
    return FIRST_BAR + number * DAY


def make_entry(
    name: str,
    number: int,
    *,
    equity: float = 1.0,
    weights: dict[str, float] | None = None,
    late: bool = False,
    status: str = "placed",
) -> JournalEntry:
    """All of one bar: every second one fills the order of the bar before."""
    weights = weights or {"ABC": 0.5 * (number % 2)}
    bar = bar_at(number)
    closes = dict.fromkeys(weights, 100.0 + number)
    orders = () if number % 2 else tuple(weights)
    account = Account(
        timestamp=bar,
        equity=equity,
        cash_flow=equity * (1.0 - sum(weights.values())) - 1.0,
        holdings=tuple(
            Holding(symbol=each, units=equity * weight / closes[each], close=closes[each])
            for each, weight in weights.items()
        ),
        orders=tuple(Order(symbol=each, target_weight=0.5, decided_on=bar) for each in orders),
    )
    return JournalEntry(
        bars=tuple(
            BarRow(name, bar, symbol, close, close + 1, close - 1, close, 10.0, bar + DAY)
            for symbol, close in closes.items()
        ),
        decision=DecisionRow(
            account=name,
            bar=bar,
            decided_at=bar + DAY + pd.Timedelta(seconds=90 if late else 2),
            late=late,
            row={
                "window": 0,
                "predicted": dict.fromkeys(weights, 0.00123 * (1 - number % 3)),
                "quantiles": {},
            },
            targets=dict.fromkeys(weights, 0.5),
            state=LoopState(account=account).model_dump_json(),
        ),
        orders=tuple(OrderRow(name, bar, symbol, 0.5, 1, status) for symbol in orders),
        fills=tuple(
            FillRow(
                account=name,
                bar=bar,
                number=place,
                symbol=symbol,
                side="buy",
                size=0.005,
                price=closes[symbol],
                fee=1e-5,
                slippage_cost=2e-5,
                equity=equity,
                margin_call=False,
                decided_on=bar - DAY,
            )
            for place, symbol in enumerate(weights)
            if number % 2
        ),
        equity=equity_row(name, bar, account),
    )


def decide_bars(home: Path, name: str, first: int, stop: int, **changes: Any) -> None:
    """Writes the bars of some numbers, each in a transaction."""
    noise = 0.008 * np.random.default_rng(7).standard_normal(10_000)
    with Journal(journal_path(home)) as journal:
        for number in range(first, stop):
            equity = float(np.prod(1.0 + noise[1 : number + 1]))
            journal.record(make_entry(name, number, equity=equity, **changes))


def record_event(home: Path, name: str, kind: str, number: int, **detail: Any) -> None:
    """Appends an event about a bar."""
    with Journal(journal_path(home)) as journal:
        at = bar_at(number) + DAY + pd.Timedelta(seconds=90)
        journal.record_events(name, [NewEvent(at, kind, bar_at(number), detail)])
