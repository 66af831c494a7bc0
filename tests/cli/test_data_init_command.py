"""`backtest data init`: a manifest that loads and passes the check, from files of many forms."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from typer.testing import CliRunner

from engine.cli.main import app
from engine.data.manifests import read_manifest
from tests.data.formats.samples import zipped

if TYPE_CHECKING:
    from typer.testing import Result

pytestmark = pytest.mark.usefixtures("working_folder")

ALWAYS = pd.date_range("2024-01-01", periods=240, freq="h", tz="UTC")
CRYPTO_DAYS = pd.date_range("2024-01-01", periods=60, freq="D", tz="UTC")
WEEKDAYS = pd.bdate_range("2024-01-01", periods=90, tz="UTC")
# Currencies, from Sunday 17:00 to Friday 17:00 in New York; winter, so that it is 22:00 UTC.
WEEK = pd.date_range("2024-01-07 22:00", "2024-02-16 21:59", freq="h", tz="UTC")
FX_HOURS = WEEK[(WEEK + pd.Timedelta(hours=2)).day_of_week < 5]


def init(*arguments: str) -> Result:
    return CliRunner().invoke(app, ["data", "init", *arguments])


def check(path: str) -> Result:
    return CliRunner().invoke(app, ["data", "check", path, "--json", "--quiet"])


def sessions(first: str, last: str) -> pd.DataFrame:
    """Opens and closes of New York, from its calendar."""
    from engine.data.calendar import trading_schedule

    return trading_schedule("XNYS", pd.Timestamp(first), pd.Timestamp(last))


def stock_hours(first: str = "2024-01-02", last: str = "2024-04-30") -> pd.DatetimeIndex:
    """The hours of New York from its opens, over a change of clocks."""
    hours = [
        pd.date_range(row.open, row.close, freq="h", inclusive="left")
        for row in sessions(first, last).itertuples()
    ]
    return hours[0].append(hours[1:])


def stock_days() -> pd.DatetimeIndex:
    return pd.DatetimeIndex(sessions("2023-01-03", "2024-04-30").index).tz_localize("UTC")


def bars(stamps: pd.DatetimeIndex, digits: int = 2) -> pd.DataFrame:
    """Bars of a random walk; volumes are whole."""
    rng = np.random.default_rng(7)
    close = np.round(100.0 * np.exp(np.cumsum(rng.normal(0, 0.001, len(stamps)))), digits)
    opens = np.append(100.0, close[:-1])
    tick = 10.0**-digits
    return pd.DataFrame(
        {
            "stamp": stamps,
            "open": opens,
            "high": np.round(np.maximum(opens, close) + 3 * tick, digits),
            "low": np.round(np.minimum(opens, close) - 3 * tick, digits),
            "close": close,
            "volume": rng.integers(100, 900, len(stamps)),
        }
    )


def write(
    name: str, frame: pd.DataFrame, template: str, *, before: str = "", newest: bool = False
):
    """A file with a line a bar, by a template of the bar's columns."""
    rows = frame.iloc[::-1] if newest else frame
    lines = [template.format(**row) for row in rows.to_dict("records")]
    Path(name).write_text(before + "\n".join(lines) + "\n", encoding="utf-8")


OHLC = "{open},{high},{low},{close}"
OHLCV = f"{OHLC},{{volume}}"


def binance():
    frame = bars(ALWAYS).assign(n=ALWAYS.astype("datetime64[ms, UTC]").astype("int64"))
    write("BTCUSDT-1h-2024-01.csv", frame, "{n}," + OHLCV + ",1735693199999,1.5,9,1.5,1.5,0")


def kraken():
    frame = bars(ALWAYS).assign(n=ALWAYS.astype("datetime64[s, UTC]").astype("int64"))
    write("XBTUSD_60.csv", frame, "{n}," + OHLCV + ",12")


def cryptodatadownload():
    header = "https://www.CryptoDataDownload.com\nunix,date,symbol,open,high,low,close,Volume BTC,"
    frame = bars(CRYPTO_DAYS)
    row = "0,{stamp:%Y-%m-%d %H:%M:%S},BTC/USDT," + OHLCV + ",1.5,9"
    header += "Volume USDT,tradecount\n"
    write("Binance_BTCUSDT_d.csv", frame, row, before=header, newest=True)


