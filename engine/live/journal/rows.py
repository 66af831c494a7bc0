"""The rows of the journal, as values.

Money and units are for an initial equity of 1, as in `engine.Account`: times `AccountRow.capital`
they are those of the account. Instants are UTC.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

import pandas as pd

from engine.core.errors import JournalError

if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Mapping


OrderStatus: TypeAlias = Literal["placed", "deferred", "missed"]


@dataclass(frozen=True)
class AccountRow:
    """A paper account as it was started; nothing of it changes later.

    Attributes:
        name: Its name.
        created_at: When it was started: its history has the bars that were complete then.
        strategy: Name of the strategy.
        specification: All of the strategy, as JSON.
        dataset: Name of the dataset.
        manifest: Its manifest, as JSON: `path` and `dataset`.
        offline: Whether the strategy's offline dataset is used.
        interval: Length of a bar.
        calendar: `24/7` or a code of exchange-calendars.
        capital: Equity at the start, in the currency of the bars.
        settings: Its `PaperSettings`, as JSON.
        certified_by: Id of the run whose leakage test passed.
        history_hash: SHA-256 of the file that keeps the history.
        history_last: Last bar of the history.
    """

    name: str
    created_at: pd.Timestamp
    strategy: str
    specification: str
    dataset: str
    manifest: str
    offline: bool
    interval: str
    calendar: str
    capital: float
    settings: str
    certified_by: str
    history_hash: str
    history_last: pd.Timestamp


@dataclass(frozen=True)
class BarRow:
    """A bar of one symbol as the account received it; see `bars` in `engine.core.types`."""

    account: str
    bar: pd.Timestamp
    symbol: str
    open: float
    high: float
    low: float
    close: float
    volume: float
    received_at: pd.Timestamp


@dataclass(frozen=True)
class ArrivalRow:
    """A bar as its source has it, of an account whose symbols trade on several exchanges.

    Attributes:
        number: Ascending, in the order of arrival.
        account: The account.
        symbol: Its symbol, which may be an exchange rate.
        bar: Its own timestamp; a row of the account may have another.
        open: In the currency of the symbol, as the other prices.
        high: The highest price.
        low: The lowest price.
        close: The last price.
        volume: In units; NaN where the source has none.
        received_at: When it was there.
        after_bar: The row that was decided last by then: later ones alone are made of it.
    """

    number: int
    account: str
    symbol: str
    bar: pd.Timestamp
    open: float
    high: float
    low: float
    close: float
    volume: float
    received_at: pd.Timestamp
    after_bar: pd.Timestamp


@dataclass(frozen=True)
class FundingRow:
    """A funding rate as it came.

    Attributes:
        number: Ascending, in the order of arrival.
        account: The account.
        symbol: The perpetual.
        due_at: When the payment was due.
        rate: Fraction of a position's value that longs pay to shorts.
        received_at: When it was there.
        after_bar: The bar that was decided last by then: a payment due after its close is charged
            at its own bar, an earlier one is corrected at the next.
    """

    number: int
    account: str
    symbol: str
    due_at: pd.Timestamp
    rate: float
    received_at: pd.Timestamp
    after_bar: pd.Timestamp


@dataclass(frozen=True)
class DecisionRow:
    """What was decided at the close of one bar.

    Attributes:
        account: The account.
        bar: The bar.
        decided_at: When.
        late: Whether that was later than the end of the bar and the grace time.
        row: What was known: `window`, `predicted` (symbol -> return; null without a fit),
            `quantiles` (level -> symbol -> return).
        targets: Symbol -> target weight.
        state: `LoopState` after the bar, as JSON.
    """

    account: str
    bar: pd.Timestamp
    decided_at: pd.Timestamp
    late: bool
    row: Mapping[str, Any]
    targets: Mapping[str, float]
    state: str


@dataclass(frozen=True)
class OrderRow:
    """An order that was decided at the close of `bar`.

    Attributes:
        account: The account.
        bar: The bar whose close decided it.
        symbol: What is traded.
        target_weight: Share of the equity to hold; negative is short.
        due_in_bars: Bars from the decision to the fill; 1 is the next bar.
        status: `placed` in time; `deferred` to a later bar, because its price had passed when it
            was decided; `missed`, and never filled, for the same reason.
        not_before: As of `engine.signals.orders.Order`.
    """

    account: str
    bar: pd.Timestamp
    symbol: str
    target_weight: float
    due_in_bars: int
    status: OrderStatus
    not_before: pd.Timestamp | None = None


@dataclass(frozen=True)
class FillRow:
    """A fill, with the fields of `engine.Fill`.

    Attributes:
        account: The account.
        bar: Bar of the fill.
        number: Its place among the fills of the bar, from 0.
        symbol: What was traded.
        side: `buy` or `sell`.
        size: Units, positive.
        price: Price with slippage.
        fee: Fee.
        slippage_cost: What the slippage cost.
        equity: Of the account before the bar's first fill.
        margin_call: Whether a margin call placed the order.
        decided_on: Bar whose close decided the order; None after a margin call.
    """

    account: str
    bar: pd.Timestamp
    number: int
    symbol: str
    side: str
    size: float
    price: float
    fee: float
    slippage_cost: float
    equity: float
    margin_call: bool
    decided_on: pd.Timestamp | None


@dataclass(frozen=True)
class EquityRow:
    """The account at the close of a bar.

    Attributes:
        account: The account.
        bar: The bar.
        equity: 1 at the start.
        cash: Cash.
        holdings: Symbol -> `units`, `close` and `weight`.
    """

    account: str
    bar: pd.Timestamp
    equity: float
    cash: float
    holdings: Mapping[str, Mapping[str, float]]


@dataclass(frozen=True)
class EventRow:
    """Something that happened to an account.

    Attributes:
        number: Ascending.
        account: The account.
        at: When.
        kind: One of `EVENT_KINDS`.
        bar: The bar that it is about, where it is about one.
        detail: What more is known.
    """

    number: int
    account: str
    at: pd.Timestamp
    kind: str
    bar: pd.Timestamp | None
    detail: Mapping[str, Any]


def finite_or_none(value: float) -> float | None:
    """The number for JSON, which has no NaN: a forecast without a fit, a volume not known."""
    return value if math.isfinite(value) else None


def format_instant(instant: pd.Timestamp) -> str:
    """ISO 8601 in UTC with microseconds, so that texts sort as instants do."""
    return instant.tz_convert("UTC").isoformat(timespec="microseconds")


def parse_stored_instant(text: str) -> pd.Timestamp:
    """The instant that `format_instant` wrote."""
    return pd.Timestamp(text).as_unit("us")


_INSTANTS = {
    *("created_at", "history_last", "bar", "received_at", "decided_at", "at", "decided_on"),
    *("after_bar", "not_before", "due_at"),
}
_DOCUMENTS = {"row", "targets", "holdings", "detail"}
_FLAGS = {"offline", "late", "margin_call"}
_NUMBERS = {
    *("open", "high", "low", "close", "volume", "capital", "equity", "cash"),
    *("target_weight", "due_in_bars", "number", "size", "price", "fee", "slippage_cost"),
    "rate",
}
_MAY_BE_UNKNOWN = {"open", "high", "low", "volume"}
"""NaN in a bar, null in the file."""
_MAY_BE_NULL = {*_MAY_BE_UNKNOWN, "decided_on", "not_before"}


class DamagedRowError(JournalError):
    """A row that the engine did not write; others can be read."""


def damaged_row_error(expected: str, found: str, where: str) -> DamagedRowError:
    """The error of a row that the engine did not write."""
    return DamagedRowError(
        "a row of the journal of paper accounts is damaged",
        expected=expected,
        found=found,
        where=where,
        fix="restore a backup of the folder accounts, or start another account",
    )


def from_sqlite(table: str, row: sqlite3.Row) -> dict[str, Any]:
    """The columns of a row of a table as the fields of its class.

    Raises:
        DamagedRowError: A value is none that `to_sqlite` gives.
    """
    values: dict[str, Any] = dict(row)
    for name, value in values.items():
        if value is None and (name in _MAY_BE_NULL or (table == "events" and name == "bar")):
            values[name] = math.nan if name in _MAY_BE_UNKNOWN else None
            continue
        try:
            values[name] = _read_value(name, value)
        except (ValueError, TypeError) as error:
            of = [f"{key} {row[key]}" for key in ("account", "name", "bar") if key in row.keys()]  # noqa: SIM118 - a row iterates over its values
            where = ", ".join([f"table {table}", *of, f"column {name}"])
            # A document may have addresses.
            found = "another text" if name in _DOCUMENTS else repr(value)
            raise damaged_row_error(str(error), found, where) from error
    return values


def _read_value(name: str, value: object) -> object:
    """A value of a column; the message of its error says what was expected."""
    if name in _NUMBERS or name in _FLAGS:
        if not isinstance(value, int | float):
            raise TypeError("a number")
        return bool(value) if name in _FLAGS else value
    if not isinstance(value, str):
        raise TypeError("a text")
    if name in _INSTANTS:
        return _read_instant(value)
    return _read_document(name, value) if name in _DOCUMENTS else value


def _read_instant(text: str) -> pd.Timestamp:
    try:
        instant = parse_stored_instant(text)
        is_one = instant.tz is not None  # that of NaT is None
    except ValueError:
        is_one = False
    if not is_one:
        raise ValueError("an instant in UTC, ISO 8601")
    return instant


def _read_document(name: str, text: str) -> dict[str, Any]:
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise ValueError("an object of JSON")
    if name == "targets" and not all(isinstance(each, int | float) for each in document.values()):
        raise ValueError("a number for each symbol")
    return document


def to_sqlite(row: object) -> dict[str, Any]:
    """The fields of a row as values of its table."""
    return encode_values(vars(row))


def encode_values(row: Mapping[str, Any]) -> dict[str, Any]:
    """Named values as those of a table."""
    values = dict(row)
    for name, value in values.items():
        if name in _INSTANTS and value is not None:
            values[name] = format_instant(value)
        elif name in _DOCUMENTS:
            values[name] = json.dumps(value, allow_nan=False)
        elif name in _MAY_BE_UNKNOWN and math.isnan(value):
            values[name] = None
    return values
