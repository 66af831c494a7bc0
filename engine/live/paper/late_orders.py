"""Orders that are decided after the price at which they would be filled.

An order that is decided at the close of bar t is due at the open or close of bar t + `delay`. It
can be filled there only if it was decided before that price, and the grace time after it at most:
a price that is known cannot be traded at any more. This happens where a bar comes late, where
nothing ran when it came, and where a computation took too long.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from engine.live.bar_schedule import BarSchedule
    from engine.live.paper.settings import MissedPolicy
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

    times: BarSchedule
    execution: Execution
    missed: MissedPolicy
    grace: pd.Timedelta

    def is_late(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> bool:
        """Whether a bar is decided later than its end and the grace time."""
        return decided_at > self.times.is_complete_at(bar) + self.grace

    def is_in_time(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> bool:
        """Whether an order that is decided then can be filled where it is due."""
        delay = self.execution.delay
        spans = self.times.following(bar, delay)
        if len(spans) < delay:
            return False
        due = spans[-1].opens if self.execution.price == "open" else spans[-1].closes
        return due >= decided_at - self.grace

    def _due_in_bars(self, bar: pd.Timestamp, decided_at: pd.Timestamp) -> int | None:
        """Bars to the first price at or after the decision, at least `delay`."""
        return self.times.bars_until(
            bar, decided_at - self.grace, self.execution.price, self.execution.delay
        )

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
        if not orders:
            return ()
        if self.is_in_time(bar, decided_at):
            return tuple(TimedOrder(order, "placed") for order in orders)
        # The first price to come can be thousands of bars away: only an order that is made good
        # asks for it.
        is_made_good = is_newest and self.missed == "fill_at_next_open"
        due = self._due_in_bars(bar, decided_at) if is_made_good else None
        if due is None:
            return tuple(TimedOrder(order, "missed") for order in orders)
        return tuple(
            TimedOrder(order.model_copy(update={"due_in_bars": due}), "deferred")
            for order in orders
        )


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
        or order.due_in_bars <= added[order.symbol].due_in_bars
    )
    return (*kept, *added.values())