def freqtrade():
    Path("BTC_USDT-1h.json").write_text(
        json.dumps(
            [
                [int(row[0].timestamp() * 1000), *(float(value) for value in row[1:])]
                for row in bars(ALWAYS).itertuples(index=False)
            ]
        )
    )


def metatrader():
    header = "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>\n"
    row = "{stamp:%Y.%m.%d}\t{stamp:%H:%M:%S}\t" + OHLCV.replace(",", "\t") + "\t0\t8"
    # The server is two hours ahead of UTC in winter, as in Athens.
    frame = bars(FX_HOURS + pd.Timedelta(hours=2), 5)
    write("EURUSD_H1_202401080000_202402162100.csv", frame, row, before=header)


def histdata():
    minutes = FX_HOURS[:30].repeat(60) + pd.to_timedelta(list(range(60)) * 30, unit="min")
    frame = bars(minutes - pd.Timedelta(hours=5), 5)
    write(
        "DAT_ASCII_EURUSD_M1_202401.csv",
        frame,
        "{stamp:%Y%m%d %H%M%S};" + OHLC.replace(",", ";") + ";0",
    )


def yfinance_lines():
    header = "Price,Close,High,Low,Open,Volume\nTicker,AAPL,AAPL,AAPL,AAPL,AAPL\nDate,,,,,\n"
    row = "{stamp:%Y-%m-%d},{close},{high},{low},{open},{volume}"
    write("AAPL.csv", bars(stock_days()), row, before=header)


def investing():
    header = '"Date","Price","Open","High","Low","Vol.","Change %"\n'
    row = '"{stamp:%b %d, %Y}","{close}","{open}","{high}","{low}","{volume}K","0.1%"'
    write("AAPL Historical Data.csv", bars(stock_days()), row, before=header, newest=True)


def nasdaq():
    header = "Date,Close/Last,Volume,Open,High,Low\n"
    row = "{stamp:%m/%d/%Y},${close},{volume},${open},${high},${low}"
    write("AAPL_history.csv", bars(stock_days()), row, before=header, newest=True)


def stooq():
    header = "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>\n"
    frame = bars(stock_hours()).assign(
        local=stock_hours().tz_convert("Europe/Warsaw").strftime("%Y%m%d,%H%M%S")
    )
    write("aapl.us.txt", frame, "AAPL.US,60,{local}," + OHLCV + ",0", before=header)


def dukascopy():
    header = "Gmt time,Open,High,Low,Close,Volume\n"
    row = "{stamp:%d.%m.%Y %H:%M:%S}.000," + OHLCV
    write(
        "EURUSD_Candlestick_1_Hour_BID_07.01.2024-16.02.2024.csv",
        bars(FX_HOURS, 5),
        row,
        before=header,
    )


def lean():
    row = "{stamp:%Y%m%d} 00:00,{open},{high},{low},{close},{volume}"
    frame = bars(stock_days())
    for name in ("open", "high", "low", "close"):
        frame[name] = (frame[name] * 10_000).round().astype(int)
    write("text.csv", frame, row)
    Path("spy.zip").write_bytes(zipped("spy.csv", Path("text.csv").read_text()))
    Path("text.csv").unlink()


def tradingview():
    frame = bars(stock_hours()).assign(
        n=stock_hours().astype("datetime64[s, UTC]").astype("int64")
    )
    write("NASDAQ_AAPL, 60.csv", frame, "{n}," + OHLCV, before="time,open,high,low,close,Volume\n")


def interactive_brokers():
    header = "date,open,high,low,close,volume,average,barCount\n"
    frame = bars(stock_hours()).assign(
        local=stock_hours().tz_convert("America/New_York").strftime("%Y%m%d %H:%M:%S US/Eastern")
    )
    write("AAPL.csv", frame, "{local}," + OHLCV + ",1.5,9", before=header)


