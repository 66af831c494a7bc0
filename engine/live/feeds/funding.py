"""Funding rates of perpetuals that arrive while an account lives."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pandas as pd

from engine.core.errors import UnreachableError
from engine.data.fetch.funding import fetch_newest_rates, open_rate_source
from engine.data.sources import ClientSettings
from engine.live.feeds.notices import NoticeOnce

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.progress import Progress
    from engine.data import DatasetManifest
    from engine.live.clock import Clock

_RETRY = pd.Timedelta(seconds=5)
"""Shortest pause between two requests about a symbol."""


class RateFeed(Protocol):
    """Where funding rates come from."""

    def fetch(self, after: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
        """The rates of some symbols that were due after an instant and by now.

        Args:
            after: Symbol -> its last payment that is known.

        Returns:
            Columns timestamp, when each was due, symbol and rate; none where nothing came.
        """


class ExchangeRates:
    """The rates of the exchange of a dataset; one that does not answer is told once.

    Args:
        manifest: The dataset, a source of which has `funding: true`.
        clock: The time.
        progress: Receives notices.
        clients: How the network clients behave.

    Raises:
        SourceError: No source has funding rates.
    """

    def __init__(
        self,
        manifest: DatasetManifest,
        clock: Clock,
        progress: Progress,
        clients: ClientSettings | None = None,
    ) -> None:
        self._source = open_rate_source(manifest, clients or ClientSettings())
        self._clock = clock
        self._notices = NoticeOnce(progress)
        self._asked: dict[str, pd.Timestamp] = {}

    def fetch(self, after: Mapping[str, pd.Timestamp]) -> pd.DataFrame:
        """As of every feed of rates."""
        now = self._clock.now()
        found = [self._request(symbol, last, now) for symbol, last in after.items()]
        rates = [each for each in found if len(each)]
        return pd.concat(rates, ignore_index=True) if rates else no_rates()

    def _request(self, symbol: str, last: pd.Timestamp, now: pd.Timestamp) -> pd.DataFrame:
        asked = self._asked.get(symbol)
        if asked is not None and asked <= now < asked + _RETRY:
            return no_rates()
        self._asked[symbol] = now
        since = last + pd.Timedelta(seconds=1)
        try:
            rates = fetch_newest_rates(self._source, symbol, since, now, self._notices)
        except UnreachableError as error:
            self._notices.notice_about(
                f"funding of {symbol}",
                f"funding rates of {symbol}: {error.problem}; they are asked for again",
            )
            return no_rates()
        self._notices.forget(f"funding of {symbol}")
        known = rates[(rates["timestamp"] > last) & (rates["timestamp"] <= now)]
        return known.assign(symbol=symbol)[["timestamp", "symbol", "rate"]]


def no_rates() -> pd.DataFrame:
    """A table without a rate."""
    stamps = pd.Series([], dtype="datetime64[us, UTC]")
    return pd.DataFrame({"timestamp": stamps, "symbol": pd.Series([], dtype="str"), "rate": []})
