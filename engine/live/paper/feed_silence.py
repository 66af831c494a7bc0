"""Whether a feed is silent: the next bar is overdue, and nothing has come for long."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.calendar import interval_length
from engine.live.journal.journal import NewEvent

if TYPE_CHECKING:
    from engine.live.row_schedule import Schedule

MAX_INTERVALS = 3
"""Intervals without a bar that is due, after which a feed is silent, up to `LONGEST`."""

LONGEST = pd.Timedelta(hours=6)


@dataclass
class SilenceWatch:
    """Tells once that a feed is silent, until a bar comes.

    A clock that jumps between two looks, in either direction, says nothing about the feed: the
    waiting begins again. So a clock that is ahead for a moment, or a machine that slept, dates no
    silence.

    Attributes:
        times: When the bars of the account are traded.
        grace: How long a bar may take to arrive.
        told: Bar that was told to be missing; that of the journal at first.
    """

    times: Schedule
    grace: pd.Timedelta
    told: pd.Timestamp | None = None
    _looked_at: pd.Timestamp | None = field(default=None, init=False)
    _jumped_to: pd.Timestamp | None = field(default=None, init=False)

    @property
    def patience(self) -> pd.Timedelta:
        """How long nothing may come after the end of a bar."""
        length = interval_length(self.times.interval)
        return max(self.grace, min(MAX_INTERVALS * length, LONGEST))

    def find(
        self, newest: pd.Timestamp, heard_at: pd.Timestamp, now: pd.Timestamp
    ) -> tuple[NewEvent, ...]:
        """The event of a silence that has begun and was not told.

        Args:
            newest: The newest bar.
            heard_at: When it was decided, or when the account or this process began to wait.
            now: The present instant.
        """
        self._notice_jump(now)
        if self._jumped_to is not None:
            heard_at = max(heard_at, self._jumped_to)
        if now - heard_at <= self.patience:
            return ()
        following = next(iter(self.times.following(newest, 1)), None)
        if following is None or following.bar == self.told:
            return ()
        complete_at = self.times.is_complete_at(following.bar)
        if now - complete_at <= self.patience:
            return ()
        self.told = following.bar
        seconds = (now - complete_at) / pd.Timedelta(seconds=1)
        return (NewEvent(now, "silent", following.bar, {"overdue_s": seconds}),)

    def _notice_jump(self, now: pd.Timestamp) -> None:
        before, self._looked_at = self._looked_at, now
        if before is not None and not before <= now <= before + self.patience:
            self._jumped_to = now