def ordinary_local_hours():
    frame = bars(stock_hours()).assign(
        local=stock_hours().tz_convert("America/New_York").strftime("%Y-%m-%d %H:%M:%S")
    )
    write("AAPL.csv", frame, "{local}," + OHLCV, before="Datetime,Open,High,Low,Close,Volume\n")


def ordinary_newest_first():
    """As Alpha Vantage writes hours of stocks."""
    frame = bars(stock_hours()).assign(
        local=stock_hours().tz_convert("America/New_York").strftime("%Y-%m-%d %H:%M:%S")
    )
    header = "timestamp,open,high,low,close,volume\n"
    write("IBM.csv", frame, "{local}," + OHLCV, before=header, newest=True)


def unknown_names():
    """Nothing but the order of the bars tells that the day is first."""
    header = "Day;First;Max;Min;Last;Vol\n"
    frame = bars(CRYPTO_DAYS[9:12].append(CRYPTO_DAYS[31:43]))
    row = "{stamp:%d/%m/%Y};{open};{high};{low};{close};{volume}"
    write("COIN.csv", frame, row, before=header)


FORMS = {
    "binance": (binance, "binance", "1h", "24/7", "BTCUSDT", None),
    "kraken": (kraken, "kraken", "1h", "24/7", "XBTUSD", None),
    "cryptodatadownload": (
        *(cryptodatadownload, "cryptodatadownload", "1d", "24/7", "BTCUSDT", None),
    ),
    "freqtrade": (freqtrade, "freqtrade", "1h", "24/7", "BTC_USDT", None),
    "metatrader": (metatrader, "metatrader", "1h", "24/5", "EURUSD", "Europe/Athens"),
    "histdata": (histdata, "histdata", "1m", "24/5", "EURUSD", None),
    "yfinance": (yfinance_lines, "yfinance", "1d", "XNYS", "AAPL", None),
    "investing": (investing, "investing", "1d", "XNYS", "AAPL", None),
    "nasdaq": (nasdaq, "nasdaq", "1d", "XNYS", "AAPL", None),
    "stooq": (stooq, "stooq", "1h", "XNYS", "aapl.us", None),
    "dukascopy": (dukascopy, "dukascopy", "1h", "24/5", "EURUSD", None),
    "lean": (lean, "lean", "1d", "XNYS", "spy", None),
    "tradingview": (tradingview, "tradingview", "1h", "XNYS", "AAPL", None),
    "interactive_brokers": (
        *(interactive_brokers, "interactive_brokers", "1h", "XNYS", "AAPL", None),
    ),
    "local hours": (ordinary_local_hours, None, "1h", "XNYS", "AAPL", "America/New_York"),
    "newest first": (ordinary_newest_first, None, "1h", "XNYS", "IBM", "America/New_York"),
    "unknown names": (unknown_names, None, "1d", "24/7", "COIN", None),
}


@pytest.mark.parametrize("name", FORMS)
def test_the_manifest_of_a_form_loads_and_passes_the_check(name: str) -> None:
    make, form, interval, calendar, symbol, zone = FORMS[name]
    make()
    (file,) = (path.name for path in Path().iterdir())
    result = init(file, "--output", "mine.yaml")
    assert result.exit_code == 0, result.output
    dataset = read_manifest("mine.yaml").dataset
    (source,) = dataset.sources
    assert (dataset.interval, dataset.symbols) == (interval, (symbol,))
    assert (dataset.calendar, source.format, source.timezone) == (calendar, form, zone)
    assert dataset.day_begins == ("17:00 America/New_York" if calendar == "24/5" else None)
    checked = check("mine.yaml")
    assert checked.exit_code == 0, checked.output
    assert "closed_days" not in checked.output
    text = Path("mine.yaml").read_text()
    assert max(map(len, text.splitlines())) <= 80
    assert "# the usual step, " in text
    assert "Next: backtest data check mine.yaml" in result.stdout


