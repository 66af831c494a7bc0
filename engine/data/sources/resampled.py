"""A source of finer bars than the dataset wants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.data.bars import drop_unfinished_bar, format_timestamp, normalise_bars
from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.quality.gate import QualityGate, QualityLog
from engine.data.resampling import resample_bars
from engine.data.sources.base import BarRequest, BarSource

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.calendar import BarInterval
    from engine.data.resampling import ResampledBars


class ResampledBarSource(BarSource):
    """The complete coarser bars of another feed's bars.

    The finer bars from the dataset's start on must be sound themselves: a coarser bar would hide
    what is wrong with them.

    Args:
        source: The source.
        source_interval: Length of the bars it has.
        calendar: Of the dataset: `24/7` or a code of exchange-calendars.
    """

    def __init__(self, source: BarSource, source_interval: BarInterval, calendar: str) -> None:
        self.source = source
        self.calendar = calendar
        self.source_interval = source_interval
        self.label = source.label
        self.cache_key = source.cache_key and f"{source.cache_key} {source_interval}"
        self.append_only = source.append_only

    def ticker(self, symbol: str) -> str:
        """The source's own."""
        return self.source.ticker(symbol)

    def origin(self, symbol: str) -> str:
        """The source's own, and the interval of its bars."""
        return f"{self.source.origin(symbol)} {self.source_interval}"

    def location(self, symbol: str) -> str:
        """The source's own."""
        return self.source.location(symbol)

    def url(self) -> str | None:
        """The source's own."""
        return self.source.url()

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """The coarser bars that are complete, from the first whole one on.

        Raises:
            UnreachableError: As the source's own.
            SourceError: As the source's own.
            InvalidBarsError: As the source's own; or the finer bars cannot be trusted.
            UsageError: The calendar is not known.
        """
        raw = self.source.fetch(replace(request, interval=self.source_interval))
        fine = drop_unfinished_bar(
            normalise_bars(raw, request.symbol), self.source_interval, request.now
        )
        if request.since is not None:
            fine = fine[fine["timestamp"] >= request.since].reset_index(drop=True)
        if fine.empty:
            return fine
        gate = request.gate or QualityGate(self.calendar, {}, request.now, QualityLog())
        fine = gate.validate(fine, self.source_interval, self.location(request.symbol))
        coarse = resample_bars(fine, self.source_interval, request.interval, self.calendar)
        for sentence in self._make_notices(fine, coarse):
            request.notify(f"{request.symbol}: {sentence}")
        return coarse.bars

    def _make_notices(self, fine: BarsFrame, resampled: ResampledBars) -> list[str]:
        """What the coarser bars do not show."""
        told = []
        if len(resampled.outside_hours):
            first = format_timestamp(resampled.outside_hours.iloc[0], self.source_interval)
            told.append(
                f"{len(resampled.outside_hours)} of {len(fine)} bars of {self.source_interval} "
                f"lie outside the "
                f"hours of {self.calendar} and are left out, the first {first}"
            )
        if self.calendar == ALWAYS_OPEN and len(fine):
            span = fine["timestamp"].iloc[-1] - fine["timestamp"].iloc[0]
            expected = span // interval_length(self.source_interval) + 1
            if expected > len(fine):
                told.append(
                    f"{expected - len(fine)} of {expected} bars of {self.source_interval} are "
                    f"absent, "
                    "and longer bars are made without them"
                )
        return told
