"""The symbols of a dataset that a source delivered, and the reasons for those it did not."""

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
    """Records received and failed symbols of a dataset, with one line of progress for each.

    After a symbol that the source does not have, the others are still requested. After two symbols
    in a row without an answer the server counts as down.

    Args:
        source: The source.
        dataset: The symbols wanted.
        progress: Gets one line a symbol.
    """

    def __init__(self, source: BarSource, dataset: Dataset, progress: Progress) -> None:
        self.source = source
        self.dataset = dataset
        self.progress = progress
        self.received: list[str] = []
        self.failures: dict[str, DataError] = {}
        self._unanswered_in_a_row = 0

    def add(self, symbol: str, bars: BarsFrame, *, queried: bool) -> None:
        """Records a received symbol, and reports it if the source was requested."""
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
        """Whether the server stopped answering, so that no further symbol is requested."""
        return self._unanswered_in_a_row > 1

    def add_failure(self, symbol: str, error: DataError) -> None:
        """Records a failed symbol, and reports the reason."""
        self.failures[symbol] = error
        self.report(symbol, _format_reason(error))
        self._unanswered_in_a_row = (
            self._unanswered_in_a_row + 1 if isinstance(error, UnreachableError) else 0
        )

    def require_all_received(self) -> None:
        """Raises if a symbol is missing.

        Raises:
            SourceError: A symbol is missing; names each with its reason, and those received. The
                symbol's own error where it is the only one of the dataset, or where nothing was
                received and the server was the reason.
            PartlyUnreachableError: The same, some were received, and every missing one is missing
                because of the network or the server.
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
        number = self.dataset.symbols.index(symbol) + 1
        self.progress.line(
            f"{symbol} ({number} of {len(self.dataset.symbols)}) from {self.source.label}: {text}"
        )

    def _make_error(self) -> SourceError:
        wanted = self.dataset.symbols
        errors = self.failures.values()
        unreachable = all(isinstance(error, UnreachableError) for error in errors)
        kind = PartlyUnreachableError if self.received and unreachable else SourceError
        return kind(
            f"{len(self.received)} of {len(wanted)} symbols received",
            expected=f"all of {', '.join(wanted)}",
            found="; ".join([*self._failure_reasons(), *self._format_received()]),
            where=self.source.label,
            fix="; or ".join(dict.fromkeys(error.fix for error in errors if error.fix)),
        )

    def _failure_reasons(self) -> list[str]:
        """Why symbols are missing, grouped by reason."""
        by_reason: dict[str, list[str]] = {}
        for symbol in self.dataset.symbols:
            if symbol in self.received:
                continue
            error = self.failures.get(symbol)
            reason = _format_reason(error) if error else "not requested any more"
            by_reason.setdefault(reason, []).append(symbol)
        return [f"{', '.join(symbols)}: {reason}" for reason, symbols in by_reason.items()]

    def _format_received(self) -> list[str]:
        state = "received and stored" if self.source.cache_key else "received"
        return [f"{state}: {', '.join(self.received)}"] if self.received else []


def _format_reason(error: DataError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
