"""The keys of a dataset manifest, and the data section of a strategy."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta, timezone
from difflib import get_close_matches
from typing import Annotated, Literal, TypeAlias, get_args
from zoneinfo import ZoneInfo, available_timezones

from pydantic import Field, field_validator, model_validator

from engine.core.types import Spec
from engine.data.calendar import ALWAYS_OPEN, BarInterval, is_daily_or_longer
from engine.data.intervals import divides
from engine.data.sessions import WEEKDAYS_ONLY, DayBegin

TIMESTAMP_FORMATS = (
    *("iso", "day_first", "month_first"),
    *("seconds", "milliseconds", "microseconds", "nanoseconds"),
)
"""The named formats of timestamps."""

RuleName = Literal[
    "order",
    "duplicates",
    "conflicting_duplicates",
    "daylight_saving",
    "missing_open",
    "missing_values",
    "nonpositive_prices",
    "negative_volume",
    "price_range",
    "price_scale",
    "interval",
    "clock",
    "day_labels",
    "off_grid",
    "future",
    "missed_splits",
    "unit_errors",
    "bad_ticks",
    "ticker_reuse",
    "missed_dividends",
    "wicks",
    "gaps",
    "closed_days",
    "stale",
    "zero_volume",
    "implausible_volume",
    "outside_hours",
    "clocks_differ",
    "not_shared",
]
Treatment = Literal["error", "warn", "repair"]

QualityPolicy: TypeAlias = dict[RuleName, Treatment]
"""The treatment of the rules that a dataset names; the others keep their severity."""

_LITERAL_OFFSET = re.compile(r"(?<=[A-Z ])[+-]\d{1,2}:?(\d\d)?(?!\d)")
_LITERAL_ZONE = re.compile(r"\b((?!UTC|GMT)[A-Z]{3,5}|[A-Z]\w+/[A-Z]\w+)\b")

WARNING_RULES: frozenset[RuleName] = frozenset(
    {"day_labels", "wicks", "gaps", "closed_days", "stale", "zero_volume", "implausible_volume"}
)
"""Rules that real markets break too, so that a run only warns."""

JOINT_RULES: tuple[RuleName, ...] = ("outside_hours", "clocks_differ", "not_shared")
"""Rules about the bars that resampling or joining would lose, and about symbols together."""

UNREPAIRABLE_RULES: frozenset[RuleName] = WARNING_RULES | {
    "daylight_saving",
    "negative_volume",
    "interval",
    "clock",
    "future",
    "missed_dividends",
    "outside_hours",
    "clocks_differ",
    "not_shared",
}
"""Rules without a repair, because none could restore the true values."""


class YahooSourceSpec(Spec):
    """Yahoo Finance through yfinance.

    Attributes:
        symbols: Dataset symbol to Yahoo's, where they differ.
        adjust: What prices are adjusted for; the default gives total returns, which a holder of
            stocks earns. With `none` they are the prices paid on the day.
        batch: Symbols requested before a pause.
        time_limit_s: Longest time for all symbols together, seconds.
        interval: Length of the requested bars, where the dataset's are longer and are resampled
            from them.
    """

    kind: Literal["yahoo"] = "yahoo"
    symbols: dict[str, str] = Field(default_factory=dict)
    adjust: Literal["splits+dividends", "splits", "none"] = "splits+dividends"
    batch: int = Field(default=25, ge=1)
    time_limit_s: float = Field(default=900.0, gt=0.0)
    interval: BarInterval | None = None


class CcxtSourceSpec(Spec):
    """Any exchange that ccxt knows, public candles only.

    Attributes:
        exchange: ccxt's id of the exchange: `bitstamp`, `kraken`, `binance`.
        symbols: Dataset symbol to the exchange's, where they differ: `{BTC-USD: BTC/USD}`.
        funding: Whether the symbols are perpetual contracts with funding rates to pull too; see
            `engine.data.fetch.funding`.
        interval: Length of the requested candles, where the dataset's bars are longer and are
            resampled from them.
    """

    kind: Literal["ccxt"] = "ccxt"
    exchange: str
    symbols: dict[str, str] = Field(default_factory=dict)
    funding: bool = False
    interval: BarInterval | None = None


BarColumn = Literal[
    "timestamp", "open", "high", "low", "close", "volume", "adj_close", "dividends", "split"
]
"""A column of bars that a column of a file may be mapped to."""


class FilesSourceSpec(Spec):
    """Files of bars, one a symbol: CSV, JSON, Parquet or Feather, compressed or not.

    A file may also hold many symbols; see `where`.

    Attributes:
        path: Folder, absolute or relative to the manifest.
        pattern: File name, with `{symbol}` in it where each symbol has a file of its own.
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
        rows_without_bars: `drop` leaves out the rows that are no bars, such as dividends, notes,
            totals and repeated headers, and reports them; otherwise such a row is an error.
        interval: Length of the files' bars, where the dataset's are longer and are resampled from
            them.
        timezone: IANA name of the zone of timestamps without an offset, and of the days of daily
            bars: `America/New_York`. UTC where it is not given.
        dates: How timestamps are written: `iso`, `day_first`, `month_first`, numbers since 1970
            in `seconds`, `milliseconds`, `microseconds` or `nanoseconds`, or a format of
            `strptime` such as `%d.%m.%Y %H:%M`. ISO 8601, `YYYYMMDD` and numbers since 1970 are
            recognised where it is not given.
        decimal: Mark before the decimals.
        thousands: Mark between groups of three digits; a space stands for every kind of space.
    """

    kind: Literal["files"] = "files"
    path: str
    pattern: str = "{symbol}.csv"
    symbols: dict[str, str] = Field(default_factory=dict)
    columns: dict[BarColumn, str | tuple[str, str]] = Field(default_factory=dict)
    header: Literal["none"] | tuple[str, ...] | None = None
    skip: int = Field(default=0, ge=0)
    where: dict[str, str] = Field(default_factory=dict)
    volume: Literal["none"] | None = None
    rows_without_bars: Literal["error", "drop"] = "error"
    interval: BarInterval | None = None
    timezone: str | None = None
    dates: str | None = None
    decimal: Literal[".", ","] = "."
    thousands: Literal["", ",", ".", " ", "'"] = ""

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


class BundledSourceSpec(Spec):
    """The daily bars that the `arch` package ships: `sp500` and `nasdaq`, 1999-2018.

    A dataset of weekly bars is resampled from them.

    Attributes:
        symbols: Dataset symbol to `sp500` or `nasdaq`.
    """

    kind: Literal["bundled"] = "bundled"
    symbols: dict[str, Literal["sp500", "nasdaq"]]


SourceSpec = Annotated[
    YahooSourceSpec | CcxtSourceSpec | FilesSourceSpec | BundledSourceSpec,
    Field(discriminator="kind"),
]


class Dataset(Spec):
    """A dataset manifest: which bars, and from which sources.

    Attributes:
        name: The name that strategies use.
        interval: Length of a bar.
        calendar: `24/7`, `24/5`, or a code of exchange-calendars such as `XNYS`; sets the periods
            a year.
        day_begins: When a day begins, as `17:00 America/New_York`, where the calendar does not
            say; one that begins at noon or later carries the next date. On `24/7` and `24/5` bars
            are resampled to such days; on every calendar daily bars within two hours of such an
            instant are labelled by the date of its day.
        symbols: The first is the default target.
        start: First day wanted, inclusive (UTC).
        end: Last day wanted, inclusive (UTC).
        sources: Tried in this order.
        periods_per_year: Bars a year, by which returns are annualised, where no calendar fits the
            bars: a number, or `measured` for their number in the weeks that have any.
        quality: The treatment of bars that break a rule: `{missing_open: repair, gaps: error}`;
            the others keep their severity. docs/data-quality.md lists rules and repairs.
        note: Who may use this data.
    """

    name: str = Field(min_length=1)
    interval: BarInterval
    calendar: str
    day_begins: str | None = None
    symbols: tuple[str, ...] = Field(min_length=1)
    start: date | None = None
    end: date | None = None
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    periods_per_year: Literal["measured"] | Annotated[float, Field(gt=0.0)] | None = None
    quality: QualityPolicy = Field(default_factory=dict)
    note: str = ""

    @field_validator("day_begins")
    @classmethod
    def _known_day_begin(cls, text: str | None) -> str | None:
        if text is not None:
            DayBegin.parse(text)
        return text

    @property
    def day_begin(self) -> DayBegin | None:
        """`day_begins`, parsed."""
        return DayBegin.parse(self.day_begins) if self.day_begins else None

    @model_validator(mode="after")
    def _consistent(self) -> Dataset:
        if len(set(self.symbols)) != len(self.symbols):
            raise ValueError("symbols holds one symbol twice")
        if self.start and self.end and self.start >= self.end:
            raise ValueError("start must be before end")
        for rule, treatment in self.quality.items():
            if treatment == "repair" and rule in UNREPAIRABLE_RULES:
                raise ValueError(f"there is no repair of {rule}; say error or warn")
        if (
            self.day_begins
            and self.calendar not in (ALWAYS_OPEN, WEEKDAYS_ONLY)
            and not is_daily_or_longer(self.interval)
        ):
            raise ValueError(
                f"expected no day_begins for bars of {self.interval} on {self.calendar}: the "
                "calendar says when its sessions begin"
            )
        for source in self.sources:
            interval = None if isinstance(source, BundledSourceSpec) else source.interval
            if interval not in (None, self.interval) and not divides(interval, self.interval):
                raise ValueError(_explain_undivided(interval, self.interval))
        return self


class DataSpec(Spec):
    """The data section of a strategy.

    Attributes:
        dataset: Name of a manifest in `datasets/`, or a path to one.
        offline: Dataset used only if no source can be reached and nothing is cached.
        target: Symbol that is traded; the dataset's first where it is not given or, offline,
            where the offline dataset does not have it.
    """

    dataset: str = Field(min_length=1)
    offline: str | None = None
    target: str | None = None


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


def _explain_undivided(interval: BarInterval, longer: BarInterval) -> str:
    if interval == "1w":
        return f"expected sources of at most 1d for {longer}; a week may lie in two of them"
    return (
        f"expected sources whose interval is at most {longer}, the dataset's; "
        f"bars of {interval} cannot be divided"
    )


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
