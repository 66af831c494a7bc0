"""Files of interest rates: which cells are read as which rates, and which are refused."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import UsageError
from engine.data.rates.rate_file import read_rate_file
from tests.data.rates.rate_files import series, write_rates

if TYPE_CHECKING:
    from pathlib import Path

ROWS = {"2024-01-02": "5.25", "2024-01-03": "5.5"}


def read(file: Path, **settings: object):
    return read_rate_file(series(file, **settings), "rates.risk_free")


def refused(file: Path, **settings: object) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(file, **settings)
    assert caught.value.exit_code == 2
    assert caught.value.expected
    assert caught.value.found
    assert "rates.risk_free" in caught.value.where
    assert caught.value.fix
    return caught.value


@pytest.mark.parametrize(
    ("unit", "cells"), [("percent", ("5.25", "-0.5")), ("fraction", ("0.0525", "-0.005"))]
)
def test_a_rate_is_a_fraction_a_year_whatever_its_unit(tmp_path, unit, cells) -> None:
    file = write_rates(tmp_path / "r.csv", dict(zip(ROWS, cells, strict=True)))
    assert read(file, unit=unit).values == pytest.approx([0.0525, -0.005], abs=1e-15)


def test_rows_are_in_the_order_of_their_dates_and_days_without_a_rate_are_left_out(
    tmp_path,
) -> None:
    rows = {"2024-01-05": "3", "2024-01-02": "1", "2024-01-03": ".", "2024-01-04": ""}
    found = read(write_rates(tmp_path / "r.csv", rows))
    assert list(found.values) == [0.01, 0.03]
    assert list(found.dates.astype("datetime64[D]").astype(str)) == ["2024-01-02", "2024-01-05"]


def test_the_hash_is_that_of_the_bytes(tmp_path) -> None:
    file = write_rates(tmp_path / "r.csv", ROWS)
    assert read(file).sha256 == hashlib.sha256(file.read_bytes()).hexdigest()


def test_the_first_column_holds_the_dates_unless_another_is_named(tmp_path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("rate,observed\n1.5,2024-01-02\n")
    assert read(file, date="observed").values == [0.015]
    assert refused(file).found == "1.5"


def test_an_instant_with_an_offset_is_that_instant_in_utc(tmp_path) -> None:
    found = read(write_rates(tmp_path / "r.csv", {"2024-01-02T16:00:00-05:00": "1"}))
    assert found.dates[0] == np.datetime64("2024-01-02T21:00")


def test_a_missing_file_is_named(tmp_path) -> None:
    error = refused(tmp_path / "none.csv")
    assert "none.csv" in error.found
    assert "relative to the strategy file" in error.fix


def test_a_missing_column_is_told_with_those_there_are(tmp_path) -> None:
    error = refused(write_rates(tmp_path / "r.csv", ROWS), column="DTB3")
    assert error.expected == "one of date, rate"
    assert error.found == "DTB3"


def test_an_empty_column_is_no_series(tmp_path) -> None:
    assert "1 rows" in refused(write_rates(tmp_path / "r.csv", {"2024-01-02": "."})).found


@pytest.mark.parametrize(
    ("rows", "found", "line"),
    [
        ({"2024-01-02": "5", "2024-01-03": "five"}, "five", "line 3"),
        ({"2024-01-02": "5", "02.01.2024": "5"}, "02.01.2024", "line 3"),
        ({"2024-01-02": ".", "2024-01-03": "70"}, "70", "line 3"),
        ({"2024-01-02": "inf"}, "inf", "line 2"),
    ],
)
def test_a_cell_that_is_no_rate_or_no_date_is_named_with_its_line(
    tmp_path, rows, found, line
) -> None:
    error = refused(write_rates(tmp_path / "r.csv", rows))
    assert error.found == found
    assert line in error.where


def test_a_date_stands_once(tmp_path) -> None:
    file = tmp_path / "r.csv"
    file.write_text("date,rate\n2024-01-02,1\n2024-01-02,2\n")
    assert refused(file).found == "2024-01-02"


def test_percentages_taken_for_fractions_are_told(tmp_path) -> None:
    error = refused(write_rates(tmp_path / "r.csv", ROWS), unit="fraction")
    assert error.found == "5.25"
    assert "unit: percent" in error.fix
    assert error.problem.startswith("2 rates of the file are ")
    one = refused(write_rates(tmp_path / "r.csv", {"2024-01-02": "5.25"}), unit="fraction")
    assert one.problem == "A rate of the file is implausible in its unit"


@pytest.mark.parametrize(
    ("separator", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")]
)
@pytest.mark.parametrize("rate", ["5.25", "5,25"])
def test_another_separator_is_named(tmp_path, separator, name, rate) -> None:
    file = tmp_path / "r.csv"
    file.write_text(f"date{separator}rate\n2024-01-02{separator}{rate}\n")
    error = refused(file)
    assert name in error.problem
    assert "commas" in error.expected
    assert error.found == f"date{separator}rate"


@pytest.mark.parametrize(
    "content", [b"", b"\n", b"\x00\xff\xfe\x80 \x00\n\x00", b"PK\x03\x04\x9c"]
)
def test_a_file_that_is_no_table_is_refused_with_a_fix(tmp_path, content) -> None:
    file = tmp_path / "r.csv"
    file.write_bytes(content)
    error = refused(file)
    assert "CSV" in error.fix
    assert (error.found == "an empty file") == (not content.strip())
