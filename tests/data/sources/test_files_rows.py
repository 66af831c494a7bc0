"""Which rows of a file are the bars of a symbol, and how the reader asks."""

from __future__ import annotations

import pytest

from tests.data.sources.file_reader import refused

HEADER = "date,open,high,low,close,volume,Name\n"
LONG = HEADER + "".join(
    f"2020-01-0{day},{price},{price + 2},{price - 1},{price + 1},5,{name}\n"
    for name, price in (("AAPL", 10), ("AMZN", 20), ("X", 30))
    for day in (1, 2, 3, 4)
)
INTRADAY = "Date,Time,Open,High,Low,Close,Volume\n" + "".join(
    f"2020-01-0{day},{hour:02}:30:00,10,12,9,{hour},5\n" for day in (1, 2) for hour in (9, 10, 11)
)


class TestManySymbols:
    @pytest.mark.parametrize("where", [{"Name": "X"}, {"Name": "{symbol}"}])
    def test_the_rows_of_one_symbol_are_kept(self, reader, where):
        assert reader.bars(LONG, where=where)["close"].tolist() == [31.0] * 4
        assert reader.bars(LONG, where={"Name": "AMZN"})["close"].tolist() == [21.0] * 4

    def test_the_symbol_is_the_one_of_the_source(self, reader):
        (reader.folder / "all.csv").write_text(LONG)
        bars = reader.bars(pattern="all.csv", symbols={"X": "AAPL"}, where={"Name": "{symbol}"})
        assert bars["close"].tolist() == [11.0] * 4

    def test_undeclared_they_are_refused_whatever_the_interval(self, reader):
        for interval in ("1d", "1h"):
            error = refused(reader, LONG, interval=interval)
            assert "the bars of 3 symbols: its column Name tells rows" in error.problem
            assert error.found == "AAPL, AMZN, X"
            assert error.fix == 'add `where: {Name: "{symbol}"}` to the files source'
        error = refused(reader, LONG.replace(",X\n", ",MSFT\n"))
        assert "`where: {Name: AAPL}`" in error.fix

    def test_a_column_of_numbers_may_name_them(self, reader):
        text = LONG.replace("AAPL", "14593").replace("AMZN", "84788").replace(",X\n", ",90319\n")
        assert '`where: {Name: "14593"}`' in refused(reader, text).fix
        assert len(reader.bars(where={"Name": "84788"})) == 4

    def test_rows_that_repeat_are_left_to_the_quality_rules(self, reader):
        text = LONG.splitlines(keepends=True)
        once = "".join(text[:5])
        assert len(reader.bars(once + text[4])) == 5
        assert len(reader.bars(once + text[4].replace("11", "10.5"))) == 5

    def test_a_count_that_differs_by_row_tells_no_symbols_apart(self, reader):
        text = "date,open,high,low,close,volume,trades\n" + "".join(
            f"2020-01-0{1 + n // 2},10,12,9,11,5,{1000 + 7 * n}\n" for n in range(8)
        )
        assert len(reader.bars(text)) == 8

    def test_a_file_of_one_day_names_its_symbols(self, reader):
        text = HEADER + "".join(f"2020-01-01,10,12,9,11,5,S{n}\n" for n in range(5))
        assert "the bars of 5 symbols" in refused(reader, text).problem

    def test_a_condition_that_no_row_meets_is_refused_with_what_there_is(self, reader):
        error = refused(reader, LONG, where={"Name": "MSFT"})
        assert "no row of this file has MSFT in its column Name" in error.problem
        assert error.found == "AAPL, AMZN, X"
        error = refused(reader, LONG, where={"Ticker": "X"})
        assert "no column Ticker, which `where` names" in error.problem

    def test_a_bad_cell_of_another_symbol_does_not_matter(self, reader):
        text = LONG.replace("2020-01-02,20,", "2020-01-02,none,")
        assert len(reader.bars(text, where={"Name": "X"})) == 4
        error = refused(reader, text, where={"Name": "AMZN"})
        assert error.where.endswith("line 7")


