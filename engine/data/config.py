"""The keys of a dataset manifest, and the data section of a strategy."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import Field, ValidationInfo, field_validator, model_validator

from engine.core.types import Spec
from engine.data.bar_times import TradingTimes
from engine.data.bars import NO_DELAY
from engine.data.bundled_config import BundledSourceSpec
from engine.data.calendar import ALWAYS_OPEN, BarInterval, is_daily_or_longer
from engine.data.exchanges_config import Currency, check_exchanges, is_empty, is_none
from engine.data.file_names import FileNameText
from engine.data.files_config import FilesSourceSpec
from engine.data.intervals import divides
from engine.data.quality_config import UNREPAIRABLE_RULES, QualityPolicy
from engine.data.sessions import WEEKDAYS_ONLY, DayBegin
from engine.data.universe_config import DelistingSpec, GroupsSpec, MembersSpec


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
    symbols: dict[str, FileNameText] = Field(default_factory=dict)
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
    symbols: dict[str, FileNameText] = Field(default_factory=dict)
    funding: bool = False
    interval: BarInterval | None = None


SourceSpec = Annotated[
    YahooSourceSpec | CcxtSourceSpec | FilesSourceSpec | BundledSourceSpec,
    Field(discriminator="kind"),
]


YAHOO_DELAY = pd.Timedelta(minutes=30)
"""Yahoo's prices come up to 20 minutes late, and a closing auction takes some minutes."""


