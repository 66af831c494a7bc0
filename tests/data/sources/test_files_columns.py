"""Matching the columns of a file with those of bars."""

from __future__ import annotations

import pytest

from engine.core.errors import InvalidBarsError

ROW = "2020-01-01,10,12,9,11,5\n"


@pytest.mark.parametrize(
    ("header", "said"),
    [
        ("timestamp,open,high,low,close,volume", []),
        ("Timestamp, Open ,HIGH,Low,Close,Volume", []),
        ("Date,Open,High,Low,Close,Volume", ["the column Date is read as the timestamp"]),
        ("open_time,open,high,low,close,volume", ["the column open_time is read as"]),
        ("Open Time,Open,High,Low,Close,Volume", ["the column Open Time is read as"]),
    ],
)
def test_usual_column_names_are_recognised_with_a_notice(reader, header, said):
    bars = reader.bars(f"{header}\n{ROW}")
    assert bars.iloc[0, 2:].tolist() == [10, 12, 9, 11, 5]
    assert len(reader.notices) == len(said)
    assert all(words in sentence for words, sentence in zip(said, reader.notices, strict=True))


def test_adjusted_closes_are_not_prices_and_give_a_notice(reader):
    text = "Date,Open,High,Low,Close,Adj Close,Volume\n2020-01-01,10,12,9,11,8.5,5\n"
    assert reader.bars(text)["close"].tolist() == [11.0]
    assert (
        reader.notices[1]
        == "files: prices are read from the column Close, not from Adj Close (in X.csv)"
    )
    assert reader.bars(text, columns={"close": "Adj Close"})["close"].tolist() == [8.5]


def test_dividends_and_splits_come_with_the_bars(reader):
    text = f"Date,Open,High,Low,Close,Volume,Dividends,Stock Splits\n{ROW[:-1]},0.25,2.0\n"
    raw = reader.raw(text)
    assert raw[["dividends", "split"]].iloc[0].tolist() == [0.25, 2.0]
    raw = reader.raw(text.replace(",2.0", ",2:1"))
    assert "split" not in raw  # no number, and no bar needs it


@pytest.mark.parametrize(
    ("header", "advised"),
    [
        ("Date,Open,High,Low,Price,Volume", "{close: Price}"),
        ("Date,Open,High,Low,Close,Volume BTC", "{volume: Volume BTC}"),
        ("Date,Open,High,Low,Adj Close,Volume", "{close: Adj Close}"),
        ("Day,O,H,L,C,Vol.", "{timestamp: Day, open: O, high: H, low: L, close: C, volume: Vol.}"),
    ],
)
def test_ambiguous_column_names_are_only_suggested(reader, header, advised):
    with pytest.raises(InvalidBarsError, match="has no column") as caught:
        reader.bars(f"{header}\n{ROW}")
    assert caught.value.fix == f"add `columns: {advised}` to the files source"
    assert caught.value.found == header.replace(",", ", ")
    mapping = dict(pair.split(": ") for pair in advised.strip("{}").split(", "))
    assert reader.bars(columns=mapping)["close"].tolist() == [11.0]


def test_two_matching_columns_are_refused_with_both_names(reader):
    text = "Unix,Date,Open,High,Low,Close,Volume\n1577836800," + ROW
    with pytest.raises(InvalidBarsError, match="2 columns that may be timestamp") as caught:
        reader.bars(text)
    assert "`columns: {timestamp: Unix}` or `columns: {timestamp: Date}`" in caught.value.fix
    assert len(reader.bars(text, columns={"timestamp": "Unix"})) == 1


def test_an_ambiguous_event_column_is_left_out(reader):
    raw = reader.raw(f"Date,Open,High,Low,Close,Volume,Split,Stock Splits\n{ROW[:-1]},1,2\n")
    assert "split" not in raw
    assert reader.raw(columns={"split": "Stock Splits"})["split"].tolist() == [2.0]
    with pytest.raises(InvalidBarsError, match="has no column Splits"):
        reader.raw(columns={"split": "Splits"})


def test_an_exact_name_has_precedence(reader):
    bars = reader.bars("Date,timestamp,open,high,low,close,volume\nnever," + ROW)
    assert bars["timestamp"].dt.year.tolist() == [2020]


def test_a_mapped_column_must_exist(reader):
    with pytest.raises(InvalidBarsError, match="has no column Last") as caught:
        reader.bars("Date,Open,High,Low,Close,Volume\n" + ROW, columns={"close": "Last"})
    assert "{close: Close}" in caught.value.fix


def test_columns_and_symbols_are_renamed(reader):
    text = "When,open,high,low,C,volume\n" + ROW
    (reader.folder / "bars_XBT.csv").write_text(text)
    bars = reader.bars(
        pattern="bars_{symbol}.csv",
        symbols={"X": "XBT"},
        columns={"timestamp": "When", "close": "C"},
    )
    assert bars["close"].tolist() == [11.0]
    assert reader.notices == []