class TestDateAndTime:
    def test_two_columns_are_joined(self, reader):
        options = {"columns": {"timestamp": ("Date", "Time")}, "interval": "1h"}
        bars = reader.bars(INTRADAY, **options)
        assert bars["timestamp"].dt.strftime("%d %H:%M").tolist() == [
            f"0{day} {hour}:30" for day in (1, 2) for hour in ("09", "10", "11")
        ]
        zoned = reader.bars(INTRADAY, timezone="America/New_York", **options)
        assert zoned["timestamp"].dt.hour.tolist()[:3] == [14, 15, 16]

    @pytest.mark.parametrize(
        ("date", "time", "dates"),
        [
            ("2020.01.31", "17:05:00", None),
            ("2020/1/31", "17:05", None),
            ("20200131", "170500", None),
            ("20200131", "1705", None),
            ("31.01.2020", "17:05", "%d.%m.%Y %H:%M"),
            ("31.01.2020", "17:05", "day_first"),
            ("1/31/2020", "05:05 PM", "month_first"),
            ("01/31/20", "1705", "month_first"),
            ("31Jan20", "1705", "%d%b%y %H%M"),
            ("20200131", "17:05:00.000", None),
        ],
    )
    def test_every_notation_of_both_is_read(self, reader, date, time, dates):
        text = f"D,T,open,high,low,close,volume\n{date},{time},10,12,9,11,5\n"
        bars = reader.bars(text, columns={"timestamp": ("D", "T")}, dates=dates, interval="1h")
        assert bars["timestamp"].astype("str").tolist() == ["2020-01-31 17:05:00+00:00"]

    def test_times_without_leading_zeros_are_read(self, reader):
        text = "D,T,open,high,low,close,volume\n20200131,900,1,1,1,1,5\n20200131,1000,1,1,1,1,5\n"
        bars = reader.bars(text, columns={"timestamp": ("D", "T")}, interval="1h")
        assert bars["timestamp"].dt.hour.tolist() == [9, 10]

    def test_two_columns_that_may_be_the_timestamp_are_refused_with_the_pair(self, reader):
        error = refused(reader, INTRADAY, interval="1h")
        assert error.fix == "add `columns: {timestamp: [Date, Time]}` to the files source"

    def test_a_time_alone_is_refused(self, reader):
        error = refused(reader, INTRADAY, columns={"timestamp": "Time"})
        assert error.found == "09:30:00"
        assert "`columns: {timestamp: [Date, Time]}`" in error.fix

    def test_a_date_alone_is_refused_where_a_time_tells_the_bars_apart(self, reader):
        error = refused(reader, INTRADAY, columns={"timestamp": "Date"})
        assert "many rows have one Date, and the column Time tells them apart" in error.problem
        assert error.fix == "add `columns: {timestamp: [Date, Time]}` to the files source"

    def test_the_names_of_metatrader_are_suggested_all_at_once(self, reader):
        text = (
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
            "2020.01.31\t01:00:00\t10\t12\t9\t11\t5\t0\t1\n"
        )
        error = refused(reader, text, interval="1h")
        assert "`columns: {timestamp: [<DATE>, <TIME>], volume: <TICKVOL>}`" in error.fix
        columns = {"timestamp": ("<DATE>", "<TIME>"), "volume": "<TICKVOL>"}
        bars = reader.bars(columns=columns, interval="1h")
        assert bars["timestamp"].dt.hour.tolist() == [1]

    def test_typed_dates_and_times_are_joined(self, reader):
        import datetime as dt

        import pandas as pd

        table = pd.DataFrame({"day": [dt.date(2020, 1, 31)], "at": [dt.time(9, 30)]})
        table[["open", "high", "low", "close", "volume"]] = 1.0
        table.to_parquet(reader.folder / "X.csv")
        bars = reader.bars(columns={"timestamp": ("day", "at")}, interval="1h")
        assert bars["timestamp"].astype("str").tolist() == ["2020-01-31 09:30:00+00:00"]


class TestRowsWithoutBars:
    BARS = "Date,Open,High,Low,Close,Volume\n" + "".join(
        f"2020-01-0{day},10,12,9,11,5\n" for day in range(1, 9)
    )

    @pytest.mark.parametrize(
        "row",
        [
            "2020-01-04,0.24 Dividend,,,,",
            "2020-01-04,4:1 Stock Splits",
            "Date,Open,High,Low,Close,Volume",
            "Total,,,,,40",
            "Average,10,12,9,11,5",
            "Source: example.com",
            ",,,,,",
            '"Data provided by X, without warranty",,,,,',
        ],
    )
    def test_a_row_that_is_no_bar_is_refused_or_dropped_as_declared(self, reader, row):
        lines = self.BARS.splitlines()
        text = "\n".join([*lines[:4], row, *lines[4:], ""])
        error = refused(reader, text)
        assert error.problem == "this file has 1 row that is no bar, of 9"
        assert error.found == row
        assert error.where.endswith("X.csv, line 5")
        assert "`rows_without_bars: drop`" in error.fix
        assert reader.bars(rows_without_bars="drop")["close"].tolist() == [11.0] * 8
        assert (
            f"1 of 9 rows are no bars, and are left out, the first line 5: {row}"
            in (reader.notices[-1])
        )

    @pytest.mark.parametrize(
        "row",
        ["2020-01-09,1.234.567,12,9,11,5", "2020-01-09,10,12,9,eleven,5", "x,10,12,9,11,5"],
    )
    def test_a_bar_with_a_bad_cell_is_never_dropped(self, reader, row):
        error = refused(reader, f"{self.BARS}{row}\n", rows_without_bars="drop")
        assert "has a cell that cannot be read" in error.problem
        assert error.where.endswith("line 10")

    def test_bars_in_an_unknown_notation_are_never_dropped(self, reader):
        text = self.BARS.replace(",10,12,9,11,", ",10 USD,12 USD,9 USD,11 USD,")
        error = refused(reader, text, rows_without_bars="drop")
        assert error.found == "10 USD"

    def test_empty_prices_are_left_to_the_quality_rules(self, reader):
        bars = reader.bars(f"{self.BARS}2020-01-09,null,null,null,null,null\n")
        assert bars["close"].isna().sum() == 1
        assert len(reader.bars(rows_without_bars="drop")) == 9
        assert reader.bars(f"{self.BARS}2020-01-09,10\n")["close"].isna().sum() == 1
