from __future__ import annotations

import gzip
import io

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError, UnreachableError
from engine.core.progress import NullProgress
from engine.data.bars import normalise_bars
from engine.data.files_config import FilesSourceSpec
from engine.data.quality import CheckSettings, check_bars
from engine.data.sources.base import BarRequest
from engine.data.sources.files import FilesBarSource
from tests.data.datasets import NOW

HEADER = "timestamp,open,high,low,close,volume\n"
DAYS = list(pd.date_range("2020-01-01", periods=3, tz="UTC"))


@pytest.fixture
def read(tmp_path):
    def bars(**options):
        source = FilesSourceSpec(path=".", **options)
        raw = FilesBarSource(source, tmp_path).fetch(
            BarRequest("X", "1d", None, NOW, NullProgress())
        )
        return normalise_bars(raw, "X")

    return bars


def rows(stamps):
    return HEADER + "".join(f"{stamp},10,12,9,11,5\n" for stamp in stamps)


@pytest.mark.parametrize(
    "stamps",
    [
        ["2020-01-01", "2020-01-02", "2020-01-03"],
        ["2020-01-01 00:00:00", "2020-01-02 00:00:00", "2020-01-03 00:00:00"],
        ["2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z", "2020-01-03T00:00:00Z"],
        ["2020-01-01T02:00:00+02:00", "2020-01-02T01:00:00+01:00", "2020-01-03T00:00:00Z"],
        [1577836800, 1577923200, 1578009600],
        [1577836800000, 1577923200000, 1578009600000],
        [1577836800000000, 1577923200000000, 1578009600000000],
        [20200101, 20200102, 20200103],
    ],
)
def test_timestamps_are_parsed_as_utc(tmp_path, read, stamps):
    (tmp_path / "X.csv").write_text(rows(stamps))
    assert read()["timestamp"].tolist() == DAYS


@pytest.mark.parametrize(
    ("stamps", "line", "expected"),
    [
        (["2020-01-01", "02/01/2020", "2020-01-03"], 3, "ISO 8601"),
        (["2020-01-01", "2020-01-02", ""], 4, "ISO 8601"),
        ([1577836800, 1577923200, 1578009600000], 4, "seconds since 1970, as in the first row"),
        ([20200101, 20200132, 20200103], 3, "YYYYMMDD"),
    ],
)
def test_an_invalid_timestamp_is_reported_with_its_line(tmp_path, read, stamps, line, expected):
    (tmp_path / "X.csv").write_text(rows(stamps))
    with pytest.raises(InvalidBarsError) as error:
        read()
    assert error.value.where.endswith(f"line {line}")
    assert expected in error.value.expected


def test_line_numbers_count_blank_lines(tmp_path, read):
    text = rows(["2020-01-01", "2020-01-02"]) + "\n2020-01-03,14.748.800,12,9,11,5\n"
    (tmp_path / "X.csv").write_text(text)
    with pytest.raises(InvalidBarsError) as error:
        read()
    assert error.value.found.startswith("14.748.800: several points")
    assert error.value.where.endswith("line 5")


def test_line_numbers_work_in_compressed_files(tmp_path, read):
    with gzip.open(tmp_path / "X.csv.gz", "wt") as file:
        file.write(rows(["2020-01-01"]).replace("11", "eleven"))
    with pytest.raises(InvalidBarsError, match="cannot be read") as error:
        read(pattern="{symbol}.csv.gz")
    assert error.value.where.endswith("line 2")


@pytest.mark.parametrize("ending", [".csv", ".csv.gz", ".parquet"])
def test_every_format_gives_the_same_bars(tmp_path, read, ending):
    table = pd.DataFrame({"timestamp": DAYS, "extra": ["a", "b", "c"]})
    table[["open", "high", "low", "close", "volume"]] = [10.5, 12.25, 9.125, 11.0, 5.0]
    path = tmp_path / f"X{ending}"
    table.to_parquet(path) if ending == ".parquet" else table.to_csv(path, index=False)
    bars = read(pattern="{symbol}" + ending)
    assert bars["timestamp"].tolist() == DAYS
    assert bars["high"].tolist() == [12.25] * 3
    assert "extra" not in bars


def test_a_parquet_file_may_have_timestamps_as_its_index(tmp_path, read):
    table = pd.DataFrame(
        {"open": 10.0, "high": 12.0, "low": 9.0, "close": 11.0, "volume": 5}, DAYS
    )
    table.rename_axis("timestamp").to_parquet(tmp_path / "X.parquet")
    assert read(pattern="{symbol}.parquet")["timestamp"].tolist() == DAYS


def test_empty_cells_are_left_to_the_quality_rules(tmp_path, read):
    (tmp_path / "X.csv").write_text(rows(["2020-01-01"]) + "2020-01-02,null,,NaN,11,5\n")
    assert read().iloc[1][["open", "high", "low"]].isna().all()


def test_a_missing_file_is_an_error_that_lists_the_folder(tmp_path, read):
    (tmp_path / "Y.csv").write_text(HEADER)
    with pytest.raises(SourceError, match="no file of X") as error:
        read()
    assert not isinstance(error.value, UnreachableError)
    assert error.value.expected == str(tmp_path / "X.csv")
    assert "Y.csv" in error.value.found


def test_a_missing_folder_is_reported(read):
    with pytest.raises(SourceError, match="no file of X") as error:
        read(pattern="gone/{symbol}.csv")
    assert "no folder" in error.value.found


@pytest.mark.parametrize("ending", ["csv.gz", "parquet"])
def test_a_truncated_file_is_refused(tmp_path, read, ending):
    table = pd.read_csv(io.StringIO(rows(range(1577836800, 1577836800 + 900))))
    path = tmp_path / f"X.{ending}"
    table.to_parquet(path) if ending == "parquet" else table.to_csv(path, index=False)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(InvalidBarsError, match="cannot be read as a table") as error:
        read(pattern="{symbol}." + ending)
    assert str(path) in error.value.where


@pytest.mark.parametrize("mark", [";", "\t", "|"])
def test_other_separators_than_a_comma_are_detected(tmp_path, read, mark):
    (tmp_path / "X.csv").write_text(rows(["2020-01-01", "2020-01-02"]).replace(",", mark))
    assert read()["timestamp"].tolist() == DAYS[:2]


def test_blank_lines_bom_and_trailing_separators_are_ignored(tmp_path, read):
    lines = rows(["2020-01-01", "2020-01-02"]).replace(",5\n", ",5,\n\n")
    (tmp_path / "X.csv").write_bytes(b"\xef\xbb\xbf" + lines.encode())
    bars = read()
    assert bars["timestamp"].tolist() == DAYS[:2]
    assert bars["volume"].tolist() == [5.0, 5.0]


def test_lines_longer_than_the_header_are_refused(tmp_path, read):
    (tmp_path / "X.csv").write_text(HEADER + "2020-01-01,10,12,9,11,5,6\n")
    with pytest.raises(InvalidBarsError, match="more cells than the header"):
        read()


def test_rows_keep_the_order_of_the_file(tmp_path, read):
    (tmp_path / "X.csv").write_text(rows(["2020-01-03", "2020-01-02", "2020-01-01"]))
    bars = read()
    assert bars["timestamp"].tolist() == DAYS[::-1]
    assert [finding.rule for finding in check_bars(bars, CheckSettings("1d", NOW)).errors] == [
        "order"
    ]


def test_an_empty_file_is_refused(tmp_path, read):
    (tmp_path / "X.csv").write_text("")
    with pytest.raises(InvalidBarsError, match="cannot be read as a table"):
        read()
