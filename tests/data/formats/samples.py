"""Made-up files of every known form: the exact shape that each program writes, invented prices."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import dataclass, field

import pandas as pd

Row = tuple[str, float, float, float, float, float | None]


@dataclass(frozen=True)
class Sample:
    """A file of a known form and the bars that it holds.

    Attributes:
        form: The form's name.
        interval: Of its bars.
        bars: Timestamp (UTC, ISO 8601), open, high, low, close and volume in ascending order.
        name: Name of the file; the symbol is X.
        content: Text, or bytes.
        keys: Further keys of a files source that the form needs.
        recognised: Whether `auto` recognises it without these keys.
    """

    form: str
    interval: str
    bars: tuple[Row, ...]
    content: str | bytes
    name: str = "X.csv"
    keys: dict[str, object] = field(default_factory=dict)
    recognised: bool = True

    @property
    def data(self) -> bytes:
        return self.content.encode() if isinstance(self.content, str) else self.content


def zipped(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, text)
    return buffer.getvalue()


def feather(rows: tuple[Row, ...]) -> bytes:
    frame = pd.DataFrame(rows, columns=["date", "open", "high", "low", "close", "volume"])
    frame["date"] = pd.to_datetime(frame["date"], utc=True).astype("datetime64[ms, UTC]")
    buffer = io.BytesIO()
    frame.to_feather(buffer)
    return buffer.getvalue()


def lines(*rows: str, newline: str = "\n") -> str:
    return newline.join(rows) + newline


HOURS: tuple[Row, ...] = (
    ("2024-12-31T22:00Z", 93576.0, 94509.42, 93489.03, 94401.14, 755.9901),
    ("2024-12-31T23:00Z", 94401.13, 94408.72, 93578.77, 93607.74, 586.53456),
    ("2025-01-01T00:00Z", 93607.74, 94105.12, 93594.56, 94098.91, 276.78045),
)
DAYS: tuple[Row, ...] = (
    ("2024-03-04", 100.25, 103.5, 99.125, 102.75, 1200.0),
    ("2024-03-05", 102.75, 104.0, 101.0, 101.5, 2500.0),
    ("2024-03-06", 101.5, 102.0, 98.5, 99.75, 900.0),
)
NO_VOLUME_DAYS = tuple((*row[:5], None) for row in DAYS)
FX_MINUTES: tuple[Row, ...] = (
    ("2012-02-01T05:00Z", 1.3066, 1.3067, 1.30656, 1.30657, None),
    ("2012-02-01T05:01Z", 1.30657, 1.30658, 1.30647, 1.30656, None),
    ("2012-02-01T05:02Z", 1.30652, 1.30656, 1.30652, 1.30655, None),
)
# The same clock in winter and in summer: 14:30 and 13:30 UTC are both 09:30 in New York.
STOCK_MINUTES: tuple[Row, ...] = (
    ("2024-03-08T14:30Z", 645.0, 646.25, 644.5, 645.75, 90.0),
    ("2024-03-08T14:31Z", 645.75, 647.0, 645.5, 646.5, 40.0),
    ("2024-03-11T13:30Z", 646.5, 648.0, 646.0, 647.25, 70.0),
)

BINANCE_TAIL = "1735693199999,71068810.55946380,93525,421.08319000,39596777.77992590,0"

SAMPLES: dict[str, Sample] = {
    "binance, both units": Sample(
        "binance",
        "1h",
        HOURS,
        lines(
            f"1735682400000,93576.00,94509.42,93489.03,94401.14,755.99010000,{BINANCE_TAIL}",
            f"1735686000000,94401.13,94408.72,93578.77,93607.74,586.53456000,{BINANCE_TAIL}",
            f"1735689600000000,93607.74,94105.12,93594.56,94098.91,276.78045000,{BINANCE_TAIL}",
        ),
    ),
    "binance, futures in a zip file": Sample(
        "binance",
        "1h",
        HOURS,
        zipped(
            "X-1h-2025-01.csv",
            lines(
                "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
                "taker_buy_volume,taker_buy_quote_volume,ignore",
                f"1735682400000,93576.00,94509.42,93489.03,94401.14,755.9901,{BINANCE_TAIL}",
                f"1735686000000,94401.13,94408.72,93578.77,93607.74,586.53456,{BINANCE_TAIL}",
                f"1735689600000,93607.74,94105.12,93594.56,94098.91,276.78045,{BINANCE_TAIL}",
            ),
        ),
        name="X.zip",
        keys={"pattern": "{symbol}.zip"},
    ),
    "kraken": Sample(
        "kraken",
        "1h",
        HOURS,
        lines(
            "1735682400,93576.0,94509.42,93489.03,94401.14,755.9901,1204",
            "1735686000,94401.13,94408.72,93578.77,93607.74,586.53456,987",
            "1735689600,93607.74,94105.12,93594.56,94098.91,276.78045,455",
        ),
    ),
    "cryptodatadownload": Sample(
        "cryptodatadownload",
        "1h",
        HOURS,
        lines(
            "https://www.CryptoDataDownload.com",
            "unix,date,symbol,open,high,low,close,Volume BTC,Volume USDT,tradecount",
            "1735689600000,2025-01-01 00:00:00,BTC/USDT,93607.74,94105.12,93594.56,94098.91,"
            "276.78045,26000000.5,455",
            "1735686000000,2024-12-31 23:00:00,BTC/USDT,94401.13,94408.72,93578.77,93607.74,"
            "586.53456,55000000.5,987",
            "1735682400000,2024-12-31 22:00:00,BTC/USDT,93576.0,94509.42,93489.03,94401.14,"
            "755.9901,71000000.5,1204",
        ),
    ),
    "cryptodatadownload, quote volume first, hours of twelve": Sample(
        "cryptodatadownload",
        "1h",
        HOURS,
        lines(
            "https://www.CryptoDataDownload.com",
            "Date,Symbol,Open,High,Low,Close,Volume USD,Volume BTC",
            "2025-01-01 12-AM,BTCUSD,93607.74,94105.12,93594.56,94098.91,26000000.5,276.78045",
            "2024-12-31 11-PM,BTCUSD,94401.13,94408.72,93578.77,93607.74,55000000.5,586.53456",
            "2024-12-31 10-PM,BTCUSD,93576.0,94509.42,93489.03,94401.14,71000000.5,755.9901",
        ),
    ),
    "coinmarketcap": Sample(
        "coinmarketcap",
        "1d",
        DAYS,
        lines(
            "timeOpen;timeClose;timeHigh;timeLow;name;open;high;low;close;volume;marketCap;"
            "circulatingSupply;timestamp",
            *(
                f'"{day}T00:00:00.000Z";"{day}T23:59:59.999Z";"{day}T15:53:00.000Z";'
                f'"{day}T00:34:00.000Z";"2781";{o};{h};{low};{c};{v};1976000000;19000000;'
                f'"{day}T23:59:59.999Z"'
                for day, o, h, low, c, v in reversed(DAYS)
            ),
        ),
    ),
    "coinmarketcap, the table of the site": Sample(
        "coinmarketcap",
        "1d",
        DAYS,
        lines(
            "Date,Open,High,Low,Close,Volume,Market Cap",
            '"Mar 06, 2024",101.50,102.00,98.50,99.75,900,"1,976,000,000"',
            '"Mar 05, 2024",102.75,104.00,101.00,101.50,"2,500","1,976,000,000"',
            '"Mar 04, 2024",100.25,103.50,99.125,102.75,"1,200","1,976,000,000"',
        ),
    ),
    "freqtrade, JSON": Sample(
        "freqtrade",
        "1h",
        HOURS,
        json.dumps(
            [[int(pd.Timestamp(stamp).timestamp() * 1000), *values] for stamp, *values in HOURS]
        ),
        name="X.json",
        keys={"pattern": "{symbol}.json"},
    ),
    "freqtrade, Feather": Sample(
        "freqtrade",
        "1h",
        HOURS,
        feather(HOURS),
        name="X.feather",
        keys={"pattern": "{symbol}.feather"},
    ),
    "metatrader 5, ticks for volume": Sample(
        "metatrader",
        "1h",
        tuple((*row[:5], ticks) for row, ticks in zip(HOURS, (373.0, 328.0, 309.0), strict=True)),
        lines(
            "<DATE>\t<TIME>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            "2025.01.01\t00:00:00\t93576.00\t94509.42\t93489.03\t94401.14\t373\t0\t86",
            "2025.01.01\t01:00:00\t94401.13\t94408.72\t93578.77\t93607.74\t328\t0\t86",
            "2025.01.01\t02:00:00\t93607.74\t94105.12\t93594.56\t94098.91\t309\t0\t86",
            newline="\r\n",
        ),
        keys={"timezone": "Europe/Athens"},
        recognised=False,
    ),
    "metatrader 5, traded volume, days": Sample(
        "metatrader",
        "1d",
        DAYS,
        lines(
            "<DATE>\t<OPEN>\t<HIGH>\t<LOW>\t<CLOSE>\t<TICKVOL>\t<VOL>\t<SPREAD>",
            *(
                f"{day.replace('-', '.')}\t{o}\t{h}\t{low}\t{c}\t17\t{v:.0f}\t1"
                for day, o, h, low, c, v in DAYS
            ),
        ),
    ),
    "metatrader 4": Sample(
        "metatrader",
        "1h",
        tuple((stamp, *row, 5.0) for stamp, *row, _ in HOURS),
        lines(
            "2025.01.01,00:00,93576.00,94509.42,93489.03,94401.14,5",
            "2025.01.01,01:00,94401.13,94408.72,93578.77,93607.74,5",
            "2025.01.01,02:00,93607.74,94105.12,93594.56,94098.91,5",
        ),
        keys={"timezone": "Europe/Athens"},
        recognised=False,
    ),
    "metatrader, its Python package": Sample(
        "metatrader",
        "1d",
        DAYS,
        lines(
            "time,open,high,low,close,tick_volume,spread,real_volume",
            *(f"{day},{o},{h},{low},{c},{v:.0f},1,0" for day, o, h, low, c, v in DAYS),
        ),
    ),
    "histdata": Sample(
        "histdata",
        "1m",
        FX_MINUTES,
        lines(
            "20120201 000000;1.306600;1.306700;1.306560;1.306570;0",
            "20120201 000100;1.306570;1.306580;1.306470;1.306560;0",
            "20120201 000200;1.306520;1.306560;1.306520;1.306550;0",
        ),
        name="DAT_ASCII_X_M1_201202.csv",
        keys={"pattern": "DAT_ASCII_{symbol}_M1_201202.csv"},
    ),
    "histdata, for MetaTrader": Sample(
        "histdata",
        "1m",
        FX_MINUTES,
        lines(
            "2012.02.01,00:00,1.306600,1.306700,1.306560,1.306570,0",
            "2012.02.01,00:01,1.306570,1.306580,1.306470,1.306560,0",
            "2012.02.01,00:02,1.306520,1.306560,1.306520,1.306550,0",
        ),
        name="DAT_MT_X_M1_201202.csv",
        keys={"pattern": "DAT_MT_{symbol}_M1_201202.csv"},
    ),
    "ninjatrader, minutes by their end": Sample(
        "ninjatrader",
        "1m",
        STOCK_MINUTES,
        lines(
            "20240308 143100;645;646.25;644.5;645.75;90",
            "20240308 143200;645.75;647;645.5;646.5;40",
            "20240311 133100;646.5;648;646;647.25;70",
        ),
        name="X.Last.txt",
        keys={"pattern": "{symbol}.Last.txt"},
    ),
    "ninjatrader, days": Sample(
        "ninjatrader",
        "1d",
        DAYS,
        lines(
            *(f"{day.replace('-', '')};{o};{h};{low};{c};{v:.0f}" for day, o, h, low, c, v in DAYS)
        ),
    ),
    "lean, days of shares": Sample(
        "lean",
        "1d",
        DAYS,
        zipped(
            "x.csv",
            lines(
                *(
                    f"{day.replace('-', '')} 00:00,{o * 1e4:.0f},{h * 1e4:.0f},{low * 1e4:.0f},"
                    f"{c * 1e4:.0f},{v:.0f}"
                    for day, o, h, low, c, v in DAYS
                )
            ),
        ),
        name="X.zip",
        keys={"pattern": "{symbol}.zip"},
    ),
    "lean, hours of crypto": Sample(
        "lean",
        "1h",
        HOURS,
        zipped(
            "x.csv",
            lines(
                "20241231 22:00,93576.0,94509.42,93489.03,94401.14,755.9901",
                "20241231 23:00,94401.13,94408.72,93578.77,93607.74,586.53456",
                "20250101 00:00,93607.74,94105.12,93594.56,94098.91,276.78045",
            ),
        ),
        name="X_trade.zip",
        keys={"pattern": "{symbol}_trade.zip", "timezone": "UTC"},
        recognised=False,
    ),
    "dukascopy, GMT": Sample(
        "dukascopy",
        "1h",
        HOURS,
        lines(
            "Gmt time,Open,High,Low,Close,Volume",
            "31.12.2024 22:00:00.000,93576.0,94509.42,93489.03,94401.14,755.9901",
            "31.12.2024 23:00:00.000,94401.13,94408.72,93578.77,93607.74,586.53456",
            "01.01.2025 00:00:00.000,93607.74,94105.12,93594.56,94098.91,276.78045",
        ),
    ),
    "dukascopy, local time": Sample(
        "dukascopy",
        "1h",
        HOURS,
        lines(
            "Local time,Open,High,Low,Close,Volume",
            "01.01.2025 06:00:00.000 GMT+0800,93576.0,94509.42,93489.03,94401.14,755.9901",
            "01.01.2025 07:00:00.000 GMT+0800,94401.13,94408.72,93578.77,93607.74,586.53456",
            "01.01.2025 08:00:00.000 GMT+0800,93607.74,94105.12,93594.56,94098.91,276.78045",
        ),
    ),
    "dukascopy, JForex": Sample(
        "dukascopy",
        "1h",
        HOURS,
        lines(
            "Time (EET),Open,High,Low,Close,Volume ",
            "2025.01.01 00:00:00,93576.0,94509.42,93489.03,94401.14,755.9901",
            "2025.01.01 01:00:00,94401.13,94408.72,93578.77,93607.74,586.53456",
            "2025.01.01 02:00:00,93607.74,94105.12,93594.56,94098.91,276.78045",
        ),
    ),
    "interactive brokers, a zone in each cell": Sample(
        "interactive_brokers",
        "1m",
        STOCK_MINUTES,
        lines(
            "date,open,high,low,close,volume,average,barCount",
            "20240308 09:30:00 US/Eastern,645,646.25,644.5,645.75,90,645.5,12",
            "20240308 09:31:00 US/Eastern,645.75,647,645.5,646.5,40,646,9",
            "20240311 09:30:00 US/Eastern,646.5,648,646,647.25,70,647,10",
        ),
    ),
    "interactive brokers, an index and offsets": Sample(
        "interactive_brokers",
        "1m",
        STOCK_MINUTES,
        lines(
            ",date,open,high,low,close,volume,average,barCount",
            "0,2024-03-08 09:30:00-05:00,645,646.25,644.5,645.75,90.0,645.5,12",
            "1,2024-03-08 09:31:00-05:00,645.75,647,645.5,646.5,40.0,646,9",
            "2,2024-03-11 09:30:00-04:00,646.5,648,646,647.25,70.0,647,10",
        ),
    ),
    "interactive brokers, currencies without a volume": Sample(
        "interactive_brokers",
        "1d",
        NO_VOLUME_DAYS,
        lines(
            "date,open,high,low,close,volume,average,barCount",
            *(
                f"{day.replace('-', '')},{o},{h},{low},{c},-1,-1,-1"
                for day, o, h, low, c, _ in DAYS
            ),
        ),
    ),
    "tradingview, numbers since 1970": Sample(
        "tradingview",
        "1m",
        STOCK_MINUTES,
        lines(
            "time,open,high,low,close,Volume,Volume MA",
            "1709908200,645,646.25,644.5,645.75,90,80.5",
            "1709908260,645.75,647,645.5,646.5,40,80.5",
            "1710163800,646.5,648,646,647.25,70,80.5",
        ),
        name="EXCHANGE_X, 1.csv",
        keys={"pattern": "EXCHANGE_{symbol}, 1.csv"},
    ),
    "tradingview, without a volume": Sample(
        "tradingview",
        "1m",
        tuple((*row[:5], None) for row in STOCK_MINUTES),
        lines(
            "time,open,high,low,close",
            "2024-03-08T09:30:00-05:00,645,646.25,644.5,645.75",
            "2024-03-08T09:31:00-05:00,645.75,647,645.5,646.5",
            "2024-03-11T09:30:00-04:00,646.5,648,646,647.25",
        ),
    ),
    "yfinance, three lines of names": Sample(
        "yfinance",
        "1d",
        DAYS,
        lines(
            "Price,Close,High,Low,Open,Volume",
            "Ticker,X,X,X,X,X",
            "Date,,,,,",
            *(f"{day},{c},{h},{low},{o},{v:.0f}" for day, o, h, low, c, v in DAYS),
        ),
    ),
    "yfinance, history of a stock": Sample(
        "yfinance",
        "1m",
        STOCK_MINUTES,
        lines(
            "Datetime,Open,High,Low,Close,Volume,Dividends,Stock Splits",
            "2024-03-08 09:30:00-05:00,645,646.25,644.5,645.75,90,0.0,0.0",
            "2024-03-08 09:31:00-05:00,645.75,647,645.5,646.5,40,0.0,0.0",
            "2024-03-11 09:30:00-04:00,646.5,648,646,647.25,70,0.0,0.0",
        ),
    ),
    "investing": Sample(
        "investing",
        "1d",
        DAYS,
        lines(
            '"Date","Price","Open","High","Low","Vol.","Change %"',
            '"Mar 06, 2024","99.75","101.50","102.00","98.50","0.90K","-1.72%"',
            '"Mar 05, 2024","101.50","102.75","104.00","101.00","2.50K","-1.22%"',
            '"Mar 04, 2024","102.75","100.25","103.50","99.125","1.20K","2.49%"',
            newline="\r\n",
        ),
    ),
    "investing, German edition": Sample(
        "investing",
        "1d",
        tuple((day, *(1000 * p for p in prices), v) for day, *prices, v in DAYS),
        lines(
            '"Datum","Zuletzt","Eröffn.","Hoch","Tief","Vol.","+/- %"',
            '"06.03.2024","99.750,00","101.500,00","102.000,00","98.500,00","0,90K","-1,72%"',
            '"05.03.2024","101.500,00","102.750,00","104.000,00","101.000,00","2,50K","-1,22%"',
            '"04.03.2024","102.750,00","100.250,00","103.500,00","99.125,00","1,20K","2,49%"',
        ),
    ),
    "investing, a currency": Sample(
        "investing",
        "1d",
        NO_VOLUME_DAYS,
        lines(
            '"Date","Price","Open","High","Low","Vol.","Change %"',
            '"03/06/2024","99.75","101.50","102.00","98.50","","-1.72%"',
            '"03/05/2024","101.50","102.75","104.00","101.00","","-1.22%"',
            '"03/04/2024","102.75","100.25","103.50","99.125","","2.49%"',
        ),
        keys={"dates": "month_first"},
        recognised=False,
    ),
    "nasdaq": Sample(
        "nasdaq",
        "1d",
        DAYS,
        lines(
            "Date,Close/Last,Volume,Open,High,Low",
            "03/06/2024,$99.75,900,$101.50,$102.00,$98.50",
            "03/05/2024,$101.50,2500,$102.75,$104.00,$101.00",
            "03/04/2024,$102.75,1200,$100.25,$103.50,$99.125",
        ),
    ),
    "nasdaq, an index": Sample(
        "nasdaq",
        "1d",
        NO_VOLUME_DAYS,
        lines(
            "Date,Close/Last,Volume,Open,High,Low",
            "03/06/2024,99.75,N/A,101.50,102.00,98.50",
            "03/05/2024,101.50,N/A,102.75,104.00,101.00",
            "03/04/2024,102.75,N/A,100.25,103.50,99.125",
        ),
    ),
    "stooq, five minutes": Sample(
        "stooq",
        "1m",
        STOCK_MINUTES,
        lines(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            "X.US,1,20240308,153000,645,646.25,644.5,645.75,90,0",
            "X.US,1,20240308,153100,645.75,647,645.5,646.5,40,0",
            "X.US,1,20240311,143000,646.5,648,646,647.25,70,0",
        ),
        name="X.us.txt",
        keys={"pattern": "{symbol}.us.txt"},
    ),
    "stooq, days": Sample(
        "stooq",
        "1d",
        DAYS,
        lines(
            "<TICKER>,<PER>,<DATE>,<TIME>,<OPEN>,<HIGH>,<LOW>,<CLOSE>,<VOL>,<OPENINT>",
            *(
                f"X.US,D,{day.replace('-', '')},000000,{o},{h},{low},{c},{v:.0f},0"
                for day, o, h, low, c, v in DAYS
            ),
        ),
    ),
    "stooq, in Polish": Sample(
        "stooq",
        "1d",
        DAYS,
        lines(
            "Data,Otwarcie,Najwyzszy,Najnizszy,Zamkniecie,Wolumen",
            *(f"{day},{o},{h},{low},{c},{v:.0f}" for day, o, h, low, c, v in DAYS),
        ),
    ),
    "alphavantage, minutes": Sample(
        "alphavantage",
        "1m",
        STOCK_MINUTES,
        lines(
            "timestamp,open,high,low,close,volume",
            "2024-03-11 09:30:00,646.5000,648.0000,646.0000,647.2500,70",
            "2024-03-08 09:31:00,645.7500,647.0000,645.5000,646.5000,40",
            "2024-03-08 09:30:00,645.0000,646.2500,644.5000,645.7500,90",
        ),
        recognised=False,
    ),
    "alphavantage, adjusted days": Sample(
        "alphavantage",
        "1d",
        DAYS,
        lines(
            "timestamp,open,high,low,close,adjusted_close,volume,dividend_amount,"
            "split_coefficient",
            *(
                f"{day},{o},{h},{low},{c},{c / 2},{v:.0f},0.0000,1.0"
                for day, o, h, low, c, v in reversed(DAYS)
            ),
        ),
    ),
    "alphavantage, JSON": Sample(
        "alphavantage",
        "1m",
        STOCK_MINUTES,
        json.dumps(
            {
                "Meta Data": {
                    "1. Information": "Intraday (1min) open, high, low, close prices and volume",
                    "2. Symbol": "X",
                    "6. Time Zone": "US/Eastern",
                },
                "Time Series (1min)": {
                    stamp: dict(
                        zip(
                            ("1. open", "2. high", "3. low", "4. close", "5. volume"),
                            map(str, values),
                            strict=True,
                        )
                    )
                    for stamp, *values in (
                        ("2024-03-11 09:30:00", *STOCK_MINUTES[2][1:]),
                        ("2024-03-08 09:31:00", *STOCK_MINUTES[1][1:]),
                        ("2024-03-08 09:30:00", *STOCK_MINUTES[0][1:]),
                    )
                },
            },
            indent=4,
        ),
        name="X.json",
        keys={"pattern": "{symbol}.json"},
    ),
    "databento, pretty": Sample(
        "databento",
        "1m",
        STOCK_MINUTES,
        lines(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume,symbol",
            "2024-03-08T14:30:00.000000000Z,33,1,7,645.000000000,646.250000000,644.500000000,"
            "645.750000000,90,X",
            "2024-03-08T14:31:00.000000000Z,33,1,7,645.750000000,647.000000000,645.500000000,"
            "646.500000000,40,X",
            "2024-03-11T13:30:00.000000000Z,33,1,7,646.500000000,648.000000000,646.000000000,"
            "647.250000000,70,X",
        ),
    ),
    "databento, whole numbers": Sample(
        "databento",
        "1m",
        STOCK_MINUTES,
        lines(
            "ts_event,rtype,publisher_id,instrument_id,open,high,low,close,volume",
            "1709908200000000000,33,1,7,645000000000,646250000000,644500000000,645750000000,90",
            "1709908260000000000,33,1,7,645750000000,647000000000,645500000000,646500000000,40",
            "1710163800000000000,33,1,7,646500000000,648000000000,646000000000,647250000000,70",
        ),
    ),
    "polygon, one file with many tickers": Sample(
        "polygon",
        "1m",
        STOCK_MINUTES,
        lines(
            "ticker,volume,open,close,high,low,window_start,transactions",
            "A,4930,200.29,200.5,200.63,200.29,1709908200000000000,129",
            "X,90,645,645.75,646.25,644.5,1709908200000000000,9",
            "X,40,645.75,646.5,647,645.5,1709908260000000000,5",
            "X,70,646.5,647.25,648,646,1710163800000000000,7",
        ),
        name="2024-03.csv",
        keys={"pattern": "2024-03.csv"},
    ),
    "polygon, days of stocks": Sample(
        "polygon",
        "1d",
        DAYS,
        lines(
            "ticker,volume,open,close,high,low,window_start,transactions",
            *(
                f"X,{v:.0f},{o},{c},{h},{low},{pd.Timestamp(day, tz='America/New_York').value},7"
                for day, o, h, low, c, v in DAYS
            ),
        ),
    ),
    "polygon, JSON": Sample(
        "polygon",
        "1m",
        STOCK_MINUTES,
        json.dumps(
            {
                "ticker": "X",
                "queryCount": 3,
                "results": [
                    {
                        "v": v,
                        "vw": 645.5,
                        "o": o,
                        "c": c,
                        "h": h,
                        "l": low,
                        "t": int(pd.Timestamp(stamp).timestamp() * 1000),
                        "n": 9,
                    }
                    for stamp, o, h, low, c, v in STOCK_MINUTES
                ],
                "status": "OK",
            }
        ),
        name="X.json",
        keys={"pattern": "{symbol}.json"},
    ),
    "tiingo": Sample(
        "tiingo",
        "1d",
        DAYS,
        lines(
            "date,close,high,low,open,volume,adjClose,adjHigh,adjLow,adjOpen,adjVolume,divCash,"
            "splitFactor",
            *(
                f"{day}T00:00:00+00:00,{c},{h},{low},{o},{v:.0f},1,1,1,1,1,0.0,1.0"
                for day, o, h, low, c, v in DAYS
            ),
        ),
    ),
    "firstrate": Sample(
        "firstrate",
        "1m",
        STOCK_MINUTES,
        lines(
            "2024-03-08 09:30:00,645,646.25,644.5,645.75,90",
            "2024-03-08 09:31:00,645.75,647,645.5,646.5,40",
            "2024-03-11 09:30:00,646.5,648,646,647.25,70",
        ),
        name="X_full_1min_adjsplitdiv.txt",
        keys={"pattern": "{symbol}_full_1min_adjsplitdiv.txt"},
    ),
    "kibot": Sample(
        "kibot",
        "1m",
        STOCK_MINUTES,
        lines(
            "03/08/2024,09:30,645,646.25,644.5,645.75,90",
            "03/08/2024,09:31,645.75,647,645.5,646.5,40",
            "03/11/2024,09:30,646.5,648,646,647.25,70",
        ),
        recognised=False,
    ),
    "cboe": Sample(
        "cboe",
        "1d",
        NO_VOLUME_DAYS,
        lines(
            "DATE,OPEN,HIGH,LOW,CLOSE",
            "03/04/2024,100.250000,103.500000,99.125000,102.750000",
            "03/05/2024,102.750000,104.000000,101.000000,101.500000",
            "03/06/2024,101.500000,102.000000,98.500000,99.750000",
        ),
        name="X_History.csv",
        keys={"pattern": "{symbol}_History.csv"},
    ),
}
