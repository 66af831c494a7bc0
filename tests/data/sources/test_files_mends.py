"""The fix of each error is written so that pasting it leads to the right bars."""

from __future__ import annotations

import re

import pytest
import yaml

from engine.core.errors import InvalidBarsError

PRICES = [10.5, 13.0, 8.25, 11.75, 1234.0]
"""Open, high, low, close and volume of the first bar; each later bar is 1 higher."""


def rows(line, count=4) -> str:
    """Bars written as `line` has it: `{n}` from 0, `{d}` from 1, `{t}` since 1970."""
    return "".join(
        line.format(
            n=n,
            d=n + 1,
            t=1577836800 + 60 * n,
            o=10.5 + n,
            h=13 + n,
            l=8.25 + n,
            c=11.75 + n,
            v=1234 + n,
            k=1.234 + n / 1000,
        )
        for n in range(count)
    )


FORMS = {
    "kraken": (rows("{t},{o},{h},{l},{c},{v},7\n"), "2020-01-01"),
    "metatrader 4": (rows("2020.01.01,0{n}:00,{o},{h},{l},{c},{v}\n"), "2020-01-01"),
    "metatrader 5": (
        "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
        + rows("2020.01.01\t0{n}:00:00\t{o}\t{h}\t{l}\t{c}\t{v}\t0\t1\n"),
        "2020-01-01",
    ),
    "stooq": (
        "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
        + rows("X.US,60,20200101,0{n}0000,{o},{h},{l},{c},{v},0\n"),
        "2020-01-01",
    ),
    "nasdaq": (
        "Date,Close/Last,Volume,Open,High,Low\n"
        + rows("12/3{n}/2019,${c},{v},${o},${h},${l}\n", 2),
        "2019-12-30",
    ),
    "investing": (
        '"Date","Price","Open","High","Low","Vol.","Change %"\n'
        + rows('"Jan 0{d}, 2020","{c}","{o}","{h}","{l}","{k:.3f}K","0.4%"\n'),
        "2020-01-01",
    ),
    "cryptodatadownload": (
        "https://www.example.com\nDate,Symbol,Open,High,Low,Close,Volume BTC,Volume USD\n"
        + rows("2020-01-01 0{n}-AM,X,{o},{h},{l},{c},{v},9\n").replace("00-AM", "12-AM"),
        "2020-01-01",
    ),
    "histdata": (rows("20200101 00000{n};{o};{h};{l};{c};{v}\n"), "2020-01-01"),
    "dukascopy": (
        "Local time,Open,High,Low,Close,Volume\n"
        + rows("01.01.2020 08:0{n}:00.000 GMT+0800,{o},{h},{l},{c},{v}\n"),
        "2020-01-01",
    ),
    "polygon": (
        "ticker,volume,open,close,high,low,window_start,transactions\n"
        + rows("A,9,1,1,1,1,157783680{n}000000000,3\n")
        + rows("X,{v},{o},{c},{h},{l},157783680{n}000000000,3\n"),
        "2020-01-01",
    ),
    "interactive brokers": (
        "date,open,high,low,close,volume,average,barCount\n"
        + rows("20191231 19:0{n}:00 US/Eastern,{o},{h},{l},{c},{v},1,2\n"),
        "2020-01-01",
    ),
    "alpha vantage": (
        "timestamp,1. open,2. high,3. low,4. close,5. volume\n"
        + rows("2020-01-0{d},{o},{h},{l},{c},{v}\n"),
        "2020-01-01",
    ),
    "quantmod": (
        '"","SPY.Open","SPY.High","SPY.Low","SPY.Close","SPY.Volume","SPY.Adjusted"\n'
        + rows('"2020-01-01 0{n}:00",{o},{h},{l},{c},{v},1\n'),
        "2020-01-01",
    ),
    "row names of R": (
        '"Date","Open","High","Low","Close","Volume"\n'
        + rows('"{n}","2020-01-01 0{n}:00",{o},{h},{l},{c},{v}\n'),
        "2020-01-01",
    ),
    "german": (
        "Datum;Er\u00f6ffnung;Hoch;Tief;Schlusskurs;Volumen\n"
        "13.01.2020;10,5;13,0;8,25;11,75;1.234\n",
        "2020-01-13",
    ),
    "yahoo with dividends": (
        "Date,Open,High,Low,Close*,Adj Close**,Volume\n"
        + rows('"Jan 1{n}, 2020",{o},{h},{l},{c},1,"{v}"\n').replace('"1234"', '"1,234"')
        + '"Jan 09, 2020",0.24 Dividend,,,,,\n',
        "2020-01-10",
    ),
    "total and note": (
        "Date,Open,High,Low,Close,Volume\n"
        + rows("2020-01-01 0{n}:00,{o},{h},{l},{c},{v}\n")
        + "Total,,,,,4942\nSource: example.com, without warranty, as it is, 2020, X, Y, Z\n",
        "2020-01-01",
    ),
    "clock of a named zone": (
        "Date,Open,High,Low,Close,Volume\n"
        + rows("2019-12-31 19:0{n}:00 EST,{o},{h},{l},{c},{v}\n"),
        "2020-01-01",
    ),
}


def follow(fix, options) -> dict:
    """The options of a source with the keys that a fix writes, the first of several."""
    keys = {}
    for text in re.findall(r"`(\w+: [^`]*)`", fix.partition(" or `")[0]):
        keys |= yaml.safe_load(text)
    if "columns" in keys:
        mapping = {
            ours: tuple(theirs) if isinstance(theirs, list) else str(theirs)
            for ours, theirs in keys["columns"].items()
        }
        keys["columns"] = options.get("columns", {}) | mapping
    if "`timezone`" in fix:
        keys["timezone"] = "America/New_York"
    return options | {k: tuple(v) if isinstance(v, list) else v for k, v in keys.items()}


@pytest.mark.parametrize("form", FORMS)
def test_following_the_fixes_reads_the_file(reader, form):
    text, first = FORMS[form]
    (reader.folder / "X.csv").write_text(text, encoding="utf-8")
    options, fixes = {"interval": "1m"}, []
    while (error := find_error(reader, options)) is not None:
        assert error.fix not in fixes
        assert len(str(error).splitlines()) <= 20
        fixes.append(error.fix)
        options = follow(error.fix, options)
    bars = reader.bars(**options)
    assert str(bars["timestamp"].iloc[0]) == f"{first} 00:00:00+00:00"
    assert bars.iloc[0][["open", "high", "low", "close", "volume"]].tolist() == PRICES


def find_error(reader, options) -> InvalidBarsError | None:
    try:
        reader.bars(**options)
    except InvalidBarsError as error:
        return error
    return None
