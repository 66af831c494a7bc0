"""Which symbols of a dataset a source delivered, and why it did not deliver the others."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bars import stamp_text
from engine.errors import DataError, PartlyUnreachableError, SourceError, UnreachableError

if TYPE_CHECKING:
    from engine.data.sources.feed import Feed
    from engine.data.spec import Dataset
    from engine.progress import Progress
    from engine.types import BarsFrame


class Roll:
    """Calls the symbols of a dataset one after another, and tells of each with one line.

    A symbol that a source does not have keeps it from being asked for no other one. After two
    symbols in a row without an answer the server is gone, and not one symbol.

    Args:
        feed: The source.
        dataset: The symbols wanted.
        progress: Told a line a symbol.
    """

    def __init__(self, feed: Feed, dataset: Dataset, progress: Progress) -> None:
        self.feed = feed
        self.dataset = dataset
        self.progress = progress
        self.here: list[str] = []
        self.missed: dict[str, DataError] = {}
        self._silent = 0

    def came(self, symbol: str, bars: BarsFrame, *, asked: bool) -> None:
        """Notes a symbol whose bars are here, and tells of them if the source was asked."""
        self.here.append(symbol)
        if not asked:
            return
        self._silent = 0
        if bars.empty:
            self.tell(symbol, "no bars")
            return
        first, last = (
            stamp_text(bars["timestamp"].iloc[row], self.dataset.interval) for row in (0, -1)
        )
        count = "1 bar" if len(bars) == 1 else f"{len(bars)} bars"
        self.tell(symbol, f"{count}, {first} to {last}")

    @property
    def gone(self) -> bool:
        """Whether the server stopped answering, so that nobody else is to be called."""
        return self._silent > 1

    def miss(self, symbol: str, error: DataError) -> None:
        """Notes a symbol whose bars did not come, and tells why."""
        self.missed[symbol] = error
        self.tell(symbol, _reason(error))
        self._silent = self._silent + 1 if isinstance(error, UnreachableError) else 0

    def require_all(self) -> None:
        """Ends the call.

        Raises:
            SourceError: A symbol is missing: each with its reason, and which came. The symbol's
                own error where that says it all: nothing came, and the server was the reason.
            PartlyUnreachableError: The same, some came, and no symbol is missing for another
                reason than the network or the server.
        """
        if not self.missed:
            return
        first = next(iter(self.missed.values()))
        alone = len(self.dataset.symbols) == 1
        if alone or (not self.here and isinstance(first, UnreachableError)):
            raise first
        raise self._error() from first

    def tell(self, symbol: str, text: str) -> None:
        """One line of progress about a symbol."""
        at = self.dataset.symbols.index(symbol) + 1
        self.progress.line(
            f"{symbol} ({at} of {len(self.dataset.symbols)}) from {self.feed.label}: {text}"
        )

    def _error(self) -> SourceError:
        wanted = self.dataset.symbols
        errors = self.missed.values()
        silent = self.here and all(isinstance(error, UnreachableError) for error in errors)
        kind = PartlyUnreachableError if silent else SourceError
        return kind(
            f"{len(self.here)} of {len(wanted)} symbols came",
            expected=f"all of {', '.join(wanted)}",
            found="; ".join([*self._reasons(), *self._kept()]),
            where=self.feed.label,
            fix="; or ".join(dict.fromkeys(error.fix for error in errors if error.fix)),
        )

    def _reasons(self) -> list[str]:
        """Why symbols are missing, those with one reason together."""
        alike: dict[str, list[str]] = {}
        for symbol in self.dataset.symbols:
            if symbol in self.here:
                continue
            error = self.missed.get(symbol)
            reason = _reason(error) if error else "not asked for any more"
            alike.setdefault(reason, []).append(symbol)
        return [f"{', '.join(symbols)}: {reason}" for reason, symbols in alike.items()]

    def _kept(self) -> list[str]:
        came = "came and kept" if self.feed.cache_key else "came"
        return [f"{came}: {', '.join(self.here)}"] if self.here else []


def _reason(error: DataError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
