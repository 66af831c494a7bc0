"""What a file holds is told by its first bytes, whatever its name."""

from __future__ import annotations

import bz2
import gzip
import io
import json
import lzma
import zipfile

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError

CSV = "timestamp,open,high,low,close,volume\n2020-01-01,10,12,9,11,5\n2020-01-02,11,13,10,12,6\n"
CLOSES = [11.0, 12.0]
DAYS = pd.DatetimeIndex(["2020-01-01", "2020-01-02"])
MILLISECONDS = [1577836800000, 1577923200000]


def prices(index=None, names=("Open", "High", "Low", "Close", "Volume")) -> pd.DataFrame:
    cells = [[10.0, 11.0], [12.0, 13.0], [9.0, 10.0], [11.0, 12.0], [5.0, 6.0]]
    return pd.DataFrame(dict(zip(names, cells, strict=True)), index=index)


def to_zip(**members: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, text in members.items():
            archive.writestr(name.replace("__", "/"), text)
    return file.getvalue()


def read(reader, content: bytes, **options) -> pd.DataFrame:
    (reader.folder / "X.csv").write_bytes(content)
    return reader.bars(**options)


def refused(reader, content: bytes, **options) -> InvalidBarsError:
    with pytest.raises(InvalidBarsError) as caught:
        read(reader, content, **options)
    assert len(str(caught.value).splitlines()) <= 20
    assert len(str(caught.value)) < 1500
    return caught.value


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(CSV.encode()),
        bz2.compress(CSV.encode()),
        lzma.compress(CSV.encode()),
        to_zip(**{"data__bars.csv": CSV}),
        to_zip(**{"X-2020.csv": CSV, "Y-2020.csv": "nothing", "__MACOSX__._X-2020.csv": "x"}),
        CSV.encode("utf-16"),
        CSV.encode("utf-16-le"),
        CSV.encode("utf-8-sig"),
        CSV.replace("\n", "\r\n").encode(),
        CSV.replace("\n", "\r").encode(),
        gzip.compress(CSV.encode("utf-16")),
        CSV.replace("volume\n", "volume,W\u00e4hrung\n")
        .replace("5\n", "5,\u20ac\n")
        .encode("cp1252"),
    ],
    ids=[
        "gzip",
        "bz2",
        "xz",
        "zip",
        "zip-of-many",
        "utf16",
        "utf16le",
        "bom",
        "crlf",
        "cr",
        "gzip-utf16",
        "cp1252",
    ],
)
def test_text_is_read_however_it_is_packed(reader, content):
    assert read(reader, content)["close"].tolist() == CLOSES


def test_text_compressed_with_zstd_is_read(reader):
    pa = pytest.importorskip("pyarrow")
    with pa.output_stream(str(reader.folder / "X.csv"), compression="zstd") as file:
        file.write(CSV.encode())
    assert reader.bars()["close"].tolist() == CLOSES


def test_a_line_is_found_in_every_packing(reader):
    damaged = CSV.replace("12,6", "twelve,6")
    for content in (to_zip(a=damaged), bz2.compress(damaged.encode()), damaged.encode("utf-16")):
        assert refused(reader, content).where.endswith("line 3")


def test_an_archive_of_several_files_names_them(reader):
    error = refused(reader, to_zip(**{f"{n}.csv": CSV for n in range(30)}))
    assert "an archive of 30 files: 0.csv, 1.csv" in error.found
    assert "and 18 more" in error.found
    assert "with X in its name" in error.fix


