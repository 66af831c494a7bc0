"""The daily bars that the `arch` package ships."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import SourceError
from engine.data.sources.base import BarRequest, BarSource

if TYPE_CHECKING:
    from engine.data.config import BundledSourceSpec

BUNDLED_TICKERS = ("sp500", "nasdaq")


class BundledBarSource(BarSource):
    """S&P 500 and NASDAQ Composite, every XNYS session of 1999-2018.

    Both are price indices, without dividends, so that `Close` and `Adj Close` are equal and the
    one close is consistent with open, high and low.
    """

    cache_key = None
    append_only = True

    def __init__(self, spec: BundledSourceSpec) -> None:
        self.spec = spec
        self.label = "bundled"

    def ticker(self, symbol: str) -> str:
        """`sp500` or `nasdaq`."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:
        """The package's module."""
        return f"bundled:arch.{self.ticker(symbol)}"

    def location(self, symbol: str) -> str:
        """The table of the package."""
        return f"{self.ticker(symbol)} of the arch package"

    def url(self) -> None:
        """No network."""

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Returns all bars of the package.

        Raises:
            SourceError: The symbol is neither of the two, or the interval is not `1d`.
        """
        ticker = self.ticker(request.symbol)
        if ticker not in BUNDLED_TICKERS or request.interval != "1d":
            raise SourceError(
                f"no bundled bars of {request.symbol}, {request.interval}",
                expected="sp500 or nasdaq, interval 1d",
                found=f"{ticker}, interval {request.interval}",
                where="the dataset's bundled source",
                fix=f"add `symbols: {{{request.symbol}: sp500}}` to the source",
            )
        table = pd.read_csv(_package_file(ticker), parse_dates=["Date"])
        return table.rename(columns={"Date": "timestamp"}).rename(columns=str.lower)


def _package_file(ticker: str) -> Path:
    """The data file of `arch`, without importing `arch`, which takes a second."""
    package = find_spec("arch")
    assert package is not None
    assert package.origin is not None
    return Path(package.origin).parent / "data" / ticker / f"{ticker}.csv.gz"
