"""When the rows of an account are decided whose symbols trade on several exchanges."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd

from engine.data.bars import NO_DELAY
from engine.data.sessions import DAY_US
from engine.live.bar_schedule import MAX_BARS_AHEAD, BarSpan

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from engine.core.types import BoolVector, IntVector
    from engine.data.bar_times import TradingTimes
    from engine.live.bar_schedule import BarSchedule
    from engine.signals.orders import Order

_DAYS_BEFORE = 15
"""Days before a row from which sessions are looked at: no exchange closes for longer."""

Schedule: TypeAlias = "BarSchedule | RowSchedule"
"""When the rows of an account come: of one calendar, or of several."""

_NEVER = np.iinfo(np.int64).min


class _ExpectedRows(NamedTuple):
    """Rows that calendars expect, microseconds since 1970."""

    labels: IntVector
    opens: IntVector
    closes: IntVector


@dataclass(frozen=True, eq=False)
class RowSchedule:
    """The rows that the calendars of a dataset of daily bars expect.

    Those of one target are its sessions at whose close every other symbol has a new bar; those of
    a book the dates on which all exchanges are open, of a panel those on which one is.

    Attributes:
        traded: Symbol of the market -> when its bars open and close.
        target: The symbol at whose closes rows are decided; None of a book.
        panel: Whether a symbol may lack rows.
        delay: How long after the close of a session the source completes its bar.
    """

    traded: Mapping[str, TradingTimes]
    target: str | None = None
    panel: bool = False
    delay: pd.Timedelta = NO_DELAY

    @property
    def interval(self) -> str:
        """Length of a bar."""
        return next(iter(self.traded.values())).interval

    @cached_property
    def clocks(self) -> tuple[TradingTimes, ...]:
        """Each calendar once."""
        return tuple(dict.fromkeys(self.traded.values()))

    def of_symbols(self, symbols: Collection[str]) -> RowSchedule:
        """The schedule of some of the symbols; all of them where none is named."""
        own = {name: times for name, times in self.traded.items() if name in symbols}
        return replace(self, traded=own) if own else self

    def following(self, bar: pd.Timestamp, count: int) -> tuple[BarSpan, ...]:
        """The next rows after one; fewer where a calendar ends, about a year from now."""
        rows = self._expected(bar, 3 * count + 40)
        return tuple(
            BarSpan(_stamp(label), _stamp(opened), _stamp(closed))
            for label, opened, closed in zip(*(each[:count] for each in rows), strict=True)
        )

    def is_traded_until(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When a row can be decided: at the last close of its date, or that of the target."""
        return _stamp(int(self._last_close(bar)))

    def is_complete_at(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When the bars of a row are expected to have come."""
        label = np.array([_micro(bar)])
        late = self.delay // pd.Timedelta(microseconds=1)
        clocks = self.clocks if self.target is None else (self.traded[self.target],)
        closes = [
            int(times.closes(label)[0]) + (late if times.follow_sessions else 0)
            for times in clocks
            if times.have_sessions(label)[0]
        ]
        return _stamp(max(closes)) if closes else self.is_traded_until(bar)

    def expected_between(self, last: pd.Timestamp, bar: pd.Timestamp) -> int:
        """How many rows the calendars have after one and before another."""
        days = max(1, (bar - last) // pd.Timedelta(days=1) + 1)
        return int((self._expected(last, days).labels < _micro(bar)).sum())

    def clock_of(self, symbol: str) -> TradingTimes:
        """By what orders of a symbol are due: by the sessions of its exchange."""
        return self.traded[symbol]

    def decision_instant(self, bar: pd.Timestamp) -> pd.Timestamp | None:
        """`Order.not_before` of the orders of a row at which every exchange has its bar."""
        return None if self.target is not None else self.is_traded_until(bar)

    def price_instant(
        self, bar: pd.Timestamp, order: Order, price: Literal["open", "close"]
    ) -> pd.Timestamp | None:
        """When the price is at which an order is expected to be filled.

        Args:
            bar: The row at whose close it was decided.
            order: The order.
            price: Of a row.

        Returns:
            None where a calendar ends before.
        """
        place = self._place(bar, order, price, MAX_BARS_AHEAD)
        return None if place is None else place[1]

    def due_row(
        self, bar: pd.Timestamp, order: Order, price: Literal["open", "close"]
    ) -> tuple[int, pd.Timestamp | None]:
        """How many rows after a row an order is expected to be filled, and at which."""
        place = self._place(bar, order, price, MAX_BARS_AHEAD)
        return (order.due_in_bars, None) if place is None else (place[2], place[0])

    def defer(self, order: Order, _: pd.Timestamp, earliest: pd.Timestamp, __: str) -> Order:
        """The order for the first price of its exchange that is not before an instant."""
        return order.model_copy(update={"not_before": earliest})

    def _place(
        self, bar: pd.Timestamp, order: Order, price: Literal["open", "close"], most: int
    ) -> tuple[pd.Timestamp, pd.Timestamp, int] | None:
        """Row, price instant and number of the row at which an order is due."""
        times = self.traded[order.symbol]
        after = _NEVER if order.not_before is None else _micro(pd.Timestamp(order.not_before))
        for count in (order.due_in_bars + 20, most):
            labels = self._expected(bar, 3 * count + 40).labels
            instants = times.spans(labels)[("open", "close").index(price)]
            number = np.arange(1, len(labels) + 1)
            reached = (number >= order.due_in_bars) & (instants >= after)
            due = np.flatnonzero(reached & times.have_sessions(labels))
            if due.size:
                row = int(due[0])
                return _stamp(int(labels[row])), _stamp(int(instants[row])), row + 1
        return None

    def _last_close(self, bar: pd.Timestamp) -> int:
        label = np.array([_micro(bar)])
        if self.target is not None:
            return int(self.traded[self.target].closes(label)[0])
        closes = [
            int(times.closes(label)[0]) for times in self.clocks if times.have_sessions(label)[0]
        ]
        # A date on which no exchange is open ends with itself.
        return max(closes or [int(times.closes(label)[0]) for times in self.clocks])

    def _expected(self, bar: pd.Timestamp, days: int) -> _ExpectedRows:
        """The rows of so many days after one."""
        begin = _micro(bar) // DAY_US * DAY_US
        labels = begin + DAY_US * np.arange(-_DAYS_BEFORE, days + 1)
        has = {times: times.have_sessions(labels) for times in self.clocks}
        spans = {times: times.spans(labels) for times in self.clocks}
        if self.target is not None:
            kept = self._rows_of_target(has, spans)
            opens, closes = spans[self.traded[self.target]]
        else:
            there = np.stack([has[times] for times in self.clocks])
            kept = np.any(there, axis=0) if self.panel else np.all(there, axis=0)
            opens = _combine(np.minimum, [spans[t][0] for t in self.clocks], there)
            closes = _combine(np.maximum, [spans[t][1] for t in self.clocks], there)
        after = kept & (labels > _micro(bar))
        return _ExpectedRows(labels[after], opens[after], closes[after])

    def _rows_of_target(
        self,
        has: Mapping[TradingTimes, BoolVector],
        spans: Mapping[TradingTimes, tuple[IntVector, IntVector]],
    ) -> BoolVector:
        """The sessions of the target since whose last close every other symbol has a new bar."""
        own = self.traded[str(self.target)]
        kept = has[own].copy()
        closes = spans[own][1]
        before = np.concatenate([[_NEVER], np.maximum.accumulate(np.where(kept, closes, _NEVER))])
        for times in self.clocks:
            others = spans[times][1][has[times]]
            newest = np.searchsorted(others, closes, side="right")
            kept &= newest > np.searchsorted(others, before[:-1], side="right")
        return kept


def _combine(choose: np.ufunc, columns: list[IntVector], there: BoolVector) -> IntVector:
    """The first or last instant of the exchanges that are open at each label."""
    neutral = _NEVER if choose is np.maximum else np.iinfo(np.int64).max
    values = np.where(there, np.stack(columns), neutral)
    combined: IntVector = choose.reduce(values, axis=0)
    return combined


def _micro(stamp: pd.Timestamp) -> int:
    return int(stamp.value // 1_000)


def _stamp(micro: int) -> pd.Timestamp:
    return pd.Timestamp(int(micro), unit="us", tz="UTC")
