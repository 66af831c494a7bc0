"""Which symbols of a dataset a source delivered, and why it did not deliver the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.errors import DataError, PartlyUnreachableError, SourceError, UnreachableError
from engine.data.bars import format_timestamp

if TYPE_CHECKING:
    from engine.core.progress import Progress
    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.sources.base import BarSource


class FetchStatus:
    """Calls the symbols of a dataset one after another, and tells of each with one line.

    A symbol that a source does not have keeps it from being asked for no other one. After two
    symbols in a row without an answer the server is gone, and not one symbol.

    Args:
        source: The source.
        dataset: The symbols wanted.
        progress: Told a line a symbol.
    """

    def __init__(self, source: BarSource, dataset: Dataset, progress: Progress) -> None:
        self.source = source
        self.dataset = dataset
        self.progress = progress
        self.received: list[str] = []
        self.failures: dict[str, DataError] = {}
        self._unanswered_in_a_row = 0

    def add(self, symbol: str, bars: BarsFrame, *, queried: bool) -> None:
        """Notes a symbol whose bars are here, and tells of them if the source was asked."""
        self.received.append(symbol)
        if not queried:
            return
        self._unanswered_in_a_row = 0
        if bars.empty:
            self.report(symbol, "no bars")
            return
        first, last = (
            format_timestamp(bars["timestamp"].iloc[row], self.dataset.interval) for row in (0, -1)
        )
        count = "1 bar" if len(bars) == 1 else f"{len(bars)} bars"
        self.report(symbol, f"{count}, {first} to {last}")

    @property
    def server_down(self) -> bool:
        """Whether the server stopped answering, so that nobody else is to be called."""
        return self._unanswered_in_a_row > 1

    def add_failure(self, symbol: str, error: DataError) -> None:
        """Notes a symbol whose bars did not come, and tells why."""
        self.failures[symbol] = error
        self.report(symbol, _format_reason(error))
        self._unanswered_in_a_row = (
            self._unanswered_in_a_row + 1 if isinstance(error, UnreachableError) else 0
        )

    def require_all_received(self) -> None:
        """Ends the call.

        Raises:
            SourceError: A symbol is missing: each with its reason, and which came. The symbol's
                own error where that says it all: nothing came, and the server was the reason.
            PartlyUnreachableError: The same, some came, and no symbol is missing for another
                reason than the network or the server.
        """
        if not self.failures:
            return
        first = next(iter(self.failures.values()))
        alone = len(self.dataset.symbols) == 1
        if alone or (not self.received and isinstance(first, UnreachableError)):
            raise first
        raise self._make_error() from first

    def report(self, symbol: str, text: str) -> None:
        """One line of progress about a symbol."""
        at = self.dataset.symbols.index(symbol) + 1
        self.progress.line(
            f"{symbol} ({at} of {len(self.dataset.symbols)}) from {self.source.label}: {text}"
        )

    def _make_error(self) -> SourceError:
        wanted = self.dataset.symbols
        errors = self.failures.values()
        silent = self.received and all(isinstance(error, UnreachableError) for error in errors)
        kind = PartlyUnreachableError if silent else SourceError
        return kind(
            f"{len(self.received)} of {len(wanted)} symbols came",
            expected=f"all of {', '.join(wanted)}",
            found="; ".join([*self._failure_reasons(), *self._format_received()]),
            where=self.source.label,
            fix="; or ".join(dict.fromkeys(error.fix for error in errors if error.fix)),
        )

    def _failure_reasons(self) -> list[str]:
        """Why symbols are missing, those with one reason together."""
        alike: dict[str, list[str]] = {}
        for symbol in self.dataset.symbols:
            if symbol in self.received:
                continue
            error = self.failures.get(symbol)
            reason = _format_reason(error) if error else "not asked for any more"
            alike.setdefault(reason, []).append(symbol)
        return [f"{', '.join(symbols)}: {reason}" for reason, symbols in alike.items()]

    def _format_received(self) -> list[str]:
        came = "came and kept" if self.source.cache_key else "came"
        return [f"{came}: {', '.join(self.received)}"] if self.received else []


def _format_reason(error: DataError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
