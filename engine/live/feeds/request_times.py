"""When a source is asked again: after the end of a bar, and until the bar has come."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bar_grid import next_bar_labels
from engine.data.bars import NO_DELAY
from engine.data.calendar import interval_length

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.data import Dataset

_LONGEST_PAUSE = pd.Timedelta(minutes=15)


@dataclass
class RequestTimes:
    """The times of the requests of one dataset, by its calendar.

    Attributes:
        dataset: Its calendars and interval say when bars end.
        settle: Time after the end of a bar before it is asked for.
        retry: First pause before a missing bar is asked for again.
        delay: How long after the close of a session the source completes its bar.
        due: The next request; None for at once.
    """

    dataset: Dataset
    settle: pd.Timedelta
    retry: pd.Timedelta
    delay: pd.Timedelta = NO_DELAY
    due: pd.Timestamp | None = None
    _pause: pd.Timedelta | None = None
    _leading: pd.Timestamp | None = None
    _planned_at: pd.Timestamp | None = None
    _ends: dict[tuple[str, pd.Timestamp], pd.Timestamp | None] = field(default_factory=dict)

    def is_due(self, now: pd.Timestamp) -> bool:
        """Whether to ask now. A clock that was set back makes no request wait for it."""
        set_back = self._planned_at is not None and now < self._planned_at
        return self.due is None or now >= self.due or set_back

    def lagging(self, newest: Mapping[str, pd.Timestamp], now: pd.Timestamp) -> list[str]:
        """The symbols of which a bar has ended that is later than their newest one.

        Args:
            newest: Symbol to its newest bar.
            now: The present instant.
        """
        return [
            symbol
            for symbol, stamp in newest.items()
            if (end := self._next_end(symbol, stamp)) is not None and end + self.settle <= now
        ]

    def plan(self, newest: Mapping[str, pd.Timestamp], now: pd.Timestamp) -> None:
        """Sets the next request: at the end of the next bar, or earlier while one is missing.

        Args:
            newest: Symbol to its newest bar.
            now: The present instant, after a request.
        """
        leading = max(newest.values())
        if leading != self._leading or self._pause is None:
            self._leading, self._pause = leading, self.retry
        ends = (self._next_end(symbol, stamp) for symbol, stamp in newest.items())
        coming = [end + self.settle for end in ends if end is not None and end + self.settle > now]
        self.due = min(coming, default=now + _LONGEST_PAUSE)
        if self.lagging(newest, now):
            self.due = min(now + self._pause, self.due)
            longest = min(_LONGEST_PAUSE, interval_length(self.dataset.interval) / 4)
            self._pause = max(self.retry, min(2 * self._pause, longest))
        self._planned_at = now

    def _next_end(self, symbol: str, stamp: pd.Timestamp) -> pd.Timestamp | None:
        """When the bar after a bar is complete; None where the calendar ends before."""
        calendar = self.dataset.calendar_of(symbol)
        if (calendar, stamp) not in self._ends:
            if len(self._ends) > len(self.dataset.symbols):
                self._ends.clear()
            labels = next_bar_labels(stamp, self.dataset.interval, calendar, 1)
            times = self.dataset.of_symbol(symbol).bar_times
            delay = self.delay if times.follow_sessions else NO_DELAY
            self._ends[calendar, stamp] = (
                times.close(labels.iloc[0]) + delay if len(labels) else None
            )
        return self._ends[calendar, stamp]
