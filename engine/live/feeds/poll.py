"""Bars that are asked for when they have ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.live.feeds.request_times import RequestTimes
from engine.live.feeds.requested_bars import RequestedBars

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.sources import BarSource
    from engine.live.feeds.config import PollFeedSpec
    from engine.live.feeds.context import FeedContext


class PollFeed:
    """The bars of one source of the dataset, asked for after the end of each bar.

    Of a symbol whose bar has not come, it is asked again after pauses that grow; the others are
    not. A minute without a trade has no bar, so that it is asked for until the next has ended.

    Args:
        spec: The pauses.
        source: The source.
        context: Dataset, clock and clients.
    """

    is_exhausted = False

    def __init__(self, spec: PollFeedSpec, source: BarSource, context: FeedContext) -> None:
        self._clock = context.clock
        self._bars = RequestedBars(source, context)
        self._times = RequestTimes(
            context.dataset,
            pd.Timedelta(seconds=spec.settle_s),
            pd.Timedelta(seconds=spec.retry_s),
            source.publication_delay,
        )
        self._asked_after: pd.Timestamp | None = None

    def wait(self, timeout_s: float) -> None:
        """Sleeps until the next request is due, or for the time-out."""
        now = self._clock.now()
        end = now + pd.Timedelta(seconds=timeout_s)
        if not self._times.is_due(now) and self._times.due is not None:
            self._clock.sleep_until(min(self._times.due, end))

    def fetch(self, after: pd.Timestamp) -> BarsFrame:
        """As of every feed; a request is sent only where one is due."""
        now = self._clock.now()
        if self._asked_after is None or after < self._asked_after:
            self._asked_after = after
            self._ask([*self._bars.newest(after)], after)
        elif self._times.is_due(now):
            self._ask(self._times.lagging(self._bars.newest(after), now), after)
        return self._bars.kept.later_than(after)

    def close(self) -> None:
        """Nothing stays open between two requests."""

    def _ask(self, symbols: list[str], after: pd.Timestamp) -> None:
        try:
            self._bars.request(symbols, after)
        finally:
            self._times.plan(self._bars.newest(after), self._clock.now())
