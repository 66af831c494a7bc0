"""A source of finer bars than the dataset wants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.data.bars import drop_unfinished, normalise, stamp_text
from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.quality.gate import Gate, QualityLog
from engine.data.resampling import coarsen
from engine.data.sources.feed import Feed, Request

if TYPE_CHECKING:
    import pandas as pd

    from engine.data.resampling import Coarse
    from engine.data.spec import Interval
    from engine.types import BarsFrame


class CoarserFeed(Feed):
    """The complete coarser bars of another feed's bars.

    The finer bars from the dataset's start on must be sound themselves: a coarser bar would hide
    what is wrong with them.

    Args:
        feed: The source.
        interval: Length of the bars it has.
        calendar: Of the dataset: `24/7` or a code of exchange-calendars.
    """

    def __init__(self, feed: Feed, interval: Interval, calendar: str) -> None:
        self.feed = feed
        self.calendar = calendar
        self.interval = interval
        self.label = feed.label
        self.cache_key = feed.cache_key and f"{feed.cache_key} {interval}"
        self.appends = feed.appends

    def ticker(self, symbol: str) -> str:
        """The source's own."""
        return self.feed.ticker(symbol)

    def origin(self, symbol: str) -> str:
        """The source's own, and the interval of its bars."""
        return f"{self.feed.origin(symbol)} {self.interval}"

    def place(self, symbol: str) -> str:
        """The source's own."""
        return self.feed.place(symbol)

    def url(self) -> str | None:
        """The source's own."""
        return self.feed.url()

    def fetch(self, request: Request) -> pd.DataFrame:
        """The coarser bars that are complete, from the first whole one on.

        Raises:
            UnreachableError: As the source's own.
            SourceError: As the source's own.
            BadBarsError: As the source's own; or the finer bars cannot be trusted.
            UsageError: The calendar is not known.
        """
        raw = self.feed.fetch(replace(request, interval=self.interval))
        fine = drop_unfinished(normalise(raw, request.symbol), self.interval, request.now)
        if request.since is not None:
            fine = fine[fine["timestamp"] >= request.since].reset_index(drop=True)
        if fine.empty:
            return fine
        gate = request.gate or Gate(self.calendar, {}, request.now, QualityLog())
        fine = gate.admit(fine, self.interval, self.place(request.symbol))
        coarse = coarsen(fine, self.interval, request.interval, self.calendar)
        for sentence in self._sentences(fine, coarse):
            request.say(f"{request.symbol}: {sentence}")
        return coarse.bars

    def _sentences(self, fine: BarsFrame, coarse: Coarse) -> list[str]:
        """What the coarser bars do not show."""
        told = []
        if len(coarse.outside):
            first = stamp_text(coarse.outside.iloc[0], self.interval)
            told.append(
                f"{len(coarse.outside)} of {len(fine)} bars of {self.interval} lie outside the "
                f"hours of {self.calendar} and are left out, the first {first}"
            )
        if self.calendar == ALWAYS_OPEN and len(fine):
            span = fine["timestamp"].iloc[-1] - fine["timestamp"].iloc[0]
            expected = span // interval_length(self.interval) + 1
            if expected > len(fine):
                told.append(
                    f"{expected - len(fine)} of {expected} bars of {self.interval} are absent, "
                    "and longer bars are made without them"
                )
        return told
