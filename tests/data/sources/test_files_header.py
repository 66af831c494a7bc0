"""Where the names of the columns stand in a file, and where its bars begin."""

from __future__ import annotations

import pytest

from engine.core.errors import StrategyError
from tests.data.sources.file_reader import refused

HEADER = "timestamp,open,high,low,close,volume\n"
BARS = "2020-01-01,10,12,9,11,5\n2020-01-02,11,13,10,12,6\n2020-01-03,12,14,11,13,7\n"
KLINES = "".join(
    f"{1577836800000 + day * 86_400_000},{10 + day}.0,{13 + day}.0,{8 + day}.0,{11 + day}.0,"
    f"{500 + day}.5,{1577923199999 + day * 86_400_000},9.1,77,2.2,3.3,0\n"
    for day in range(4)
)
NAMES = "header: [timestamp, open, high, low, close, volume, column_7, "


class TestWithoutHeader:
    def test_a_first_line_that_is_a_bar_is_refused_with_names_for_its_columns(self, reader):
        error = refused(reader, KLINES)
        assert error.problem == "the first line is a bar, not a header"
        assert error.found == KLINES.splitlines()[0]
        assert error.where.endswith("X.csv, line 1")
        assert NAMES in error.fix

    def test_a_mapping_to_the_values_of_the_first_bar_is_refused_too(self, reader):
        first = KLINES.splitlines()[0].split(",")
        mapping = dict(zip(HEADER.strip().split(","), first, strict=False))
        error = refused(reader, KLINES, columns=mapping)
        assert error.problem == "the first line is a bar, not a header"
        assert "take `columns` out" in error.fix

    def test_the_suggested_names_read_every_bar(self, reader):
        names = refused(reader, KLINES).fix.partition("[")[2].partition("]")[0].split(", ")
        bars = reader.bars(header=tuple(names))
        assert len(bars) == 4
        assert bars.iloc[0, 2:].tolist() == [10.0, 13.0, 8.0, 11.0, 500.5]

    @pytest.mark.parametrize(
        ("rows", "suggested"),
        [
            (
                "20200101,10,8,13,9,5\n20200102,11,9,14,10,5\n",
                "[timestamp, open, low, high, close, volume]",
            ),
            (
                "2020.01.01,00:05,10,13,8,9,5\n2020.01.01,00:10,11,14,9,10,5\n",
                "[date, time, open, high, low, close, volume]",
            ),
            (
                "AAPL,2020-01-01,10,13,8,9,5\nAAPL,2020-01-02,11,14,9,10,5\n",
                "[column_1, timestamp, open, high, low, close, volume]",
            ),
        ],
    )
    def test_names_are_suggested_from_the_values(self, reader, rows, suggested):
        assert f"`header: {suggested}`" in refused(reader, rows).fix

    def test_columns_without_names_are_mapped_by_number(self, reader):
        numbers = dict(zip(HEADER.strip().split(","), "123456", strict=True))
        bars = reader.bars(KLINES, header="none", columns=numbers)
        assert bars["close"].tolist() == [11.0, 12.0, 13.0, 14.0]
        assert reader.notices == [
            "files: timestamps are read as milliseconds since 1970 (in X.csv)"
        ]

    @pytest.mark.parametrize(
        ("text", "keys"),
        [
            (KLINES, '{timestamp: "1", open: "2", high: "3", low: "4", close: "5", volume: "6"}'),
            (
                "2020-01-01,00:05,10,13,8,9,5\n2020-01-01,00:10,11,14,9,10,5\n",
                '{timestamp: ["1", "2"], open: "3", high: "4", low: "5", close: "6", volume: "7"}',
            ),
        ],
    )
    def test_numbers_of_columns_are_suggested_from_the_values(self, reader, text, keys):
        assert refused(reader, text, header="none").fix == (
            f"add `columns: {keys}` to the files source"
        )

    def test_a_header_needs_a_name_for_every_column(self, reader):
        error = refused(reader, KLINES, header=tuple(HEADER.strip().split(",")))
        assert "names 6 columns, and the first bar has 12 cells" in error.problem
        assert NAMES in error.fix

    def test_declared_names_replace_a_header_that_is_skipped(self, reader):
        names = ("timestamp", "open", "high", "low", "close", "volume")
        text = "When,A,B,C,D,E\n" + BARS
        assert reader.bars(text, header=names, skip=1)["open"].tolist() == [10.0, 11.0, 12.0]

    def test_declared_names_above_a_header_are_refused(self, reader):
        error = refused(reader, HEADER + BARS, header=tuple("tohlcv"))
        assert "line 1 is a header" in error.problem
        assert "`skip: 1`" in error.fix
        assert (
            len(
                reader.bars(
                    header=("timestamp", *"ohlcv"),
                    skip=1,
                    columns={"open": "o", "high": "h", "low": "l", "close": "c", "volume": "v"},
                )
            )
            == 3
        )

    def test_a_header_of_positions_is_no_bar(self, reader):
        """`DataFrame.to_csv` of columns without names writes 0, 1, 2 as their names."""
        text = "0,1,2,3,4,5\n" + BARS
        assert "this file has no column timestamp" in refused(reader, text).problem
        mapping = dict(zip(HEADER.strip().split(","), "012345", strict=True))
        assert len(reader.bars(columns=mapping)) == 3

    @pytest.mark.parametrize(
        ("source", "expected"),
        [
            ("{kind: files, path: ., header: some}", "`none`, or the names in order"),
            ("{kind: files, path: ., header: [a, a]}", "a different name for every column"),
            ("{kind: files, path: ., columns: {opn: Open}}", "did you mean open?"),
            ("{kind: files, path: ., columns: {Price: close}}", "did you mean {close: Price}?"),
            ("{kind: files, path: ., columns: {open: [A, B]}}", "the name of one column for open"),
            ("{kind: files, path: ., columns: {timestamp: [A]}}", "two such as [Date, Time]"),
            ("{kind: files, path: ., skip: -1}", "0"),
        ],
    )
    def test_a_wrong_key_is_a_mistake_of_the_manifest(self, reader, source, expected):
        with pytest.raises(StrategyError) as caught:
            reader.dataset(source)
        assert expected in str(caught.value)

    def test_numbers_of_columns_may_stand_without_quotes(self, reader):
        dataset = reader.dataset(
            "{kind: files, path: ., header: none, columns: {timestamp: 1, open: 2}, where: {7: 1}}"
        )
        assert dataset.sources[0].columns == {"timestamp": "1", "open": "2"}
        assert dataset.sources[0].where == {"7": "1"}


