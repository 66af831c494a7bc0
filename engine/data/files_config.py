"""The keys of a files source: where files are, and how their cells are read."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Literal, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from engine.core.types import Spec
from engine.data.calendar import BarInterval

TIMESTAMP_FORMATS = (
    *("iso", "day_first", "month_first"),
    *("seconds", "milliseconds", "microseconds", "nanoseconds", "epoch", "milliseconds_of_day"),
)
"""The named formats of timestamps."""

_LITERAL_OFFSET = re.compile(r"(?<=[A-Z ])[+-]\d{1,2}:?(\d\d)?(?!\d)")
_LITERAL_ZONE = re.compile(r"\b((?!UTC|GMT)[A-Z]{3,5}|[A-Z]\w+/[A-Z]\w+)\b")

FileFormatName = Literal[
    "alphavantage",
    "binance",
    "cboe",
    "coinmarketcap",
    "cryptodatadownload",
    "databento",
    "dukascopy",
    "firstrate",
    "freqtrade",
    "histdata",
    "interactive_brokers",
    "investing",
    "kibot",
    "kraken",
    "lean",
    "metatrader",
    "nasdaq",
    "ninjatrader",
    "polygon",
    "stooq",
    "tiingo",
    "tradingview",
    "yfinance",
]
"""A known form of files; docs/data-sources.md says who writes each."""


BarColumn = Literal[
    "timestamp", "open", "high", "low", "close", "volume", "adj_close", "dividends", "split"
]
"""A column of bars that a column of a file may be mapped to."""


class FilesSourceSpec(Spec):
    """Files of bars, one a symbol: CSV, JSON, Parquet or Feather, compressed or not.

    A file may also hold many symbols; see `where`.

    Attributes:
        path: Folder, absolute or relative to the manifest.
        pattern: File name, with `{symbol}` in it where each symbol has a file of its own. With a
            `*` or with `{date}`, a date written YYYYMMDD, it names several files of a symbol,
            which are read one after another in the order of their names.
        format: A known form of files, such as `binance` or `metatrader`, whose keys need not be
            given; keys that are given replace those of the form. `auto` recognises the form by the
            first lines of a file.
        symbols: Dataset symbol to the one in the file name and in `where`, where they differ.
        columns: Our column to the file's, where it has no usual name: `{volume: Volume BTC}`. A
            date and a time in two columns are `{timestamp: [Date, Time]}`.
        header: `none` for a file without a line of names, whose columns are then called `1`, `2`
            and so on; or the names in order: `[timestamp, open, high, low, close, volume]`. Where
            it is not given, the first line has the names.
        skip: Number of lines before the header, or before the first bar where there is no header;
            they are left out.
        where: Keeps the rows whose column has exactly this text: `{Name: AAPL}`, or
            `{ticker: "{symbol}"}` for the symbol as the source calls it.
        volume: `none` for files without a volume; it is then missing in every bar.
        prices: `close` for files whose only price is the close; open, high and low are then
            missing in every bar, and what needs them is refused before a run.
        rows_without_bars: `drop` leaves out the rows that are no bars, such as dividends, notes,
            totals and repeated headers, and reports them; otherwise such a row is an error.
        interval: Length of the files' bars, where the dataset's are longer and are resampled from
            them.
        timezone: IANA name of the zone of timestamps without an offset, and of the days of daily
            bars: `America/New_York`. UTC where it is not given.
        dates: How timestamps are written: `iso`, `day_first`, `month_first`, numbers since 1970
            in `seconds`, `milliseconds`, `microseconds` or `nanoseconds`, `epoch` for numbers
            since 1970 whose unit changes within a file, `milliseconds_of_day` since the local
            midnight of the `{date}` in `pattern`, or a format of `strptime` such as
            `%d.%m.%Y %H:%M`. ISO 8601, `YYYYMMDD` and numbers since 1970 are recognised where it
            is not given.
        label: Which instant of a bar its timestamp is. A bar labelled by its `close` is moved to
            its open: to the label before it, at most one interval earlier. A day or a week is then
            the one that ends with the timestamp; a date without a time is already the day.
        decimal: Mark before the decimals.
        thousands: Mark between groups of three digits; a space stands for every kind of space.
        price_divisor: What the prices of the file are divided by: 10000 where they are whole
            numbers of ten-thousandths.
    """

    kind: Literal["files"] = "files"
    path: str
    pattern: str = "{symbol}.csv"
    format: FileFormatName | Literal["auto"] | None = None
    symbols: dict[str, str] = Field(default_factory=dict)
    columns: dict[BarColumn, str | tuple[str, str]] = Field(default_factory=dict)
    header: Literal["none"] | tuple[str, ...] | None = None
    skip: int = Field(default=0, ge=0)
    where: dict[str, str] = Field(default_factory=dict)
    volume: Literal["none"] | None = None
    prices: Literal["close"] | None = Field(default=None, exclude_if=lambda prices: prices is None)
    rows_without_bars: Literal["error", "drop"] = "error"
    interval: BarInterval | None = None
    timezone: str | None = None
    dates: str | None = None
    label: Literal["open", "close"] = "open"
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""
    price_divisor: int = Field(default=1, ge=1)

    @field_validator("columns", mode="before")
    @classmethod
    def _columns_of_bars(cls, columns: object) -> object:
        names = _to_names(columns)
        if isinstance(names, dict):
            for ours, theirs in names.items():
                _require_column(ours, theirs)
        return names

    @field_validator("where", mode="before")
    @classmethod
    def _numbers_are_text(cls, where: object) -> object:
        return _to_names(where)

    @field_validator("header", mode="before")
    @classmethod
    def _header_is_none_or_names(cls, header: object) -> object:
        names = _to_names(header)
        if isinstance(names, str) and names != "none":
            raise ValueError(
                "expected `none`, or the names in order such as "
                "[timestamp, open, high, low, close, volume]"
            )
        if isinstance(names, tuple) and len(set(names)) != len(names):
            raise ValueError("expected a different name for every column")
        return names

    @field_validator("timezone")
    @classmethod
    def _known_zone(cls, name: str | None) -> str | None:
        if name is not None:
            _require_timezone(name)
        return name

    @field_validator("dates")
    @classmethod
    def _known_dates(cls, dates: str | None) -> str | None:
        if dates is not None and dates not in TIMESTAMP_FORMATS:
            _require_date_format(dates)
        return dates

    @model_validator(mode="after")
    def _marks_differ(self) -> FilesSourceSpec:
        if self.decimal == self.thousands:
            raise ValueError("expected different marks for decimal and thousands")
        return self

    @model_validator(mode="after")
    def _named_zone_is_declared(self) -> FilesSourceSpec:
        zone = _LITERAL_ZONE.search(re.sub("%.", " ", self.dates or ""))
        if zone and self.timezone is None:
            raise ValueError(
                f"expected `timezone` beside {zone.group()} in `dates`, the IANA name of that "
                "zone such as America/New_York; or %z where the file writes offsets such as -0500"
            )
        return self

    @model_validator(mode="after")
    def _volume_is_declared_once(self) -> FilesSourceSpec:
        if self.volume == "none" and "volume" in self.columns:
            raise ValueError("expected `volume: none` or a column for volume, not both")
        return self

    @model_validator(mode="after")
    def _prices_are_declared_once(self) -> FilesSourceSpec:
        mapped = [name for name in ("open", "high", "low") if name in self.columns]
        if self.prices == "close" and mapped:
            raise ValueError(
                f"expected `prices: close` or a column for {', '.join(mapped)}, not both"
            )
        return self

    @property
    def value_columns(self) -> tuple[str, ...]:
        """The prices, and the volume, that each file has."""
        prices = ("close",) if self.prices == "close" else ("open", "high", "low", "close")
        return prices if self.volume == "none" else (*prices, "volume")


def _to_names(names: object) -> object:
    """The same value with every integer in it as text."""
    if isinstance(names, dict):
        return {key if isinstance(key, str) else str(key): _to_names(names[key]) for key in names}
    if isinstance(names, list | tuple):
        return tuple(_to_names(name) for name in names)
    return str(names) if type(names) is int else names


def _require_column(ours: str, theirs: object) -> None:
    """Raises on an entry of `columns` that is no column of bars with a name of the file."""
    known = get_args(BarColumn)
    if ours not in known:
        close = get_close_matches(ours, known, n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        if theirs in known:
            hint = f"; did you mean {{{theirs}: {ours}}}?"
        raise ValueError(f"expected one of {', '.join(known)} before the file's name{hint}")
    if isinstance(theirs, str):
        return
    if ours != "timestamp":
        raise ValueError(f"expected the name of one column for {ours}")
    if not isinstance(theirs, tuple) or len(theirs) != 2:
        raise ValueError("expected one column for timestamp, or two such as [Date, Time]")


def _require_timezone(name: str) -> None:
    try:
        ZoneInfo(name)
    except (LookupError, ValueError, OSError):
        close = get_close_matches(name, available_timezones(), n=1)
        hint = f"; did you mean {close[0]}?" if close else ""
        raise ValueError(
            f"expected the IANA name of a time zone such as America/New_York{hint}"
        ) from None


def _require_date_format(dates: str) -> None:
    """Raises on a format of `strptime` that would lose a date, half a day or a zone."""
    codes = set(re.findall(r"%(.)", dates))
    if "Z" in codes:
        raise ValueError(
            "expected %z for an offset such as +0800, or the name of the zone as it stands in "
            "the file and `timezone`: one abbreviation such as CST names several zones"
        )
    if not _is_date_format(dates):
        raise ValueError(
            f"expected {', '.join(TIMESTAMP_FORMATS)}, or a format with day, month and year "
            "such as %d.%m.%Y %H:%M"
        )
    if ("I" in codes) != ("p" in codes):
        raise ValueError("expected %I together with %p for 12 hours, or %H without %p for 24")
    if offset := _LITERAL_OFFSET.search(re.sub("%.", " ", dates)):
        raise ValueError(
            f"expected %z in place of {offset.group()}, which reads the offset of each timestamp"
        )


def _is_date_format(dates: str) -> bool:
    """Whether a date that is written in this format is read back unchanged."""
    moment = datetime(2001, 2, 3, 16, 5, 6, tzinfo=timezone(timedelta(hours=8)))
    try:
        parsed = datetime.strptime(moment.strftime(dates), dates)  # noqa: DTZ007 - only its date is used
        return parsed.date() == moment.date()
    except ValueError:
        return False
