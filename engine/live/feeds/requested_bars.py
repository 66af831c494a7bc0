"""The newest bars of a dataset, requested from one of its sources."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from engine.core.errors import InvalidBarsError, SourceError, UnreachableError
from engine.data.calendar import interval_length
from engine.data.fetch import fetch_newest_bars
from engine.data.sources.resampled import ResampledBarSource
from engine.live.feeds.kept_bars import KEPT_BARS, KeptBars
from engine.live.feeds.notices import NoticeOnce

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pandas as pd

    from engine.core.errors import DataError
    from engine.core.types import BarsFrame
    from engine.data.sources import BarSource
    from engine.live.feeds.context import FeedContext

_INVALID_ANSWERS = 3
"""Invalid answers about a symbol in a row after which its bars are an error: an exchange corrects
a candle within seconds, and a program may be writing a file."""

_RESAMPLED_BARS = 5
"""Bars before the newest that are requested where each is made of many."""

_UNANSWERED = 2
"""Symbols in a row without an answer after which the server counts as down."""


class RequestedBars:
    """Requests the newest bars of symbols, and keeps them.

    A request begins at a bar that is known, so that it costs the same however long the history is,
    and a correction of one of the last bars is seen.

    Args:
        source: Where the bars come from.
        context: Dataset, clock and clients.

    Attributes:
        kept: The bars.
    """

    def __init__(self, source: BarSource, context: FeedContext) -> None:
        self.source = source
        self.context = context
        self._notices = NoticeOnce(context.progress)
        self.kept = KeptBars(context.dataset.symbols, self._notices)
        self._invalid: Counter[str] = Counter()

    def newest(self, after: pd.Timestamp) -> dict[str, pd.Timestamp]:
        """Symbol to its newest bar, or to `after` where none has come."""
        symbols = self.context.dataset.symbols
        return {symbol: self.kept.newest(symbol) or after for symbol in symbols}

    def request(self, symbols: Iterable[str], after: pd.Timestamp) -> list[str]:
        """Asks for the bars of some symbols later than `after`.

        Returns:
            The symbols without a usable answer; after two in a row the others are not asked.

        Raises:
            SourceError: The source refuses a symbol of which no bar has come.
            InvalidBarsError: Bars cannot be trusted, also when they were asked for again.
        """
        unanswered, failed = 0, list(symbols)
        for symbol in list(failed):
            error = self._try(symbol, after)
            unanswered = unanswered + 1 if isinstance(error, UnreachableError) else 0
            if error is None:
                failed.remove(symbol)
            else:
                self._tell(symbol, error)
            if unanswered == _UNANSWERED:
                break
        return failed

    def _try(self, symbol: str, after: pd.Timestamp) -> DataError | None:
        """Asks for the bars of a symbol, and keeps them; the error where a later try may help."""
        try:
            bars = self._fetch(symbol, after)
        except UnreachableError as error:
            return error
        except InvalidBarsError as error:
            self._invalid[symbol] += 1
            if self._invalid[symbol] >= _INVALID_ANSWERS:
                raise
            return error
        except SourceError as error:
            if self.kept.newest(symbol) is None:
                raise
            return error
        self._invalid[symbol] = 0
        self.kept.add_frame(symbol, bars)
        if self._notices.forget(symbol):
            self.context.progress.notice(f"{self._name(symbol)}: answers again")
        return None

    def _fetch(self, symbol: str, after: pd.Timestamp) -> BarsFrame:
        context = self.context.data_context(self._notices)
        since = self._since(symbol, after)
        dataset = self.context.dataset.of_symbol(symbol)
        bars = fetch_newest_bars(self.source, symbol, dataset, context, since)
        self._notices.notice_findings(symbol, context.quality_log)
        return bars

    def _since(self, symbol: str, after: pd.Timestamp) -> pd.Timestamp:
        """First bar of a request: the quality rules judge a bar by those before it."""
        length = interval_length(self.context.dataset.interval)
        if isinstance(self.source, ResampledBarSource):
            newest = self.kept.newest(symbol) or after
            return min(after, newest) - _RESAMPLED_BARS * length
        first = min(after, self.kept.overlap_start(symbol) or after - KEPT_BARS * length)
        return max(first, self.kept.given_up(symbol) or first)

    def _tell(self, symbol: str, error: DataError) -> None:
        """Tells the first of several failures of a symbol in a row."""
        found = f" ({error.found})" if error.found else ""
        self._notices.notice_about(
            symbol, f"{self._name(symbol)}: {error.problem}{found}; it is asked again"
        )

    def _name(self, symbol: str) -> str:
        return f"{symbol} of {self.source.label}"
