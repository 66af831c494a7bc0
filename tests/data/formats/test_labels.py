"""Bars labelled by their close are moved to their open."""

from __future__ import annotations

import pytest

from tests.data.sources.file_reader import FileReader


@pytest.fixture
def reader(tmp_path):
    return FileReader(tmp_path)


def stamps(reader, cells, interval, **keys):
    lines = "".join(f"{cell},10,12,9,11,5\n" for cell in cells)
    text = "timestamp,open,high,low,close,volume\n" + lines
    frame = reader.raw(text, interval=interval, label="close", **keys)
    return [f"{stamp:%Y-%m-%d %H:%M}" for stamp in frame["timestamp"]]


def test_a_bar_begins_one_interval_before_its_close(reader):
    cells = ["2024-03-08 15:00", "2024-03-08 16:00", "2024-03-08 18:00"]
    assert stamps(reader, cells, "1h") == [
        *("2024-03-08 14:00", "2024-03-08 15:00", "2024-03-08 17:00"),
    ]


def test_a_shorter_last_bar_begins_where_the_one_before_it_ended(reader):
    """New York's last hour has half an hour: closes at 20:30 and 21:00 UTC."""
    cells = ["2024-03-08 19:30", "2024-03-08 20:30", "2024-03-08 21:00"]
    assert stamps(reader, cells, "1h")[1:] == ["2024-03-08 19:30", "2024-03-08 20:30"]


def test_the_order_of_rows_does_not_matter(reader):
    cells = ["2024-03-08 21:00", "2024-03-08 20:30", "2024-03-08 19:30"]
    assert stamps(reader, cells, "1h")[0] == "2024-03-08 20:30"


@pytest.mark.parametrize(
    ("cell", "zone", "day"),
    [
        ("2024-03-08 23:59:59", None, "2024-03-08"),
        ("2024-03-09 00:00:00", None, "2024-03-08"),
        ("2024-03-08", None, "2024-03-08"),
        ("2024-03-08 16:00", "America/New_York", "2024-03-08"),
        ("2024-03-09 05:00:00+00:00", "America/New_York", "2024-03-08"),
        ("1709942400", None, "2024-03-08"),
    ],
)
def test_a_day_is_the_one_that_ends_with_the_timestamp(reader, cell, zone, day):
    assert stamps(reader, [cell], "1d", timezone=zone) == [f"{day} 00:00"]


@pytest.mark.parametrize(
    ("cell", "monday"),
    [
        ("2024-03-08", "2024-03-04"),
        ("2024-03-10", "2024-03-04"),
        ("2024-03-11", "2024-03-04"),
        ("2024-03-11 00:00:00", "2024-03-04"),
        ("2024-03-04 00:00:01", "2024-03-04"),
    ],
)
def test_a_week_is_labelled_by_its_monday(reader, cell, monday):
    assert stamps(reader, [cell], "1w") == [f"{monday} 00:00"]


def test_units_of_numbers_since_1970_may_change_within_a_file(reader):
    cells = [1735682400, 1735686000000, 1735689600000000, 1735693200000000000]
    lines = "".join(f"{cell},10,12,9,11,5\n" for cell in cells)
    text = "timestamp,open,high,low,close,volume\n" + lines
    frame = reader.raw(text, interval="1h", dates="epoch")
    assert [f"{stamp:%m-%d %H:%M}" for stamp in frame["timestamp"]] == [
        *("12-31 22:00", "12-31 23:00", "01-01 00:00", "01-01 01:00"),
    ]