def test_to_a_pipe_the_manifest_is_printed_and_nothing_is_written(working_folder: Path) -> None:
    kraken()
    result = init("XBTUSD_60.csv")
    assert result.exit_code == 0
    assert "format: kraken" in result.stdout
    assert init("XBTUSD_60.csv", "--output", "-").stdout == result.stdout
    assert [path.name for path in working_folder.iterdir()] == ["XBTUSD_60.csv"]
    Path("printed.yaml").write_text(result.stdout)
    assert check("printed.yaml").exit_code == 0


def test_the_path_is_relative_to_the_manifest(working_folder: Path) -> None:
    kraken()
    (working_folder / "datasets").mkdir()
    assert init("XBTUSD_60.csv", "-o", "datasets/btc.yaml").exit_code == 0
    dataset = read_manifest("btc").dataset
    assert dataset.name == "btc"
    assert dataset.sources[0].path == ".."
    assert check("btc").exit_code == 0


def test_name_and_calendar_are_those_that_are_given() -> None:
    ordinary_local_hours()
    result = init("AAPL.csv", "--name", "apple", "--calendar", "XTSE", "--json")
    document = json.loads(result.stdout)
    assert document["manifest"]["name"] == "apple"
    assert document["manifest"]["calendar"] == "XTSE"
    assert document["inferred"]["calendar"] == "as given"
    assert document["path"] is None


def test_the_zone_of_a_given_calendar_may_be_another_than_its_own() -> None:
    frame = bars(stock_hours()).assign(
        local=stock_hours().tz_convert("Europe/Berlin").strftime("%Y-%m-%d %H:%M:%S")
    )
    write("AAPL.csv", frame, "{local}," + OHLCV, before="Datetime,Open,High,Low,Close,Volume\n")
    init("AAPL.csv", "--calendar", "XNYS", "-o", "a.yaml")
    assert read_manifest("a.yaml").dataset.sources[0].timezone == "Europe/Berlin"


def test_a_file_of_closes_is_declared_as_one() -> None:
    write("SPY.csv", bars(stock_days()), "{stamp:%Y-%m-%d},{close}", before="date,close\n")
    assert init("SPY.csv", "-o", "closes.yaml").exit_code == 0
    source = read_manifest("closes.yaml").dataset.sources[0]
    assert (source.prices, source.volume) == ("close", "none")
    assert check("closes.yaml").exit_code == 0


def test_a_long_file_has_its_symbols_in_a_column() -> None:
    frame = bars(stock_days())
    rows = [frame.assign(ticker=name) for name in ("AAPL", "NO", "600000")]
    header = "date,open,high,low,close,volume,Name\n"
    write("all.csv", pd.concat(rows), "{stamp:%Y-%m-%d}," + OHLCV + ",{ticker}", before=header)
    assert init("all.csv", "-o", "all.yaml").exit_code == 0
    dataset = read_manifest("all.yaml").dataset
    assert dataset.symbols == ("AAPL", "NO", "600000")
    assert dataset.sources[0].where == {"Name": "{symbol}"}
    assert check("all.yaml").exit_code == 0


def test_files_of_one_form_make_one_dataset_and_a_pattern() -> None:
    for symbol in ("BTCUSDT", "ETHUSDT"):
        kraken()
        Path("XBTUSD_60.csv").rename(f"{symbol}_60.csv")
    assert init("BTCUSDT_60.csv", "ETHUSDT_60.csv", "-o", "two.yaml").exit_code == 0
    dataset = read_manifest("two.yaml").dataset
    assert dataset.symbols == ("BTCUSDT", "ETHUSDT")
    assert dataset.sources[0].pattern == "{symbol}_60.csv"
    assert check("two.yaml").exit_code == 0


def test_months_of_one_symbol_are_one_pattern() -> None:
    binance()
    lines = Path("BTCUSDT-1h-2024-01.csv").read_text().splitlines(keepends=True)
    Path("BTCUSDT-1h-2024-01.csv").write_text("".join(lines[:120]))
    Path("BTCUSDT-1h-2024-02.csv").write_text("".join(lines[120:]))
    files = [path.name for path in sorted(Path().iterdir())]
    assert init(*files, "-o", "m.yaml").exit_code == 0
    assert read_manifest("m.yaml").dataset.sources[0].pattern == "{symbol}-1h-2024-0*.csv"
    assert json.loads(check("m.yaml").stdout)["bars"] == {"BTCUSDT": 240}