class TestLinesBeforeTheHeader:
    @pytest.mark.parametrize("title", ["https://www.example.com", "# bars, of X", "sep=,", "a,b"])
    def test_lines_before_a_complete_header_are_left_out_with_a_notice(self, reader, title):
        assert len(reader.bars(f"{title}\n{HEADER}{BARS}")) == 3
        assert reader.notices == [f"files: 1 line before the header left out: {title} (in X.csv)"]

    def test_more_skipped_lines_than_the_file_has_are_refused(self, reader):
        error = refused(reader, HEADER + BARS, skip=9)
        assert error.found == "no line after the first 9"
        assert error.fix == "correct `skip` of the files source"

    def test_skipped_lines_are_not_told(self, reader):
        assert len(reader.bars(f"title\n\nof bars\n{HEADER}{BARS}", skip=3)) == 3
        assert reader.notices == []

    def test_an_error_counts_the_lines_that_are_left_out(self, reader):
        error = refused(reader, f"title\n\n{HEADER}{BARS}2020-01-04,x,14,11,13,7\n", skip=1)
        assert error.where.endswith("line 7")

    def test_a_title_above_an_incomplete_header_is_named_with_its_key(self, reader):
        text = "Prices of X\n" + HEADER.replace("close", "Price") + BARS
        error = refused(reader, text)
        assert error.problem == "line 1 is not a header"
        assert error.found == "Prices of X"
        assert "`skip: 1`" in error.fix
        assert "{close: Price}" in refused(reader, text, skip=1).fix
        assert len(reader.bars(text, skip=1, columns={"close": "Price"})) == 3

    def test_a_title_above_bars_is_named_with_both_keys(self, reader):
        error = refused(reader, "Prices of X\n" + BARS)
        assert "`skip: 1` and `header: [timestamp, open, high, low, close, volume]`" in error.fix
        names = ("timestamp", "open", "high", "low", "close", "volume")
        assert len(reader.bars(skip=1, header=names)) == 3

    def test_no_bar_is_left_out_to_reach_a_header(self, reader):
        assert "is a bar" in refused(reader, BARS + HEADER + BARS).problem


class TestTwoLevels:
    """`yfinance.download(...).to_csv(...)`: names of prices above tickers above the index."""

    PRICES = "Price,Close,High,Low,Open,Volume\n"
    ROWS = "2020-01-01,11,12,9,10,5\n2020-01-02,12,13,10,11,6\n"

    @pytest.mark.parametrize("ticker", ["X", "7203.T", "Y"])
    def test_three_header_lines_are_read(self, reader, ticker):
        text = f"{self.PRICES}Ticker{f',{ticker}' * 5}\nDate,,,,,\n{self.ROWS}"
        bars = reader.bars(text)
        assert bars.iloc[0, 2:].tolist() == [10, 12, 9, 11, 5]
        assert len(bars) == 2
        other = f"files: the columns of {ticker} are read (in X.csv)"
        assert (other in reader.notices) == (ticker != "X")

    def test_the_columns_of_the_symbol_are_read_among_many(self, reader):
        text = (
            f"Price{',Close' * 2}{',High' * 2}{',Low' * 2}{',Open' * 2}{',Volume' * 2}\n"
            f"Ticker{',A,X' * 5}\nDate{',' * 10}\n2020-01-01,1,11,2,12,1,9,1,10,1,5\n"
        )
        assert reader.bars(text).iloc[0, 2:].tolist() == [10, 12, 9, 11, 5]
        error = refused(reader, text.replace("X", "B"))
        assert "columns of 2 tickers, and none of them is X" in error.problem
        assert "`where: {Ticker: A}`" in error.fix
        assert reader.bars(where={"Ticker": "B"})["close"].tolist() == [11.0]

    @pytest.mark.parametrize(
        "third", ["2020-01-02,,,,,", "2020-01-02,null,null,null,null,null", "Note,,,,,"]
    )
    def test_a_first_bar_of_equal_prices_is_no_line_of_tickers(self, reader, third):
        text = f"{HEADER}2020-01-01,1,1,1,1,1\n{third}\n{BARS}"
        bars = reader.bars(text, rows_without_bars="drop")
        assert bars["close"].iloc[0] == 1.0
        assert len(bars) == (4 if third.startswith("Note") else 5)

    def test_tickers_may_stand_above_prices(self, reader):
        text = f"Ticker{',X' * 5}\n{self.PRICES}Date,,,,,\n{self.ROWS}"
        assert reader.bars(text)["close"].tolist() == [11.0, 12.0]