@pytest.mark.parametrize(
    ("content", "kind", "mend"),
    [
        (to_zip(xl__workbook="<x/>"), "a spreadsheet of Excel", "as CSV"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "a spreadsheet of Excel", "as CSV"),
        (b"<!DOCTYPE html>\n<html><head><title>Not found</title>", "page (Not found)", "its link"),
        (b"  <html>Sign in</html>", "an HTML page", "download the data again"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n", "LFS", "git lfs"),
        (b"\x89HDF\r\n\x1a\n" + b"\0" * 600, "HDF5", "CSV or Parquet"),
        (b"SQLite format 3\x00" + b"\0" * 600, "SQLite", "CSV or Parquet"),
        (b"\x80\x04\x95" + b"\0" * 600, "a pickle", "to_parquet"),
        (b"%PDF-1.4\n", "a PDF document", "as CSV"),
        (bytes(range(256)) * 3, "binary data", "CSV or Parquet"),
        (b"", "an empty file", "again"),
        (b"\n\n", "an empty file", "again"),
        (b'{"error": {"code": 429}}', 'JSON without a table of bars: {"error"', "as CSV"),
        (b'{"bars": [[1, 2', "damaged JSON", "download the file again"),
        (b"[1, 2, 3]", "JSON without a table of bars", "as CSV"),
    ],
)
def test_what_is_no_table_is_named_with_its_mend(reader, content, kind, mend):
    error = refused(reader, content)
    assert error.problem == "this file cannot be read as a table"
    assert kind in error.found
    assert mend.replace("its link", "its own link") in error.fix


@pytest.mark.parametrize("name", ["X.csv", "X.pq", "X.parquet", "X.feather"])
@pytest.mark.parametrize("write", ["to_parquet", "to_feather"])
def test_typed_files_are_read_under_any_name(reader, name, write):
    table = prices().assign(date=DAYS.tz_localize("UTC"))
    getattr(table, write)(reader.folder / name)
    assert reader.bars(pattern=name)["close"].tolist() == CLOSES


class TestIndexesAndLevels:
    def to_parquet(self, reader, frame, **options) -> pd.DataFrame:
        frame.to_parquet(reader.folder / "X.csv")
        return reader.bars(**options)

    @pytest.mark.parametrize("index", [DAYS, DAYS.tz_localize("UTC"), DAYS.strftime("%Y-%m-%d")])
    @pytest.mark.parametrize("name", [None, "Date", "When"])
    def test_the_one_index_is_the_timestamp(self, reader, index, name):
        mapping = {"timestamp": "When"} if name == "When" else {}
        bars = self.to_parquet(reader, prices(index.rename(name)), columns=mapping)
        assert bars["timestamp"].dt.day.tolist() == [1, 2]

    def test_an_index_that_numbers_the_rows_is_no_timestamp(self, reader):
        with pytest.raises(InvalidBarsError, match="no column timestamp"):
            self.to_parquet(reader, prices())

    def test_two_levels_of_columns_are_read(self, reader):
        one = pd.concat({"X": prices(DAYS.rename("Date"))}, axis=1, names=["Ticker", "Price"])
        assert self.to_parquet(reader, one)["close"].tolist() == CLOSES
        assert self.to_parquet(reader, one.swaplevel(axis=1))["close"].tolist() == CLOSES

    def test_the_ticker_of_the_symbol_is_read_among_many(self, reader):
        frame = prices(DAYS)
        both = pd.concat({"A": frame * 2, "X": frame}, axis=1, names=["Ticker", "Price"])
        assert self.to_parquet(reader, both)["close"].tolist() == CLOSES
        assert self.to_parquet(reader, both, symbols={"X": "A"}, pattern="X.csv")[
            "close"
        ].tolist() == [22.0, 24.0]
        with pytest.raises(InvalidBarsError, match="2 tickers, and none of them is B") as caught:
            reader.bars(symbols={"X": "B"}, pattern="X.csv")
        assert "`where: {Ticker: A}`" in caught.value.fix
        assert reader.bars(where={"Ticker": "A"})["close"].tolist() == [22.0, 24.0]

    def test_a_long_frame_has_its_symbol_in_the_index(self, reader):
        frame = pd.concat({"A": prices(DAYS) * 2, "X": prices(DAYS)}, names=["symbol", "date"])
        with pytest.raises(InvalidBarsError, match="2 symbols") as caught:
            self.to_parquet(reader, frame)
        assert '`where: {symbol: "{symbol}"}`' in caught.value.fix
        assert reader.bars(where={"symbol": "{symbol}"})["close"].tolist() == CLOSES

    def test_keys_of_text_are_refused(self, reader):
        with pytest.raises(InvalidBarsError, match="names of its own") as caught:
            self.to_parquet(reader, prices(DAYS), header="none")
        assert "take `header` and `skip` out" in caught.value.fix


class TestJson:
    FRAME = prices(names=("open", "high", "low", "close", "volume"))

    @pytest.mark.parametrize(
        "document",
        [
            [[t, 10, 12, 9, 11.0, 5] for t in MILLISECONDS],
            {"result": [[t, 10, 12, 9, 11.0, 5] for t in MILLISECONDS], "error": []},
        ],
    )
    def test_the_lists_of_ccxt_and_freqtrade_are_read_with_a_notice(self, reader, document):
        assert read(reader, json.dumps(document).encode())["close"].tolist() == [11.0, 11.0]
        assert "in the order timestamp, open, high, low, close, volume" in reader.notices[0]

    def test_lists_in_another_order_are_refused_with_names(self, reader):
        rows = [[t, 10, 11.0, 12, 9, 5] for t in MILLISECONDS]
        error = refused(reader, json.dumps(rows).encode())
        names = ("timestamp", "open", "close", "high", "low", "volume")
        assert f"`header: [{', '.join(names)}]`" in error.fix
        assert reader.bars(header=names)["close"].tolist() == [11.0, 11.0]

    @pytest.mark.parametrize("orient", ["columns", "index", "split", "table", "records"])
    def test_every_form_of_pandas_is_read(self, reader, orient):
        frame = self.FRAME.set_index(DAYS.rename("timestamp"))
        frame = frame.reset_index() if orient == "records" else frame
        text = frame.to_json(orient=orient, date_format="iso")
        bars = read(reader, text.encode())
        assert bars["close"].tolist() == CLOSES
        assert bars["timestamp"].dt.day.tolist() == [1, 2]

    def test_json_lines_and_lists_by_column_are_read(self, reader):
        table = self.FRAME.assign(t=MILLISECONDS)
        lines = table.to_json(orient="records", lines=True)
        short = {"o": "open", "h": "high", "l": "low", "c": "close", "v": "volume"}
        lists = table.rename(columns={long: o for o, long in short.items()}).to_dict("list")
        mapping = {"timestamp": "t"}
        assert read(reader, lines.encode(), columns=mapping)["close"].tolist() == CLOSES
        mapping |= {long: o for o, long in short.items()}
        content = json.dumps({"s": "ok", **lists}).encode()
        assert read(reader, content, columns=mapping)["close"].tolist() == CLOSES
        assert (
            "{timestamp: t, open: o, high: h, low: l, close: c, volume: v}"
            in refused(reader, content).fix
        )

    def test_nested_objects_by_date_are_read(self, reader):
        """Alpha Vantage."""
        rows = {
            f"{day:%Y-%m-%d}": {"1. open": "10", "2. high": "12", "3. low": "9", "4. close": "11"}
            for day in DAYS
        }
        content = json.dumps({"Meta Data": {"2. Symbol": "X"}, "Time Series": rows}).encode()
        mapping = {"open": "1. open", "high": "2. high", "low": "3. low", "close": "4. close"}
        bars = read(reader, content, columns=mapping, volume="none")
        assert bars["close"].tolist() == [11.0, 11.0]
        assert bars["timestamp"].dt.day.tolist() == [1, 2]
