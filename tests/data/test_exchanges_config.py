"""The keys of a dataset about exchanges and currencies."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from engine.data.annualisation import annualise_union
from engine.data.config import Dataset
from tests.data.exchanges import daily_bars

KEYS = {
    "name": "world",
    "interval": "1d",
    "calendar": "XNYS",
    "symbols": ["AAPL", "7203.T", "JPYUSD"],
    "sources": [{"kind": "yahoo"}],
}
CURRENCIES = {
    "calendars": {"7203.T": "XTKS", "JPYUSD": "24/5"},
    "currency": "USD",
    "currencies": {"7203.T": "JPY"},
    "fx": {"JPY": "JPYUSD"},
}


def test_a_symbol_has_its_calendar_and_its_rate() -> None:
    dataset = Dataset.model_validate(KEYS | CURRENCIES)
    assert dataset.has_own_clocks
    assert dataset.calendar_of("AAPL") == "XNYS"
    assert dataset.of_symbol("7203.T").bar_times.calendar == "XTKS"
    assert dataset.of_symbol("AAPL") is dataset
    assert dataset.rate_symbols == {"7203.T": "JPYUSD"}


def test_a_dataset_of_one_calendar_and_currency_is_written_as_before() -> None:
    written = Dataset.model_validate(KEYS).model_dump(mode="json")
    assert not {"calendars", "currency", "currencies", "fx"} & set(written)
    same = Dataset.model_validate(KEYS | {"calendars": {"AAPL": "XNYS"}})
    assert not same.has_own_clocks


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"fx": {}}, "expected a series in `fx` for each but USD, found none for JPY"),
        ({"currency": None}, "expected `currency`, that of the book"),
        ({"fx": {"JPY": "USDJPY"}}, "fx: expected symbols of the dataset"),
        ({"calendars": {"SONY": "XTKS"}}, "calendars: expected symbols of the dataset"),
        ({"currencies": {"SONY": "JPY"}}, "currencies: expected symbols of the dataset"),
        ({"fx": {"JPY": "JPYUSD", "EUR": "AAPL"}}, "fx: expected currencies of symbols"),
        ({"currencies": {"7203.T": "JPY", "JPYUSD": "JPY"}}, "expected none of a symbol that is"),
        ({"interval": "1h"}, "expected daily bars with `calendars`"),
        ({"day_begins": "17:00 America/New_York"}, "expected no day_begins beside `calendars`"),
        (
            {"sources": [{"kind": "yahoo", "interval": "1h"}]},
            "expected sources of daily bars with `calendars`",
        ),
        ({"currencies": {"7203.T": "yen"}}, "currencies"),
    ],
)
def test_what_contradicts_itself_is_refused(changes, message) -> None:
    with pytest.raises(ValidationError, match=message):
        Dataset.model_validate(KEYS | CURRENCIES | changes)


@pytest.mark.parametrize(
    ("calendars", "shared", "days"),
    [
        (["XNYS", "XNYS"], False, 252),
        (["XNYS", "24/7"], False, 365),
        (["XNYS", "24/7"], True, 252),
        (["XNYS", "XTKS"], False, 260),
        (["XNYS", "XTKS"], True, 237),
    ],
)
def test_a_book_has_a_bar_where_one_of_its_exchanges_is_open(calendars, shared, days) -> None:
    stamps = daily_bars("X", "XNYS", 300)["timestamp"]
    found = annualise_union(stamps, calendars, shared=shared)
    assert found.periods_per_year == days
    assert found.basis == "calendar"
    declared = annualise_union(stamps, calendars, 250.0, shared=shared)
    assert (declared.periods_per_year, declared.basis) == (250.0, "declared")
