"""Number formats of files: accepted, declared, and refused."""

from __future__ import annotations

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
