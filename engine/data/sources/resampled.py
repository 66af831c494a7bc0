"""A source whose bars are resampled to the longer interval of the dataset."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, format_timestamp, normalise_bars
from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.quality.gate import QualityGate, QualityLog
from engine.data.resampling import resample_bars
from engine.data.resampling_probe import probe_resampling
from engine.data.sources.base import BarRequest, BarSource

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.calendar import BarInterval
    from engine.data.resampling import ResampledBars
    from engine.data.sessions import DayBegin


class ResampledBarSource(BarSource):
    """Complete coarser bars, resampled from the bars of another source.

    The finer bars from the dataset's start on must pass the quality gate themselves: a coarser bar
    would hide their defects.

    Args:
        source: The source of the finer bars.
        source_interval: Length of its bars.
        calendar: Of the dataset: `24/7` or a code of exchange-calendars.
        day_begins: When a day of the dataset begins, where the calendar does not say.
    """

    def __init__(
        self,
        source: BarSource,
        source_interval: BarInterval,
        calendar: str,
        day_begins: DayBegin | None = None,
    ) -> None:
        self.source = source
        self.calendar = calendar
        self.day_begins = day_begins
        self.source_interval = source_interval
        self.label = source.label
        # Coarser bars of another calendar are other bars.
        own = "" if calendar == ALWAYS_OPEN else f" {calendar}"
        self.cache_key = source.cache_key and f"{source.cache_key} {source_interval}{own}"
        self.append_only = source.append_only
        self.publication_delay = source.publication_delay

    def ticker(self, symbol: str) -> str:
        """As the source of the finer bars."""
        return self.source.ticker(symbol)

    def origin(self, symbol: str) -> str:
        """The origin of the finer bars, and their interval."""
        return f"{self.source.origin(symbol)} {self.source_interval}"

    def location(self, symbol: str) -> str:
        """As the source of the finer bars."""
        return self.source.location(symbol)

    def url(self) -> str | None:
        """As the source of the finer bars."""
        return self.source.url()

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Returns the complete coarser bars, from the first complete one on.

        Raises:
            UnreachableError: As the source of the finer bars.
            SourceError: As the source of the finer bars.
            InvalidBarsError: As the source of the finer bars; or they fail the quality gate, or
                more than a tenth of them would be left out.
            LookaheadError: A coarser bar depends on finer ones after its end.
            UsageError: The calendar is unknown, or does not cover the finer bars.
        """
        raw = self.source.fetch(replace(request, interval=self.source_interval))
        times = TradingTimes(self.source_interval, self.calendar, self.day_begins)
        fine = drop_unfinished_bars(
            normalise_bars(raw, request.symbol),
            self.source.times_of(request.symbol, times),
            request.now,
            self.source.publication_delay,
        )
        if request.since is not None:
            fine = fine[fine["timestamp"] >= request.since].reset_index(drop=True)
        if fine.empty:
            return fine
        gate = request.gate or QualityGate(
            self.calendar, {}, request.now, QualityLog(), self.day_begins
        )
        location = self.location(request.symbol)
        fine = gate.validate(fine, self.source_interval, location)
        intervals = (self.source_interval, request.interval)

        def resample(bars: BarsFrame) -> ResampledBars:
            return resample_bars(bars, *intervals, self.calendar, self.day_begins)

        coarse = resample(fine)
        gate.validate_resampling(fine, coarse, intervals, location)
        gate.log.resampling_probes[request.symbol] = probe_resampling(
            fine, coarse.bars, lambda bars: resample(bars).bars, intervals
        )
        for notice in self._make_notices(fine, coarse):
            request.notify(f"{request.symbol}: {notice}")
        return coarse.bars

    def _make_notices(self, fine: BarsFrame, resampled: ResampledBars) -> list[str]:
        """Bars left out and bars missing, which the coarser bars do not show."""
        notices = []
        if len(resampled.outside_hours):
            first = format_timestamp(resampled.outside_hours.iloc[0], self.source_interval)
            notices.append(
                f"{len(resampled.outside_hours)} of {len(fine)} bars of {self.source_interval} "
                f"lie outside the hours of {self.calendar} and are left out, the first {first}"
            )
        if self.calendar == ALWAYS_OPEN and len(fine):
            span = fine["timestamp"].iloc[-1] - fine["timestamp"].iloc[0]
            expected = span // interval_length(self.source_interval) + 1
            if expected > len(fine):
                notices.append(
                    f"{expected - len(fine)} of {expected} bars of {self.source_interval} are "
                    "missing, and longer bars are computed without them"
                )
        return notices
