"""What every feed does, whatever its bars come from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame


class Feed(Protocol):
    """A source of bars that arrive while the account runs.

    A bar is handed out once it has ended by this machine's clock, and by the exchange's where the
    bars come from one. Symbols may lag behind each other: each bar is handed out when it comes.
    """

    @property
    def is_exhausted(self) -> bool:
        """Whether the input has ended: `fetch` gives all bars that will ever come.

        Only input that can end, such as standard input, is ever exhausted.
        """

    def wait(self, timeout_s: float) -> None:
        """Returns when bars may have come that the last `fetch` did not give, or after a time.

        Args:
            timeout_s: Longest wait, in seconds.
        """

    def fetch(self, after: pd.Timestamp) -> BarsFrame:
        """The complete bars that the feed has, later than `after`.

        The same `after` gives the same bars again, and those that came since; an earlier one gives
        corrected bars, as far back as the source still has them, or as the feed keeps them: 100
        bars. A server that does not answer is told in a notice, and the bars of the other symbols
        are given.

        Args:
            after: A timestamp of a bar, UTC.

        Returns:
            Long bars, sorted by timestamp, then by symbol in the dataset's order, each once; none
            where nothing came.

        Raises:
            SourceError: The source refuses, and a later request cannot change that: an unknown
                symbol, an interval that it does not have.
            InvalidBarsError: Bars came that cannot be trusted, by the dataset's quality rules.
        """

    def close(self) -> None:
        """Ends connections, threads and files of the feed; a second call does nothing."""
