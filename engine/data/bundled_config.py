"""The keys of a bundled source: bars that come with Python packages."""

from __future__ import annotations

from typing import Literal, get_args

from pydantic import Field

from engine.core.types import Spec

BundledTicker = Literal[
    "sp500",
    "nasdaq",
    "AAPL",
    "AMD",
    "BAC",
    "BBY",
    "CVX",
    "GE",
    "HD",
    "JNJ",
    "JPM",
    "KO",
    "LLY",
    "MRK",
    "MSFT",
    "PEP",
    "PFE",
    "PG",
    "RRC",
    "UNH",
    "WMT",
    "XOM",
]
"""An index of the `arch` package, or a stock of `skfolio`."""

LARGE_CAP_TICKERS: tuple[str, ...] = get_args(BundledTicker)[2:]
"""The stocks, in the order of their table."""


class BundledSourceSpec(Spec):
    """Daily bars that come with Python packages.

    `arch` ships the indices `sp500` and `nasdaq`, 1999-2018, and `skfolio` the closes of 20 large
    US stocks, 1990-2022, without open, high, low and volume. A dataset of weekly bars is resampled
    from them.

    Attributes:
        symbols: Dataset symbol to `sp500`, `nasdaq` or the ticker of a stock, where they differ.
    """

    kind: Literal["bundled"] = "bundled"
    symbols: dict[str, BundledTicker] = Field(default_factory=dict)
