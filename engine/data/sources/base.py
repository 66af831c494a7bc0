"""What every source of bars can do, and what it is asked."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from engine.core.progress import Progress
    from engine.data.calendar import BarInterval
    from engine.data.quality.gate import QualityGate


@dataclass(frozen=True)
class BarRequest:
    """The bars wanted of one symbol.

    Attributes:
        symbol: The dataset's name of it.
        interval: Length of a bar.
        since: First instant wanted; None for all there is. A feed may deliver earlier bars too.
        now: The present instant.
        progress: Told how far a long pull is.
        on_notice: Told what a user must know of how the bars were read, and keeps it for the run's
            manifest; where it is None, `progress` is told.
        gate: What finer bars have to pass before they are made coarser; None for one without
            repairs.
    """

    symbol: str
    interval: BarInterval
    since: pd.Timestamp | None
    now: pd.Timestamp
    progress: Progress
    on_notice: Callable[[str], None] | None = None
    gate: QualityGate | None = None

    def notify(self, sentence: str) -> None:
        """Tells what a user must know of how the bars were read."""
        (self.on_notice or self.progress.notice)(sentence)


class BarSource(ABC):
    """One source of bars.

    Attributes:
        label: What it is called in messages: `yahoo`, `ccxt:bitstamp`, `files`, `bundled`.
        cache_key: Everything that tells its bars from another feed's, None where bars are at
            hand anyway and are not cached.
        append_only: Whether a finished bar never changes, so that a cached one need not be pulled
            again. Adjusted prices change with every dividend.
    """

    label: str
    cache_key: str | None
    append_only: bool

    @abstractmethod
    def ticker(self, symbol: str) -> str:
        """What the source itself calls a symbol of the dataset."""

    @abstractmethod
    def origin(self, symbol: str) -> str:
        """Where a symbol's bars come from, for a run's manifest; the same on every machine."""

    @abstractmethod
    def location(self, symbol: str) -> str:
        """Where a user finds the bars of a symbol: a file, or a ticker and who has it."""

    @abstractmethod
    def url(self) -> str | None:
        """An address that must answer for the feed to work; None where no network is needed.

        Raises:
            SourceError: The source does not exist.
        """

    @abstractmethod
    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Bars of one symbol as the source has them.

        Returns:
            Columns timestamp (the bar's open; aware, or naive in UTC), open, high, low, close,
            volume, and what else the source carries. Not checked: order, gaps, NaN and the
            unfinished bar are as the source gave them. May be empty.

        Raises:
            UnreachableError: The network or the server did not answer.
            SourceError: The source answered, and does not have what was asked.
            InvalidBarsError: What came cannot be read as bars.
        """