class TestNames:
    @pytest.mark.parametrize("name", ["", "Unnamed: 0"])
    def test_an_unnamed_first_column_of_dates_is_the_timestamp(self, reader, name):
        text = HEADER.replace("timestamp", name) + BARS
        assert len(reader.bars(text)) == 3
        assert "the first column, which has no name, is read as" in reader.notices[0]
        assert len(reader.bars(text, columns={"timestamp": ""})) == 3
        assert len(reader.bars(text, columns={"timestamp": "Unnamed: 0"})) == 3

    def test_an_unnamed_column_that_numbers_the_rows_is_no_timestamp(self, reader):
        text = HEADER.replace("timestamp", "") + "0,10,12,9,11,5\n1,11,13,10,12,6\n"
        error = refused(reader, text)
        assert "no column timestamp" in error.problem
        assert "Unnamed" not in error.fix
        dated = "," + HEADER + "".join(f"{n},{row}\n" for n, row in enumerate(BARS.split()))
        assert len(reader.bars(dated)) == 3

    @pytest.mark.parametrize(
        ("header", "keys"),
        [
            (
                "<DTYYYYMMDD>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>",
                "{timestamp: <DTYYYYMMDD>, volume: <VOL>}",
            ),
            ("Date,Close/Last,Volume,Open,High,Low", "{close: Close/Last}"),
            ("time,open,high,low,close,tick_volume", "{volume: tick_volume}"),
            ("ticker,volume,open,close,high,low,window_start", "{timestamp: window_start}"),
            ("ts_event,open,high,low,close,volume", "{timestamp: ts_event}"),
            ("Gmt time,Open,High,Low,Close,Volume", "{timestamp: Gmt time}"),
            ("timeOpen,open,high,low,close,volume", "{timestamp: timeOpen}"),
            (
                "date,1. open,2. high,3. low,4. close,5. volume",
                '{open: "1. open", high: "2. high", low: "3. low", close: "4. close", '
                'volume: "5. volume"}',
            ),
            ("Date,open (USD),high (USD),low (USD),close (USD),volume", None),
            ("# date,open,high,low,close,volume", '{timestamp: "# date"}'),
        ],
    )
    def test_the_names_of_known_files_are_suggested(self, reader, header, keys):
        error = refused(reader, f"{header}\n{','.join('1' * header.count(',') + '1')}\n")
        assert "has no column" in error.problem
        if keys:
            assert error.fix == f"add `columns: {keys}` to the files source"
        else:
            assert "{open: open (USD), high: high (USD)" in error.fix

    def test_a_long_header_is_cut(self, reader):
        error = refused(reader, ",".join(f"a_long_name_{n}" * 5 for n in range(900)) + "\n1,2\n")
        assert len(str(error)) < 1500
        assert "and 888 more" in error.found

    def test_of_two_volumes_the_one_that_is_not_zero_is_suggested(self, reader):
        header = "date,open,high,low,close,real_volume,tick_volume\n"
        error = refused(reader, header + "2020-01-01,10,12,9,11,0,5\n")
        assert error.fix == "add `columns: {volume: tick_volume}` to the files source"


class TestVolume:
    TEXT = "timestamp,open,high,low,close\n2020-01-01,10,12,9,11\n2020-01-02,11,13,10,12\n"

    def test_a_declared_absence_gives_bars_without_volume(self, reader):
        bars = reader.bars(self.TEXT, volume="none")
        assert bars["close"].tolist() == [11.0, 12.0]
        assert bars["volume"].isna().all()

    def test_an_undeclared_absence_is_refused_with_the_key(self, reader):
        error = refused(reader, self.TEXT)
        assert error.fix == "add `volume: none` to the files source if the file has no volume"

    def test_a_price_is_no_volume(self, reader):
        error = refused(reader, self.TEXT, columns={"volume": "close"})
        assert error.problem == "the column close is the close and the volume at once"
        assert "`volume: none`" in error.fix

    def test_it_is_declared_or_mapped(self, reader):
        with pytest.raises(StrategyError) as caught:
            reader.dataset("{kind: files, path: ., volume: none, columns: {volume: V}}")
        assert "not both" in str(caught.value)
