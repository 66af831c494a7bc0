"""Orders that are decided after the price at which they would be filled.

An order that is decided at the close of bar t is due at the open or close of bar t + `delay`. It
can be filled there only if it was decided before that price of its exchange, and the grace time
after it at most: a price that is known cannot be traded at any more. This happens where a bar
comes late, where nothing ran when it came, and where a computation took too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.live.paper.settings import MissedPolicy
    from engine.live.row_schedule import Schedule
    from engine.signals.orders import Order
    from engine.simulation.config import Execution


@dataclass(frozen=True)
class TimedOrder:
    """An order, and whether it can be filled.

    Attributes:
        order: With the bars to its fill.
        status: `placed` in time; `deferred` to a later bar; `missed`, and never filled.
    """

    order: Order
    status: Literal["placed", "deferred", "missed"]


@dataclass(frozen=True)
class LatePolicy:
    """What becomes of orders, by when they are decided.

    Attributes:
        times: The bars of the account.
        execution: When orders are due.
        missed: What becomes of an order whose price has passed.
        grace: How long after that price the order still counts as decided before it.
    """

    times: Schedule
    execution: Execution
    missed: MissedPolicy
    grace: pd.Timedelta

    def is_late(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> bool:
        """Whether a bar is decided later than its end and the grace time."""
        return decided_at > self.times.is_complete_at(bar) + self.grace

    def is_in_time(self, order: Order, bar: pd.Timestamp, decided_at: pd.Timestamp) -> bool:
        """Whether an order of a close that is decided then can be filled where it is due."""
        due = self.times.price_instant(bar, order, self.execution.price)
        return due is not None and due >= decided_at - self.grace

    def due_in_bars(self, order: Order) -> int:
        """Bars from the decision of an order to the one at which it is expected to be filled."""
        bar = pd.Timestamp(order.decided_on)
        return self.times.due_row(bar, order, self.execution.price)[0]

    def time_orders(
        self,
        orders: Sequence[Order],
        bar: pd.Timestamp,
        decided_at: pd.Timestamp,
        *,
        is_newest: bool,
    ) -> tuple[TimedOrder, ...]:
        """The orders of one close, each due where it can be filled, or missed.

        Args:
            orders: As the strategy decided them, due `delay` bars later.
            bar: The bar that was decided.
            decided_at: When.
            is_newest: Whether no later bar is there to be decided: of several decisions that are
                late, only the newest is made good.
        """
        # All orders of a close are due at once, by the exchange of their symbol.
        in_time: dict[object, bool] = {}
        timed = []
        for order in orders:
            clock = self.times.clock_of(order.symbol)
            if clock not in in_time:
                in_time[clock] = self.is_in_time(order, bar, decided_at)
            timed.append(
                TimedOrder(order, "placed")
                if in_time[clock]
                else self._late(order, bar, decided_at, is_newest=is_newest)
            )
        return tuple(timed)

    def _late(
        self, order: Order, bar: pd.Timestamp, decided_at: pd.Timestamp, *, is_newest: bool
    ) -> TimedOrder:
        # The first price to come can be thousands of bars away: only an order that is made good
        # asks for it.
        if not is_newest or self.missed != "fill_at_next_open":
            return TimedOrder(order, "missed")
        earliest = decided_at - self.grace
        deferred = self.times.defer(order, bar, earliest, self.execution.price)
        if deferred is None:
            return TimedOrder(order, "missed")
        return TimedOrder(deferred, "deferred")


def merge_orders(waiting: Sequence[Order], timed: Sequence[TimedOrder]) -> tuple[Order, ...]:
    """The orders of an account after those of a close.

    An earlier order that would be filled after a new one of its symbol is withdrawn: it was
    deferred further, and the new one is the strategy's present will.
    """
    added = {each.order.symbol: each.order for each in timed if each.status != "missed"}
    kept = (
        order
        for order in waiting
        if order.margin_call
        or order.symbol not in added
        or not _is_due_later(order, added[order.symbol])
    )
    return (*kept, *added.values())


def _is_due_later(order: Order, other: Order) -> bool:
    """Whether an order would be filled after another one of its symbol."""
    if order.not_before is not None and other.not_before is not None:
        return order.not_before > other.not_before
    return order.due_in_bars > other.due_in_bars
