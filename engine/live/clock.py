"""The wall clock of a paper account, replaceable in tests."""

from __future__ import annotations

import time
from typing import Protocol

import pandas as pd

MAX_SLEEP_S = 1.0
"""Longest sleep between two readings of the clock, which may be set meanwhile."""


class Clock(Protocol):
    """What an account knows of the time."""

    def now(self) -> pd.Timestamp:
        """The present instant, UTC, in microseconds."""

    def sleep_until(self, instant: pd.Timestamp) -> None:
        """Returns when the clock shows `instant` or later."""


class SystemClock:
    """The clock of the operating system, which somebody may set in both directions."""

    def now(self) -> pd.Timestamp:
        """The present instant, UTC, in microseconds."""
        return pd.Timestamp.now("UTC").as_unit("us")

    def sleep_until(self, instant: pd.Timestamp) -> None:
        """Sleeps at most `MAX_SLEEP_S` at a time, so that a clock that is set counts at once."""
        while (left := (instant - self.now()) / pd.Timedelta(seconds=1)) > 0:
            time.sleep(min(left, MAX_SLEEP_S))
