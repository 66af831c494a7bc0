"""Up to which candle everything of a symbol is known, and what has to be asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import interval_length
from engine.data.intervals import bar_end, interval_numbers, interval_starts

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.data import Dataset
    from engine.live.feeds.kept_bars import BarValues

_LONGEST_PAUSE = pd.Timedelta(minutes=15)


class KnownCandles:
    """Joins the candles of a stream and of requests, so that none is handed out before another.

    Args:
        dataset: Length of a candle.
        retry: First pause before a request is repeated.
        confirm: Whether the stream only says when to ask: none of its candles is handed out.

    Attributes:
        until: The newest candle before which none is missing; None before `begin`.
    """

    def __init__(self, dataset: Dataset, retry: pd.Timedelta, *, confirm: bool) -> None:
        self._confirm = confirm
        self._interval = dataset.interval
        self._retry = retry
        self._longest_pause = min(_LONGEST_PAUSE, interval_length(dataset.interval) / 4)
        self.until: pd.Timestamp | None = None
        self._base: pd.Timestamp | None = None
        self._newest: pd.Timestamp | None = None
        self._waiting: dict[pd.Timestamp, BarValues] = {}
        self._rejected: pd.Timestamp | None = None
        self._answered_at: pd.Timestamp | None = None
        self._pause = retry
        self._not_before: pd.Timestamp | None = None

    def begin(self, after: pd.Timestamp) -> None:
        """The account needs no candle up to this one."""
        if self.until is None or after > self.until:
            self._advance(after)

    def add(self, closed: Mapping[int, BarValues], base: int | None, newest: int | None) -> None:
        """Takes what the stream has shown, see `CandleStream`; times are milliseconds."""
        self._base = None if base is None else _to_timestamp(base)
        self._newest = None if newest is None else _to_timestamp(newest)
        if not self._confirm:
            self._waiting |= {_to_timestamp(opened): row for opened, row in closed.items()}

    def released(self, now: pd.Timestamp) -> dict[pd.Timestamp, BarValues]:
        """The candles of the stream whose turn it is; those that have not ended by `now` wait."""
        if not self._is_stream_whole():
            return {}
        return {stamp: row for stamp, row in self._waiting.items() if self._end(stamp) <= now}

    def accept(self, released: Iterable[pd.Timestamp]) -> None:
        """The candles passed the quality rules."""
        for stamp in sorted(released):
            del self._waiting[stamp]
            self._advance(stamp)

    def reject(self, released: Iterable[pd.Timestamp]) -> None:
        """The candles did not pass them, and are asked for."""
        self._rejected = max(released)
        self._waiting.clear()

    def is_request_due(self, now: pd.Timestamp, silence: pd.Timedelta) -> bool:
        """Whether a candle has to be asked for.

        Args:
            now: The present instant.
            silence: Time after the end of a candle within which the stream should have shown it.
        """
        if self._is_paused(now):
            return False
        is_first = self._answered_at is None
        return is_first or self._stream_lacks_one(now) or self._is_silent(now, silence)

    def requested(self, now: pd.Timestamp, newest: pd.Timestamp | None, is_answered: bool) -> None:
        """Takes the result of a request: the newest candle that is known from requests."""
        before = self.until
        if is_answered:
            self._answered_at = now
        if is_answered and newest is not None:
            # What was asked for now is no older than what the stream showed before.
            self._waiting = {key: row for key, row in self._waiting.items() if key > newest}
            self._advance(newest)
        if self.until == before:
            self._not_before = now + self._pause
            self._pause = max(self._retry, min(2 * self._pause, self._longest_pause))

    def next_look(self, now: pd.Timestamp, silence: pd.Timedelta) -> pd.Timestamp:
        """When to look again, whatever the stream shows."""
        looks = [self._end(stamp) for stamp in self._waiting]
        looks.append(self._begun(now) + silence)
        looks.append(self._end(self._begun(now)) + silence)
        if self._not_before is not None:
            looks.append(self._not_before)
        return min((look for look in looks if look > now), default=now)

    def _is_paused(self, now: pd.Timestamp) -> bool:
        """Whether it is too early for the next request; a clock that was set back is no reason."""
        if self._not_before is None:
            return False
        return pd.Timedelta(0) < self._not_before - now <= max(self._longest_pause, self._retry)

    def _advance(self, stamp: pd.Timestamp) -> None:
        if self.until is None or stamp > self.until:
            self.until = stamp
            self._pause, self._not_before = self._retry, None

    def _stream_lacks_one(self, now: pd.Timestamp) -> bool:
        """Whether the stream shows that a candle has ended which it did not show whole."""
        if self.until is None or self._base is None or self._newest is None:
            return False
        missing = self._end(self.until)
        has_ended = missing < self._newest and self._end(missing) <= now
        return has_ended and not self._is_stream_whole()

    def _is_stream_whole(self) -> bool:
        """Whether the stream shows every candle later than `until`."""
        if self.until is None or self._base is None or self._confirm:
            return False
        return self.until >= self._base and (
            self._rejected is None or self.until >= self._rejected
        )

    def _is_silent(self, now: pd.Timestamp, silence: pd.Timedelta) -> bool:
        """Whether a candle that ended so long ago did not come, and was not asked for since."""
        if self.until is None:
            return False
        ended = self._begun(now - silence)
        asked = self._answered_at is not None and self._answered_at >= ended + silence
        return self._end(self.until) < ended and not asked

    def _end(self, stamp: pd.Timestamp) -> pd.Timestamp:
        return bar_end(stamp, self._interval)

    def _begun(self, now: pd.Timestamp) -> pd.Timestamp:
        """Open of the candle in which an instant lies, which is the end of the one before."""
        instant = np.array([now.value // 1_000], dtype=np.int64)
        start = interval_starts(interval_numbers(instant, self._interval), self._interval)
        return pd.Timestamp(int(start[0]), unit="us", tz="UTC")


def _to_timestamp(milliseconds: int) -> pd.Timestamp:
    return pd.Timestamp(milliseconds, unit="ms", tz="UTC").as_unit("us")
