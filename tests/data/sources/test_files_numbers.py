"""Number formats of files: accepted, declared, and refused."""

from __future__ import annotations

import numpy as np
import pytest

from engine.core.errors import BarsParseError, StrategyError


def test_plain_numbers_of_any_size_are_parsed(reader):
    assert reader.values("11", "11.5", "1.15e1", "-3", " 10.25 ") == [11, 11.5, 11.5, -3, 10.25]


def test_an_empty_cell_is_missing_in_every_format(reader):
    for options in ({}, {"decimal": ",", "thousands": "."}):
        assert str(reader.values("11", "", "null", **options)) == "[11.0, nan, nan]"


@pytest.mark.parametrize(
    ("options", "cells"),
    [
        ({"decimal": ","}, ["1234,5", "0,25", "12", "1,2345e3"]),
        ({"thousands": ","}, ["1,234.5", "0.25", "12", "1234.5"]),
        ({"decimal": ",", "thousands": "."}, ["1.234,5", "0,25", "12", "1234,5"]),
        ({"decimal": ",", "thousands": " "}, ["1 234,5", "0,25", "12", "1\u202f234,5"]),
        ({"thousands": "'"}, ["1'234.5", "0.25", "12", "1234.5"]),
        ({"thousands": " "}, ["1\u00a0234.5", "0.25", "12", "1234.5"]),
    ],
)
def test_a_declared_number_format_is_parsed(reader, options, cells):
    assert reader.values(*cells, **options) == [1234.5, 0.25, 12.0, 1234.5]


@pytest.mark.parametrize(
    ("options", "cell"),
    [
        ({"decimal": ","}, "1.5"),
        ({"decimal": ","}, "1.234,5"),
        ({"thousands": ","}, "1,23"),
        ({"thousands": ","}, "12,34.5"),
        ({"decimal": ",", "thousands": "."}, "106.25"),
        ({"decimal": ",", "thousands": "."}, "1.234.5"),
    ],
)
def test_a_cell_that_breaks_the_declared_format_is_refused(reader, options, cell):
    with pytest.raises(BarsParseError, match="cannot be read") as caught:
        reader.values("1", cell, **options)
    assert caught.value.found == cell
    assert caught.value.where.endswith("X.csv, line 3")
    assert all(f"`{key}: {mark!r}`" in caught.value.expected for key, mark in options.items())


@pytest.mark.parametrize(
    ("cell", "keys"),
    [
        ("1234,5", ["`decimal: ','`"]),
        ("1,234.50", ["`thousands: ','`"]),
        ("1,234,567", ["`thousands: ','`"]),
        ("1.234,50", ["`decimal: ','`", "`thousands: '.'`"]),
        ("1 234,50", ["`decimal: ','`", "`thousands: ' '`"]),
        ("1 234.50", ["`thousands: ' '`"]),
    ],
)
def test_another_number_format_is_refused_with_its_declaration(reader, cell, keys):
    with pytest.raises(BarsParseError) as caught:
        reader.values(cell)
    assert caught.value.rule == "damaged_numbers"
    assert all(key in caught.value.fix for key in keys)
    options = {"decimal": ","} if "decimal" in keys[0] else {}
    if "thousands" in keys[-1]:
        options["thousands"] = keys[-1].split("'")[1]
    assert reader.values(cell, **options)[0] > 1000


def test_an_ambiguous_comma_is_refused_with_both_values(reader):
    with pytest.raises(BarsParseError) as caught:
        reader.values("1,234")
    assert "1234 if the comma groups digits, 1.234 if it is decimal" in caught.value.found
    assert "`thousands: ','` or `decimal: ','`" in caught.value.fix
    assert reader.values("1,234", decimal=",") == [1.234]
    assert reader.values("1,234", thousands=",") == [1234.0]


def test_damaged_numbers_are_counted_and_refused(reader):
    with pytest.raises(BarsParseError, match="and 1 more of its column") as caught:
        reader.values("134", "14.748.800.659.179.600", "13.444.400.024")
    assert "several points" in caught.value.found
    assert (caught.value.rule, caught.value.count) == ("damaged_numbers", 2)


def test_invalid_numbers_and_dates_are_reported_together(reader):
    with pytest.raises(BarsParseError) as caught:
        reader.bars("timestamp,open,high,low,close,volume\n13/01/2020,1.234.567,2,1,1,1\n")
    message = str(caught.value)
    assert message.index("several points") < message.index("`dates: day_first`")


