"""The keys of a dataset about symbols on several exchanges and in several currencies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Protocol

from pydantic import StringConstraints

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

Currency = Annotated[str, StringConstraints(pattern="^[A-Z]{3,5}$")]
"""A code such as `USD`, `GBP` or `USDT`."""


def is_empty(value: object) -> bool:
    """Whether a key is not given, so that it is no part of an identity."""
    return not value


def is_none(value: object) -> bool:
    """Whether a key is not given, so that it is no part of an identity."""
    return value is None


class ExchangeKeys(Protocol):
    """The keys of a dataset that are checked together."""

    @property
    def interval(self) -> str:
        """Length of a bar."""

    @property
    def symbols(self) -> tuple[str, ...]:
        """All of them."""

    @property
    def calendars(self) -> Mapping[str, str]:
        """Symbol -> its calendar."""

    @property
    def currency(self) -> str | None:
        """Of the book."""

    @property
    def currencies(self) -> Mapping[str, str]:
        """Symbol -> its currency."""

    @property
    def fx(self) -> Mapping[str, str]:
        """Currency -> the symbol that converts it."""

    @property
    def sources(self) -> Sequence[object]:
        """Where bars come from."""

    @property
    def day_begins(self) -> str | None:
        """When a day begins."""


def check_exchanges(dataset: ExchangeKeys) -> None:
    """Refuses calendars and currencies that say nothing or contradict each other.

    Raises:
        ValueError: A symbol is unknown, a currency has no series, or the bars are not daily ones
            of a source.
    """
    _check_known("calendars", dataset.calendars, dataset)
    _check_known("currencies", dataset.currencies, dataset)
    _check_known("fx", dataset.fx.values(), dataset)
    if dataset.calendars and dataset.interval != "1d":
        raise ValueError(
            f"expected daily bars with `calendars`, found interval {dataset.interval}: bars of "
            "one date are joined by their closes; use interval 1d, or a dataset for each calendar"
        )
    if dataset.calendars and any(
        getattr(source, "interval", None) not in (None, "1d") for source in dataset.sources
    ):
        raise ValueError(
            "expected sources of daily bars with `calendars`, found one whose bars are resampled; "
            "resample each symbol in a dataset of its own"
        )
    if dataset.calendars and dataset.day_begins:
        raise ValueError(
            f"expected no day_begins beside `calendars`, found {dataset.day_begins}: each "
            "calendar says when its days begin"
        )
    _check_currencies(dataset)


def _check_known(key: str, symbols: Iterable[str], dataset: ExchangeKeys) -> None:
    unknown = sorted(set(symbols) - set(dataset.symbols))
    if unknown:
        raise ValueError(
            f"{key}: expected symbols of the dataset ({', '.join(dataset.symbols)}), found "
            f"{', '.join(unknown)}"
        )


def _check_currencies(dataset: ExchangeKeys) -> None:
    if (dataset.currencies or dataset.fx) and dataset.currency is None:
        raise ValueError(
            "expected `currency`, that of the book, beside `currencies` and `fx`; found none"
        )
    foreign = {each for each in dataset.currencies.values() if each != dataset.currency}
    missing = sorted(foreign - set(dataset.fx))
    if missing:
        raise ValueError(
            f"currencies: expected a series in `fx` for each but {dataset.currency}, found none "
            f"for {', '.join(missing)}; add a symbol whose closes are the {dataset.currency} for "
            f"one {missing[0]}, and `fx: {{{missing[0]}: SYMBOL}}`"
        )
    unused = sorted(set(dataset.fx) - foreign)
    if unused:
        raise ValueError(f"fx: expected currencies of symbols, found {', '.join(unused)}")
    rates = set(dataset.fx.values())
    converted = sorted(rates & set(dataset.currencies))
    if converted:
        raise ValueError(
            f"currencies: expected none of a symbol that is a rate, found {', '.join(converted)}"
        )
    if not set(dataset.symbols) - rates:
        raise ValueError("symbols: expected one that is no rate, found rates alone")