def test_an_existing_file_is_replaced_only_with_force() -> None:
    kraken()
    Path("mine.yaml").write_text("precious")
    result = init("XBTUSD_60.csv", "-o", "mine.yaml")
    assert result.exit_code == 2
    assert "--force" in result.stderr
    assert Path("mine.yaml").read_text() == "precious"
    assert init("XBTUSD_60.csv", "-o", "mine.yaml", "--force").exit_code == 0


def test_bars_that_are_not_fit_are_told_and_written() -> None:
    kraken()
    lines = Path("XBTUSD_60.csv").read_text().splitlines()
    stamp, *cells = lines[100].split(",")
    lines[100] = ",".join([stamp, *(str(float(cell) * 100) for cell in cells)])
    Path("XBTUSD_60.csv").write_text("\n".join(lines) + "\n")
    result = init("XBTUSD_60.csv", "-o", "mine.yaml")
    assert result.exit_code == 3
    assert "the bars are not fit yet" in result.stderr
    assert "# NOT FIT FOR A RUN YET" in Path("mine.yaml").read_text()
    assert check("mine.yaml").exit_code == 3


def test_an_ambiguous_form_needs_the_option(working_folder: Path) -> None:
    histdata()
    Path("DAT_ASCII_EURUSD_M1_202401.csv").rename("EURUSD.csv")
    result = init("EURUSD.csv", "-o", "mine.yaml")
    assert result.exit_code == 3
    assert "--format histdata or --format ninjatrader" in result.stderr
    assert not (working_folder / "mine.yaml").exists()
    assert init("EURUSD.csv", "-o", "mine.yaml", "--format", "histdata").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("nowhere.csv",), 3, "there is no such file"),
        (("XBTUSD_60.csv", "--format", "krakn"), 2, "did you mean `kraken`?"),
        (("XBTUSD_60.csv", "--calendar", "XNYC"), 2, "did you mean XNYS?"),
        (("XBTUSD_60.csv", "-o", "mine.csv"), 2, "--output mine.yaml"),
        (("XBTUSD_60.csv", "-o", "none/mine.yaml"), 2, "mkdir -p none"),
        (("picture.csv",), 3, "cannot be read as a table"),
        (("XBTUSD_60.csv", "ORDINARY.csv"), 2, "the files are not of one form"),
        (("ten_minutes.csv",), 3, "bars of 10 minutes are not an interval"),
    ],
)
def test_what_cannot_be_done_is_told_and_writes_nothing(
    arguments: tuple[str, ...], code: int, message: str
) -> None:
    kraken()
    Path("picture.csv").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 4)
    header = "Datetime,Open,High,Low,Close,Volume\n"
    write("ORDINARY.csv", bars(ALWAYS), "{stamp}," + OHLCV, before=header)
    tens = pd.date_range("2024-01-01", periods=90, freq="10min", tz="UTC")
    write("ten_minutes.csv", bars(tens), "{stamp}," + OHLCV, before=header)
    result = init(*arguments)
    assert result.exit_code == code, result.output
    assert message in result.stderr
    assert list(Path().glob("*.yaml")) == []


def test_a_folder_stands_for_its_files_of_bars() -> None:
    Path("bars").mkdir()
    kraken()
    Path("XBTUSD_60.csv").rename("bars/XBTUSD_60.csv")
    Path("bars/README.md").write_text("a,b\n1,2\n")
    assert init("bars", "-o", "mine.yaml").exit_code == 0
    assert read_manifest("mine.yaml").dataset.symbols == ("XBTUSD",)
    Path("empty").mkdir()
    assert init("empty").exit_code == 3


def test_a_table_that_holds_no_bars_is_an_error_about_its_columns() -> None:
    Path("X.csv").write_text("a,b,c\n1,2,3\n4,5,6\n")
    result = init("X.csv")
    assert result.exit_code == 3
    assert "NAME" not in result.stderr.splitlines()[0]
    assert len(result.stderr.splitlines()) <= 20