def test_text_gets_no_suggested_declaration(reader):
    with pytest.raises(BarsParseError) as caught:
        reader.values("eleven")
    assert caught.value.rule == "unreadable"
    assert "add `" not in caught.value.fix


def test_decimal_and_thousands_must_differ(reader):
    with pytest.raises(StrategyError) as caught:
        reader.dataset("{kind: files, path: bars, decimal: ',', thousands: ','}")
    assert "different marks" in str(caught.value)


class TestUnits:
    def volumes(self, reader, *cells, **options) -> list[float]:
        lines = "".join(f"2020-01-{n + 1:02};10;12;9;11;{cell}\n" for n, cell in enumerate(cells))
        text = "timestamp;open;high;low;close;volume\n" + lines
        return reader.bars(text, **options)["volume"].tolist()

    def test_suffixes_of_a_volume_are_read_to_the_last_digit_with_a_notice(self, reader):
        cells = ["5.17K", "4.94k", "1.01M", "2.3m", "1.5B", "1B", "980", "0.07T"]
        read = self.volumes(reader, *cells)
        assert read == [5170.0, 4940.0, 1.01e6, 2.3e6, 1.5e9, 1e9, 980.0, 0.07e12]
        assert reader.notices == [
            "files: a volume such as 5.17K is read as 5.17 thousand (in X.csv)"
        ]
        assert self.volumes(reader, "5,17K", "1.234,5", decimal=",", thousands=".") == [
            5170,
            1234.5,
        ]

    @pytest.mark.parametrize("dash", ["-", "--", "\u2014", "\u2013"])
    def test_a_dash_is_an_empty_cell(self, reader, dash):
        assert str(self.volumes(reader, "5.17K", dash)) == "[5170.0, nan]"
        assert str(reader.values("11", dash)) == "[11.0, nan]"

    @pytest.mark.parametrize("sign", "$\u20ac\u00a3\u00a5")
    def test_a_currency_beside_a_price_is_read_with_a_notice(self, reader, sign):
        assert reader.values(f"{sign}11.5", f"12.25 {sign}", "13") == [11.5, 12.25, 13.0]
        notice = f"a close such as {sign}11.5 is read without the sign of the currency"
        assert reader.notices == [f"files: {notice} (in X.csv)"]
        assert reader.values(f"{sign}1,234.5", f"-{sign}3", thousands=",") == [1234.5, -3.0]
        with pytest.raises(BarsParseError) as caught:
            reader.values(f"{sign}1,234.50")
        assert "`thousands: ','`" in caught.value.fix

    def test_two_currencies_are_refused(self, reader):
        with pytest.raises(BarsParseError) as caught:
            reader.values("$11.5", "\u20ac12")
        assert caught.value.found == "$11.5"

    @pytest.mark.parametrize(("cell", "words"), [("57.1K", "is rounded"), ("0.41%", "per cent")])
    def test_a_price_that_is_rounded_or_a_change_is_refused(self, reader, cell, words):
        with pytest.raises(BarsParseError) as caught:
            reader.values("11", cell)
        assert caught.value.found == cell
        assert words in caught.value.fix
        assert "map another column to close" in caught.value.fix

    @pytest.mark.parametrize("cell", ["5.17Q", "5K7", "K", "1_000", "0x10", "5 17", "1e5K"])
    def test_other_letters_are_no_units(self, reader, cell):
        with pytest.raises(BarsParseError) as caught:
            self.volumes(reader, "1", cell)
        assert caught.value.where.endswith("line 3")


@pytest.mark.parametrize("options", [{}, {"thousands": ","}])
def test_every_number_is_the_nearest_float_of_its_text(reader, options):
    """The reader of pandas is off by a unit in the last place for one of some thousand texts."""
    rng = np.random.default_rng(7)
    texts = [
        *(f"{value:.{digits}f}" for digits in (2, 5, 8) for value in rng.lognormal(3, 4, 700)),
        *(repr(float(value)) for value in rng.lognormal(0, 20, 700)),
        *("9007199254740993", "0.1", "1e-300", "1.7976931348623157e308", "36413.600000000006"),
    ]
    assert reader.values(*texts, **options) == [float(text) for text in texts]
