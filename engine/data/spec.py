"""What a dataset manifest may say, and how a strategy names its data."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from engine.types import Spec

Interval = Literal["1m", "5m", "15m", "30m", "1h", "4h", "1d", "1w"]


class YahooSource(Spec):
    """Yahoo Finance through yfinance.

    Attributes:
        symbols: Dataset symbol to Yahoo's, where they differ.
        adjust: What prices are adjusted for; total return is the honest default for stocks. With
            `none` they are what was paid on the day.
        batch: Symbols that are asked for before a pause.
        time_limit_s: Longest time for all symbols together, seconds.
    """

    kind: Literal["yahoo"] = "yahoo"
    symbols: dict[str, str] = Field(default_factory=dict)
    adjust: Literal["splits+dividends", "splits", "none"] = "splits+dividends"
    batch: int = Field(default=25, ge=1)
    time_limit_s: float = Field(default=900.0, gt=0.0)


class CcxtSource(Spec):
    """Any exchange that ccxt knows, public candles only.

    Attributes:
        exchange: ccxt's id of the exchange: `bitstamp`, `kraken`, `binance`.
        symbols: Dataset symbol to the exchange's, where they differ: `{BTC-USD: BTC/USD}`.
        funding: Whether the symbols are perpetual contracts whose funding rates are wanted too;
            see `engine.data.funding`.
    """

    kind: Literal["ccxt"] = "ccxt"
    exchange: str
    symbols: dict[str, str] = Field(default_factory=dict)
    funding: bool = False


class FilesSource(Spec):
    """One file a symbol: CSV, CSV.gz or Parquet.

    Attributes:
        path: Folder, absolute or relative to the manifest.
        pattern: File name with `{symbol}` in it.
        symbols: Dataset symbol to the one in the file name, where they differ.
        columns: Our column to the file's, where they differ: `{timestamp: date}`.
    """

    kind: Literal["files"] = "files"
    path: str
    pattern: str = "{symbol}.csv"
    symbols: dict[str, str] = Field(default_factory=dict)
    columns: dict[str, str] = Field(default_factory=dict)


class BundledSource(Spec):
    """The daily bars that the `arch` package ships: `sp500` and `nasdaq`, 1999-2018.

    Attributes:
        symbols: Dataset symbol to `sp500` or `nasdaq`.
    """

    kind: Literal["bundled"] = "bundled"
    symbols: dict[str, Literal["sp500", "nasdaq"]]


Source = Annotated[
    YahooSource | CcxtSource | FilesSource | BundledSource, Field(discriminator="kind")
]


class Dataset(Spec):
    """A dataset manifest: which bars, and where they may come from.

    Attributes:
        name: What strategies call it.
        interval: Length of a bar.
        calendar: `24/7`, or a code of exchange-calendars such as `XNYS`; sets the periods a year.
        symbols: The first is the default target.
        start: First day wanted, inclusive (UTC).
        end: Last day wanted, inclusive (UTC).
        sources: Tried in this order.
        note: Who may use this data.
    """

    name: str = Field(min_length=1)
    interval: Interval
    calendar: str
    symbols: tuple[str, ...] = Field(min_length=1)
    start: date | None = None
    end: date | None = None
    sources: tuple[Source, ...] = Field(min_length=1)
    note: str = ""

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("symbols holds one symbol twice")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        return self


class DataSpec(Spec):
    """How a strategy names its data.

    Attributes:
        dataset: Name of a manifest in `datasets/`, or a path to one.
        offline: Dataset used only if no source can be reached and nothing is cached.
        target: Symbol that is traded; the dataset's first where it is not given or, offline,
            where the offline dataset does not have it.
    """

    dataset: str = Field(min_length=1)
    offline: str | None = None
    target: str | None = None
