"""When the bars of an account are traded, by the calendar of its dataset."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from engine.data.bar_grid import microseconds_to_timestamps, next_bar_spans, traded_until
from engine.data.bar_times import TradingTimes
from engine.data.bars import NO_DELAY

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.sessions import DayBegin
    from engine.signals.orders import Order

MAX_BARS_AHEAD = 10_000
"""Bars after a bar that are looked at; an order is due within them."""

_FIRST_LOOK = 64


@dataclass(frozen=True)
class BarSpan:
    """A bar that the calendar expects.

    Attributes:
        bar: Its timestamp.
        opens: When its trading begins: the open of its session, of a daily bar.
        closes: When its trading ends.
    """

    bar: pd.Timestamp
    opens: pd.Timestamp
    closes: pd.Timestamp


@dataclass(frozen=True)
class BarSchedule:
    """The bars of an interval on a calendar.

    Attributes:
        interval: Length of a bar.
        calendar: `24/7` or a code of exchange-calendars.
        day_begins: When a day begins, where the dataset says so.
        delay: How long after the close of a session the source completes its bar.
    """

    interval: str
    calendar: str
    day_begins: DayBegin | None = None
    delay: pd.Timedelta = NO_DELAY

    @property
    def times(self) -> TradingTimes:
        """When the bars open and close."""
        return TradingTimes(self.interval, self.calendar, self.day_begins)

    def following(self, bar: pd.Timestamp, count: int) -> tuple[BarSpan, ...]:
        """The next bars after one; fewer where the calendar ends, about a year from now."""
        spans = next_bar_spans(bar, self.interval, self.calendar, count, self.day_begins)
        labels, opens, closes = map(microseconds_to_timestamps, spans)
        return tuple(map(BarSpan, labels, opens, closes))

    def is_complete_at(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When a bar is expected to have come: at its close, see `TradingTimes`, and the delay."""
        times = self.times
        return times.close(bar) + (self.delay if times.follow_sessions else NO_DELAY)

    def is_traded_until(self, bar: pd.Timestamp) -> pd.Timestamp:
        """When the trading of a bar ends: with its session, which can end before its interval."""
        return traded_until(bar, self.interval, self.calendar, self.day_begins)

    def expected_between(self, last: pd.Timestamp, bar: pd.Timestamp) -> int:
        """How many bars the calendar has after one and before another.

        A bar that begins before the end of `last`, or ends after the start of `bar`, is none:
        the labels of a dataset may lie beside those of the calendar.
        """
        begin, count, missing = self.is_complete_at(last), _FIRST_LOOK, 0
        while begin < bar:
            spans = self.following(last, count)
            missing += sum(
                begin <= span.bar and self.is_complete_at(span.bar) <= bar for span in spans
            )
            if not spans or spans[-1].bar >= bar:
                break
            last, begin, count = spans[-1].bar, spans[-1].bar, MAX_BARS_AHEAD
        return missing

    def clock_of(self, _: str) -> None:
        """By what orders of a symbol are due: all by the same bars."""
        return

    def decision_instant(self, _: pd.Timestamp) -> None:
        """`Order.not_before` of the orders of a bar: none, the bar of their delay will do."""
        return

    def price_instant(
        self, bar: pd.Timestamp, order: Order, price: Literal["open", "close"]
    ) -> pd.Timestamp | None:
        """When the price is at which an order is due that is decided at the close of a bar.

        Returns:
            None where the calendar ends before.
        """
        spans = self.following(bar, order.due_in_bars)
        if len(spans) < order.due_in_bars:
            return None
        return spans[-1].opens if price == "open" else spans[-1].closes

    def due_row(self, bar: pd.Timestamp, order: Order, _: str) -> tuple[int, pd.Timestamp | None]:
        """How many bars after a bar an order is due, and at which; None where none is known."""
        ahead = max(1, order.due_in_bars)
        spans = self.following(bar, ahead)
        return order.due_in_bars, spans[ahead - 1].bar if ahead <= len(spans) else None

    def defer(
        self,
        order: Order,
        bar: pd.Timestamp,
        earliest: pd.Timestamp,
        price: Literal["open", "close"],
    ) -> Order | None:
        """The order for the first price that is not before an instant; None where none is known.

        Args:
            order: Decided at the close of the bar.
            bar: The bar.
            earliest: The instant.
            price: Of a bar.
        """
        due = self.bars_until(bar, earliest, price, order.due_in_bars)
        return None if due is None else order.model_copy(update={"due_in_bars": due})

    def bars_until(
        self,
        bar: pd.Timestamp,
        earliest: pd.Timestamp,
        price: Literal["open", "close"],
        at_least: int,
    ) -> int | None:
        """How many bars after a bar the first is whose price is not before an instant.

        Args:
            bar: The bar.
            earliest: The instant.
            price: Which price of it.
            at_least: Fewest bars.

        Returns:
            At least `at_least`; None where the calendar does not say.
        """
        for count in (at_least + _FIRST_LOOK, MAX_BARS_AHEAD):
            for number, span in enumerate(self.following(bar, count), start=1):
                instant = span.opens if price == "open" else span.closes
                if number >= at_least and instant >= earliest:
                    return number
        return None
