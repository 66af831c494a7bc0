"""The abstract source of bars, and the request that it answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.bars import NO_DELAY

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data.bar_times import TradingTimes
    from engine.data.calendar import BarInterval
    from engine.data.quality.gate import QualityGate


@dataclass(frozen=True)
class BarRequest:
    """A request for the bars of one symbol.

    Attributes:
        symbol: The symbol's name in the dataset.
        interval: Length of a bar.
        since: First timestamp requested; None for the whole history. A source may deliver earlier
            bars too.
        now: The present instant.
        progress: Receives the progress of a long fetch.
        on_notice: Receives what a user must know about how the bars were read, and records it for
            the run's manifest; None sends these notices to `progress`.
        gate: Checks finer bars before they are resampled; None for a gate without repairs.
        newest_only: Whether the bars are asked for again and again as they come. A source then
            sends those from `since` on alone, where it can, and reads no line of a file that
            another program has not finished.
    """

    symbol: str
    interval: BarInterval
    since: pd.Timestamp | None
    now: pd.Timestamp
    progress: Progress
    on_notice: Callable[[str], None] | None = None
    gate: QualityGate | None = None
    newest_only: bool = False

    def notify(self, message: str) -> None:
        """Reports what a user must know about how the bars were read."""
        (self.on_notice or self.progress.notice)(message)


class BarSource(ABC):
    """One source of bars.

    Attributes:
        label: Its name in messages: `yahoo`, `ccxt:bitstamp`, `files`, `bundled`.
        cache_key: Identifies its bars in the cache; None where bars are local and not cached.
        append_only: Whether a finished bar never changes, so that a cached one need not be fetched
            again. Adjusted prices change with every dividend.
        publication_delay: How long after the close of a session its bar may still change.
    """

    label: str
    cache_key: str | None
    append_only: bool
    publication_delay: pd.Timedelta = NO_DELAY

    def times_of(self, symbol: str, times: TradingTimes) -> TradingTimes:  # noqa: ARG002 - most sources have the same for all
        """When the bars of a symbol close, once they were fetched: as the dataset says.

        A source overrides it whose bars end later than the sessions of a dataset's calendar.

        Args:
            symbol: The dataset's name of the symbol.
            times: By the calendar of the dataset.
        """
        return times

    @abstractmethod
    def ticker(self, symbol: str) -> str:
        """The source's own name of a symbol of the dataset."""

    @abstractmethod
    def origin(self, symbol: str) -> str:
        """The origin of a symbol's bars for a run's manifest; the same on every machine."""

    @abstractmethod
    def location(self, symbol: str) -> str:
        """Where a user finds the bars of a symbol: a file, or a ticker and its source."""

    @abstractmethod
    def url(self) -> str | None:
        """An address that must answer for the source to work; None where no network is needed.

        Raises:
            SourceError: The source does not exist.
        """

    @abstractmethod
    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Fetches the bars of one symbol as the source has them.

        Returns:
            Columns timestamp (the bar's open; aware, or naive in UTC), open, high, low, close,
            volume, and further columns that the source has. Not checked: order, gaps, NaN and the
            unfinished bar are as the source sent them. May be empty.

        Raises:
            UnreachableError: The network or the server did not answer.
            SourceError: The source answered, and does not have the bars.
            InvalidBarsError: The answer cannot be parsed as bars.
        """
