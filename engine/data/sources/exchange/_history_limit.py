"""Tells a late listing from a history that an exchange does not hand out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import SourceError
from engine.data.sources.exchange._candle_requests import from_epoch_ms

if TYPE_CHECKING:
    from engine.data.sources.base import BarRequest
    from engine.data.sources.exchange._candle_requests import CandleRow
    from engine.data.sources.exchange._pages import CandlePager

_ELSEWHERE = "another exchange, or files"


@dataclass(frozen=True)
class HistoryLimit:
    """Candles that begin later than requested.

    Attributes:
        pager: What fetched them.
        rows: The candles.
        since: Start that was requested, in milliseconds.
        first_trade: Open of the first longer candle with a trade after `since`, in milliseconds;
            None where it was not looked for or not found.
        location: The market, in words.
    """

    pager: CandlePager
    rows: list[CandleRow]
    since: int
    first_trade: int | None
    location: str

    @property
    def first(self) -> int:
        """Open of the first candle."""
        return int(self.rows[0][0])

    def report(self, request: BarRequest) -> None:
        """Reports candles that the exchange does not hand out.

        A longer candle that ended before the first one proves earlier trading. An exchange that
        gives its newest candles whatever the start, and as many as were asked for, has older ones.

        Raises:
            SourceError: The dataset asks for candles that the exchange has and withholds.
        """
        traded = self._earlier_trade()
        traded = self.pager.dropped_trade if traded is None else traded
        ignores_start = self.pager.ignores_start
        full = len(self.rows) >= self.pager.page_size
        if traded is None and not ignores_start:
            return
        since = "" if traded is None else f"; it was traded by {from_epoch_ms(traded):%Y-%m-%d}"
        if request.since is None or (traded is None and not full):
            request.notify(f"{self.location}: {self._sentence(traded)}")
            return
        raise SourceError(
            f"the exchange gives only its newest {self.pager.interval} candles"
            if ignores_start
            else f"the exchange limits its {self.pager.interval} candles",
            expected=f"candles from {request.since:%Y-%m-%d %H:%M} on{since}",
            found=f"{self._available()}{', whatever start is asked for' if ignores_start else ''}",
            where=self.location,
            fix=f"start the dataset on {from_epoch_ms(self.first).ceil('D'):%Y-%m-%d} or later "
            "(the cache keeps these bars, and every later run adds to them), use longer bars, "
            f"or use {_ELSEWHERE}",
        )

    def _available(self) -> str:
        return f"the last {len(self.rows)}, from {from_epoch_ms(self.first):%Y-%m-%d %H:%M} on"

    def _sentence(self, traded: int | None) -> str:
        interval = self.pager.interval
        grows = (
            "the cache keeps them, and every later run adds to them; for older ones use "
            f"{_ELSEWHERE}"
        )
        if self.pager.ignores_start:
            return (
                f"the exchange gives only its newest {interval} candles, whatever start is asked "
                f"for: {self._available()}; {grows}"
            )
        by = f"{from_epoch_ms(traded or 0):%Y-%m-%d}"
        return (
            f"{interval} candles are limited to {self._available()}, though it was traded by {by}"
            f"; {grows}"
        )

    def _earlier_trade(self) -> int | None:
        """Open of a longer candle with a trade that ended before the first candle."""
        coarser = self.pager.coarsest()
        if coarser is None:
            return None
        found = self.first_trade
        if found is None:
            earliest = self.first - (coarser.page_size - 1) * coarser.step_ms
            _, found = coarser.find_first(max(self.since, earliest), self.first)
        if found is None or found + coarser.step_ms > self.first:
            return None
        return found
