"""Whether the journal of an account follows from its own bars and orders, bar by bar."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.rates import load_rates
from engine.live.loop.loop_state import LoopState
from engine.live.loop.market_bars import MarketBars
from engine.live.paper.account_bars import load_account_market
from engine.live.paper.account_history import history_path, read_history
from engine.live.paper.bar_entry import equity_row, make_fill_rows
from engine.live.paper.late_orders import TimedOrder, merge_orders
from engine.live.paper.rate_watch import find_in_journal, funding_of
from engine.live.paper.row_check import check_rows
from engine.live.paper.stored_documents import schedule_of, state_of, strategy_of
from engine.live.row_schedule import RowSchedule
from engine.signals.orders import Order
from engine.simulation.bar_step import step

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.live.journal.reader import JournalReader
    from engine.live.journal.rows import AccountRow, DecisionRow, FillRow, OrderRow
    from engine.simulation.account import Account


def check_journal(
    reader: JournalReader, account: AccountRow, home: Path, *, last: int | None = None
) -> tuple[str, ...]:
    """What in the journal of an account contradicts the rest of it; nothing where it is whole.

    Each account is the one before it moved over the bar by `engine.step`, with the orders that
    were placed; fills and equity are those of the account; each order is the target of its
    decision; each decision is later than the end of its bar.

    Args:
        reader: The journal.
        account: The account.
        home: Folder of its history.
        last: Check that many of the newest bars; None for all.

    Raises:
        JournalError: The history is missing, or the journal cannot be read.
    """
    return tuple(_Check(reader, account, home, last).problems())


class _Check:
    def __init__(
        self, reader: JournalReader, account: AccountRow, home: Path, last: int | None
    ) -> None:
        self._reader, self._account, self._home = reader, account, home
        name = account.name
        after = None if last is None else reader.bar_before(name, last)
        self._before = (
            None
            if after is None
            else reader.decision_before(name, after + pd.Timedelta(microseconds=1))
        )
        self._after = account.history_last if after is None else after
        self._spec = strategy_of(account)
        self._times = schedule_of(account)
        self._decisions = reader.decisions(name, after)
        self._equity = {row.bar: row for row in reader.equity(name, after)}
        self._orders: dict[pd.Timestamp, list[OrderRow]] = defaultdict(list)
        for order in reader.orders(name, after):
            self._orders[order.bar].append(order)
        self._fills: dict[pd.Timestamp, list[FillRow]] = defaultdict(list)
        for fill in reader.fills(name, after):
            self._fills[fill.bar].append(fill)
        self._received: dict[pd.Timestamp, set[str]] = defaultdict(set)
        for bar, symbol in reader.symbols_of_bars(name, self._after):
            self._received[bar].add(symbol)
        self._older = reader.count_bars(name, account.history_last)
        self._history = read_history(history_path(home, name), account.history_hash)
        self._symbols = self._history.symbols
        self._funding = None
        if self._history.funding is not None:
            self._funding = funding_of(reader, account, self._spec, self._history.funding)
        self._rates = load_rates(self._spec.rates)

    def problems(self) -> Iterator[str]:
        misplaced = tuple(self._misplaced_rows())
        if misplaced:
            yield from misplaced
            return
        if isinstance(self._times, RowSchedule):
            name = self._account.name
            yield from check_rows(
                self._history,
                self._reader.arrivals(name),
                self._reader.bars(name),
                self._times,
                newest_only=self._before is not None,
            )
        decided = [row.bar for row in self._decisions]
        self._market = load_account_market(self._reader, self._account, self._home)
        state = LoopState()
        if self._before is not None:
            state = state_of(self._before)
        traded = tuple(self._decisions[-1].targets) if decided else ()
        prices = MarketBars(
            self._market, traded, panel=self._spec.is_panel, price=self._spec.execution.price
        )
        bound = self._spec.bind_costs(self._market)
        for decision in self._decisions:
            found = state_of(decision)
            paid = self._correct(state.account)
            account, fills = step(
                paid,
                prices.at(decision.bar),
                (),
                bound,
                price=self._spec.execution.price,
                cash_rate=float(self._rates.cash.at(pd.DatetimeIndex([decision.bar]))[0]),
                maintenance_margin=self._spec.execution.maintenance_margin,
            )
            placed = [_timed(order) for order in self._orders[decision.bar]]
            expected = account.model_copy(update={"orders": merge_orders(account.orders, placed)})
            rows = make_fill_rows(decision.account, decision.bar, fills, paid, account)
            yield from self._differences(decision, found, expected, rows)
            state = found

    def _correct(self, account: Account) -> Account:
        """The account that has paid for the funding rates that came after its last bar."""
        last = account.timestamp
        if self._funding is None or last is None:
            return account
        correction = self._funding.correction(
            pd.Timestamp(last), lambda due_at: find_in_journal(self._reader, self._account, due_at)
        )
        return account if correction is None else correction.apply(account)

    def _misplaced_rows(self) -> Iterator[str]:
        """Rows that belong to no decision, and decisions without their bars."""
        decided = [row.bar for row in self._decisions]
        if self._older:
            yield f"{self._older} rows of bars that the history has"
        for bar in sorted({*self._orders, *self._fills, *self._equity} - set(decided)):
            yield f"{bar}: orders, fills or equity of a bar that was not decided"
        if sorted(self._received) != decided:
            yield f"bars that were received {len(self._received)}, decided {len(decided)}"
        for bar, symbols in self._received.items():
            missing = set() if self._spec.is_panel else set(self._symbols) - symbols
            if missing or not symbols <= set(self._symbols):
                yield f"{bar}: bars of other symbols than those of the market"

    def _differences(
        self,
        decision: DecisionRow,
        found: LoopState,
        expected: Account,
        fills: tuple[FillRow, ...],
    ) -> Iterator[str]:
        bar = decision.bar
        if found.account != expected:
            yield f"{bar}: the account is not the one before, moved over the bar"
        if self._equity.get(bar) != equity_row(decision.account, bar, found.account):
            yield f"{bar}: the equity is not that of the account"
        if tuple(self._fills[bar]) != fills:
            yield f"{bar}: the fills are not those of the orders that were due"
        if found.decision.decided_on != bar:
            yield f"{bar}: the state is that of another bar"
        for order in self._orders[bar]:
            if decision.targets.get(order.symbol) != order.target_weight:
                yield f"{bar}: the order of {order.symbol} is not its target"
        if decision.decided_at < self._times.is_complete_at(bar) and (
            decision.decided_at < self._times.is_traded_until(bar)
        ):
            yield f"{bar}: decided before its end, at {decision.decided_at}"


def _timed(order: OrderRow) -> TimedOrder:
    own = Order(
        symbol=order.symbol,
        target_weight=order.target_weight,
        decided_on=order.bar,
        due_in_bars=order.due_in_bars,
        not_before=order.not_before,
    )
    return TimedOrder(own, order.status)
