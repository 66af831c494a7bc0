"""The daily bars that the `arch` and the `skfolio` packages ship."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import SourceError
from engine.data.bars import VALUE_COLUMNS
from engine.data.bundled_config import LARGE_CAP_TICKERS
from engine.data.sources.base import BarRequest, BarSource

if TYPE_CHECKING:
    from engine.data.bundled_config import BundledSourceSpec

INDEX_TICKERS = ("sp500", "nasdaq")


class BundledBarSource(BarSource):
    """Two indices with open, high, low, close and volume, and 20 stocks with closes alone.

    The indices, every XNYS session of 1999-2018, are price indices without dividends, so that
    `Close` and `Adj Close` are equal and the one close is consistent with open, high and low. The
    closes of the stocks, every session of 1990 to 2022-12-28, are adjusted for splits and
    dividends, and rounded to a thousandth of a dollar after that.
    """

    cache_key = None
    append_only = True

    def __init__(self, spec: BundledSourceSpec) -> None:
        self.spec = spec
        self.label = "bundled"

    def ticker(self, symbol: str) -> str:
        """`sp500` or `nasdaq`, or the ticker of a stock."""
        return self.spec.symbols.get(symbol, symbol)

    def origin(self, symbol: str) -> str:
        """The package, and what it calls the symbol."""
        ticker = self.ticker(symbol)
        return f"bundled:{_package_of(ticker)}.{ticker}"

    def location(self, symbol: str) -> str:
        """The table of the package."""
        ticker = self.ticker(symbol)
        return f"{ticker} of the {_package_of(ticker)} package"

    def url(self) -> None:
        """No network."""

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """Returns all bars of the package.

        Raises:
            SourceError: The symbol is none of them, the interval is not `1d`, or the package is
                not installed.
        """
        ticker = self.ticker(request.symbol)
        if ticker not in (*INDEX_TICKERS, *LARGE_CAP_TICKERS) or request.interval != "1d":
            raise SourceError(
                f"no bundled bars of {request.symbol}, {request.interval}",
                expected="sp500 or nasdaq, or a stock: "
                f"{', '.join(LARGE_CAP_TICKERS)}; interval 1d",
                found=f"{ticker}, interval {request.interval}",
                where="the dataset's bundled source",
                fix=f"add `symbols: {{{request.symbol}: sp500}}` to the source",
            )
        if ticker in LARGE_CAP_TICKERS:
            return _read_closes(ticker)
        table = pd.read_csv(
            _package_file("arch", f"data/{ticker}/{ticker}.csv.gz"), parse_dates=["Date"]
        )
        return table.rename(columns={"Date": "timestamp"}).rename(columns=str.lower)


def _read_closes(ticker: str) -> pd.DataFrame:
    table = _read_table(_package_file("skfolio", "datasets/data/sp500_dataset.csv.gz"))
    closes = table[["Date", ticker]].set_axis(["timestamp", "close"], axis="columns")
    return closes.assign(**{name: np.nan for name in VALUE_COLUMNS if name != "close"})


@lru_cache(maxsize=1)
def _read_table(path: Path) -> pd.DataFrame:
    """The closes of all stocks, which are fetched one by one; 1.4 MB."""
    return pd.read_csv(path, parse_dates=["Date"])


def _package_of(ticker: str) -> str:
    return "arch" if ticker in INDEX_TICKERS else "skfolio"


def _package_file(name: str, path: str) -> Path:
    """A data file of a package, without importing it: `arch` takes a second, `skfolio` four."""
    package = find_spec(name)
    file = None if package is None else Path(str(package.origin)).parent / path
    if file is None or not file.is_file():
        raise SourceError(
            f"the bundled bars of the {name} package are not there",
            expected=f"the package {name} with its file {path}",
            found="no such package" if file is None else "the package without this file",
            where="the dataset's bundled source",
            fix=f"install the requirements of the engine again: pip install {name}",
        )
    return file