def publication_delay(source: SourceSpec) -> pd.Timedelta:
    """How long after the close of a session a source may still change its bar."""
    return YAHOO_DELAY if isinstance(source, YahooSourceSpec) else NO_DELAY


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
        calendars: Symbol -> its calendar, where it is not `calendar`; daily bars alone.
        currency: Currency of the book, such as `USD`; needed where a symbol has another.
        currencies: Symbol -> the currency of its prices, where it is not `currency`.
        fx: Currency -> the symbol of this dataset whose closes are the units of `currency` for one
            unit of it. Such a symbol converts prices, and is neither traded nor a feature.
        start: First day wanted, inclusive (UTC).
        end: Last day wanted, inclusive (UTC).
        sources: Tried in this order.
        periods_per_year: Bars a year, by which returns are annualised, where no calendar fits the
            bars: a number, or `measured` for their number in the weeks that have any.
        quality: The treatment of bars that break a rule: `{missing_open: repair, gaps: error}`;
            the others keep their severity. docs/data-quality.md lists rules and repairs.
        note: Who may use this data.
        members: The universe as it was known at each close, for a strategy of several symbols;
            left out, every symbol always belongs to it.
        delisting: When a symbol that has no bars any more counts as delisted, and what is paid.
        groups: Groups of the symbols by columns, such as sectors, which strategies name.
    """

    name: FileNameText
    interval: BarInterval
    calendar: str
    day_begins: str | None = None
    symbols: tuple[FileNameText, ...] = Field(min_length=1)
    calendars: dict[FileNameText, str] = Field(default_factory=dict, exclude_if=is_empty)
    currency: Currency | None = Field(default=None, exclude_if=is_none)
    currencies: dict[FileNameText, Currency] = Field(default_factory=dict, exclude_if=is_empty)
    fx: dict[Currency, FileNameText] = Field(default_factory=dict, exclude_if=is_empty)
    start: date | None = None
    end: date | None = None
    sources: tuple[SourceSpec, ...] = Field(min_length=1)
    periods_per_year: Literal["measured"] | Annotated[float, Field(gt=0.0)] | None = None
    quality: QualityPolicy = Field(default_factory=dict)
    note: str = ""
    members: MembersSpec | None = Field(default=None, exclude_if=lambda members: members is None)
    delisting: DelistingSpec = Field(
        default=DelistingSpec(), exclude_if=lambda delisting: delisting == DelistingSpec()
    )
    groups: GroupsSpec | None = Field(default=None, exclude_if=lambda groups: groups is None)

    @field_validator("delisting")
    @classmethod
    def _known_symbols(cls, delisting: DelistingSpec, info: ValidationInfo) -> DelistingSpec:
        unknown = [
            name for name in delisting.by_symbol if name not in info.data.get("symbols", ())
        ]
        if unknown:
            raise ValueError(
                f"expected symbols of the dataset in delisting.by_symbol, found {unknown[0]}"
            )
        return delisting

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

    @property
    def bar_times(self) -> TradingTimes:
        """When its bars open and close."""
        return TradingTimes(self.interval, self.calendar, self.day_begin)

    @property
    def has_own_clocks(self) -> bool:
        """Whether its symbols have several calendars or currencies."""
        others = (calendar != self.calendar for calendar in self.calendars.values())
        return any(others) or bool(self.rate_symbols)

    @property
    def rate_symbols(self) -> dict[str, str]:
        """Symbol in another currency -> the symbol that converts its prices."""
        return {
            symbol: self.fx[currency]
            for symbol, currency in self.currencies.items()
            if currency != self.currency
        }

    @property
    def traded_symbols(self) -> tuple[str, ...]:
        """The symbols that are no exchange rates."""
        rates = set(self.rate_symbols.values())
        return tuple(symbol for symbol in self.symbols if symbol not in rates)

    def choose_target(self, named: str | None) -> str:
        """The symbol that is traded alone: the named one, or the first."""
        traded = self.traded_symbols
        return named if named in traded else traded[0]

    def calendar_of(self, symbol: str) -> str:
        """The calendar of a symbol."""
        return self.calendars.get(symbol, self.calendar)

    def of_symbol(self, symbol: str) -> Dataset:
        """The dataset as it is for one of its symbols: on the calendar of that symbol."""
        calendar = self.calendar_of(symbol)
        return (
            self if calendar == self.calendar else self.model_copy(update={"calendar": calendar})
        )

    @property
    def publication_delay(self) -> pd.Timedelta:
        """How long after the close of a session the slowest of the sources has its bar."""
        return max(publication_delay(source) for source in self.sources)

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
        check_exchanges(self)
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
        targets: Symbols that are traded as one book, as `scope` and `portfolio` say: a list, or
            `all` of the dataset. Offline, those that the offline dataset has, and all of it where
            it has none; a list of one is the same as that `target`. Instead of `target`.
    """

    dataset: str = Field(min_length=1)
    offline: str | None = None
    target: str | None = None
    targets: Literal["all"] | tuple[str, ...] | None = Field(
        default=None, exclude_if=lambda targets: targets is None
    )

    @field_validator("targets", mode="before")
    @classmethod
    def _refuse_one_name(cls, targets: object) -> object:
        if isinstance(targets, str) and targets != "all":
            raise ValueError(f"`all`, or a list of symbols such as [{targets}]")
        return tuple(targets) if isinstance(targets, list) else targets

    @field_validator("targets")
    @classmethod
    def _check_targets(cls, targets: object, info: ValidationInfo) -> object:
        if targets is None:
            return targets
        if info.data.get("target") is not None:
            raise ValueError(
                f"either `target` or `targets`; target is {info.data['target']} beside it"
            )
        if isinstance(targets, tuple) and not targets:
            raise ValueError("`all`, or a list of at least one symbol; the list is empty")
        if isinstance(targets, tuple) and len(set(targets)) < len(targets):
            twice = sorted({each for each in targets if targets.count(each) > 1})
            raise ValueError(f"each symbol once; {', '.join(twice)} is there twice")
        return targets

    @property
    def is_book(self) -> bool:
        """Whether several symbols are traded as one book."""
        return self.targets == "all" or (self.targets is not None and len(self.targets) > 1)

    @property
    def single_target(self) -> str | None:
        """The symbol that is traded alone, where it is named."""
        if isinstance(self.targets, tuple) and len(self.targets) == 1:
            return self.targets[0]
        return self.target

    def identity(self) -> dict[str, Any]:
        """What decides the results: a list in any order, and one symbol, are one choice."""
        tree = self.model_dump(mode="json")
        if not isinstance(self.targets, tuple):
            return tree
        if len(self.targets) == 1:
            tree.pop("targets")
            return tree | {"target": self.targets[0]}
        return tree | {"targets": sorted(self.targets)}


def _explain_undivided(interval: BarInterval, longer: BarInterval) -> str:
    if interval == "1w":
        return f"expected sources of at most 1d for {longer}; a week may lie in two of them"
    return (
        f"expected sources whose interval is at most {longer}, the dataset's; "
        f"bars of {interval} cannot be divided"
    )
