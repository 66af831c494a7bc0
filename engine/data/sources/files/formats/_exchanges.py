"""The forms of files of crypto exchanges and of sites and programs for their bars."""

from __future__ import annotations

from engine.data.sources.files.formats._model import (
    ANY_CELLS,
    DAY,
    NUMBER,
    PRICES,
    TIME,
    VALUE,
    FileFormat,
    FileShape,
)

_KLINE_COLUMNS = (
    *("open_time", "open", "high", "low", "close", "volume", "close_time", "quote_volume"),
    *("count", "taker_buy_volume", "taker_buy_quote_volume", "ignore"),
)
_KLINE_HEADER = rf"(?P<time>open[_ ]?time);open;high;low;close;volume;close[_ ]?time{ANY_CELLS}"
_BINANCE_EPOCH = r"\d{13}(?:\d{3})?"

BINANCE = FileFormat(
    name="binance",
    writer="the archive of Binance (data.binance.vision), and programs that save its klines",
    zone="UTC",
    label="open",
    units="volume in the base currency",
    calendar="24/7",
    shapes=(
        FileShape(
            keys={
                "header": _KLINE_COLUMNS,
                "columns": {"timestamp": "open_time"},
                "dates": "epoch",
            },
            row=rf"{_BINANCE_EPOCH};{PRICES};{VALUE};{_BINANCE_EPOCH};{VALUE};\d+(?:;{VALUE}){{3}}",
        ),
        FileShape(
            keys={"columns": {"timestamp": "{time}"}, "dates": "epoch"},
            header=_KLINE_HEADER,
            row=rf"{_BINANCE_EPOCH};{PRICES}{ANY_CELLS}",
        ),
        FileShape(
            keys={"columns": {"timestamp": "{time}"}},
            header=_KLINE_HEADER,
            row=rf"{DAY}[ T]{TIME}[^;]*;{PRICES}{ANY_CELLS}",
        ),
    ),
)
"""Klines of Binance's archive: twelve columns, without a header for spot markets.

Archives of futures have a header since 2022. Spot archives have milliseconds until 2024 and
microseconds since 2025-01-01, so that a history joined of both has two units, one a row.
Source: the readme of the repository binance/binance-public-data.
"""

KRAKEN = FileFormat(
    name="kraken",
    writer="Kraken's downloadable OHLCVT history (XBTUSD_60.csv)",
    zone="UTC",
    label="open",
    units="volume in the base currency; bars without a trade are absent",
    calendar="24/7",
    shapes=(
        FileShape(
            keys={
                "header": ("timestamp", "open", "high", "low", "close", "volume", "trades"),
                "dates": "seconds",
            },
            row=rf"\d{{9,10}};{PRICES};{VALUE};\d+",
            note="bars without a trade are absent from Kraken's files",
        ),
    ),
)
"""Kraken's OHLCVT files: seven columns without a header, seconds since 1970.

Source: Kraken's support page on downloadable historical OHLCVT data.
"""

_CDD_STAMPS = r"(?:unix(?:[ _]timestamp)?;)?(?P<date>date);symbol;open;high;low;close"
_CDD_LEAD = r".*cryptodatadownload.*"
_CDD_ISO_ROW = rf"(?:{NUMBER};)?{DAY}(?:[ T]{TIME})?;[^;]+;{PRICES};.*"
_CDD_CLOCK_ROW = rf"(?:{NUMBER};)?{DAY} \d\d-[ap]m;[^;]+;{PRICES};.*"
_BASE = r"(?P<volume>volume (?P<base>\w+))"
_QUOTE = r"volume (?P<quote>\w+)"
_CDD_PAIR = r"[^\n]*\n(?:[^;\n]*;){1,2}(?P=base)[/-]?(?P=quote);[^\n]*"
_CDD_HEADERS = (
    rf"{_CDD_STAMPS};{_BASE};{_QUOTE}{_CDD_PAIR}",
    rf"{_CDD_STAMPS};{_QUOTE};{_BASE}{_CDD_PAIR}",
    rf"{_CDD_STAMPS};(?P<volume>volume){ANY_CELLS}",
)

CRYPTODATADOWNLOAD = FileFormat(
    name="cryptodatadownload",
    writer="CryptoDataDownload.com",
    zone="UTC",
    label="open",
    units="volume in the base currency, taken from the column named after it",
    newest_first=True,
    calendar="24/7",
    shapes=tuple(
        FileShape(
            keys={"columns": {"timestamp": "{date}", "volume": "{volume}"}, **dates},
            header=header,
            row=row,
            lead=_CDD_LEAD,
        )
        for header in _CDD_HEADERS
        for row, dates in (
            (_CDD_ISO_ROW, {}),
            (_CDD_CLOCK_ROW, {"dates": "%Y-%m-%d %I-%p"}),
        )
    ),
)
"""CryptoDataDownload: its address in the first line, then a header; the newest bar first.

Older hourly files write `2019-11-30 11-PM`. Some files of Binance bars change the unit of `unix`
half-way, or have lost its digits to a spreadsheet; so the date is read, which is in UTC too.
Volumes are in both currencies, in either order. Source: files of the site in public repositories.
"""

COINMARKETCAP = FileFormat(
    name="coinmarketcap",
    writer="the download of historical data at CoinMarketCap",
    zone="UTC",
    label="open (the column timestamp is the end)",
    units="prices and volume in the currency chosen, volume over all exchanges",
    newest_first=True,
    calendar="24/7",
    shapes=(
        FileShape(
            keys={"columns": {"timestamp": "{time}"}},
            header=r"(?P<time>timeopen);timeclose;timehigh;timelow;.*open;high;low;close;volume.*",
            row=rf"{DAY}T{TIME}Z;.*",
        ),
        FileShape(
            keys={"dates": "%b %d, %Y", "thousands": ","},
            header=r"date;open\*?;high;low;close\*{0,2};volume;market cap",
            row=r"[a-z]{3} \d\d, \d{4};.*",
        ),
        FileShape(
            keys={"timezone": "UTC"},
            header=r"sno;name;symbol;date;high;low;open;close;volume;marketcap",
            row=rf"\d+;[^;]+;[^;]+;{DAY} 23:59:59;.*",
        ),
    ),
)
"""CoinMarketCap: semicolons, one column for each instant of the day, the newest day first.

The last bar of a download may be unfinished. Older copies of the site's table write
`Jan 31, 2020` and group digits. Source: files of the site in public repositories.
"""

FREQTRADE = FileFormat(
    name="freqtrade",
    writer="freqtrade download-data, and programs that save ccxt's fetch_ohlcv as JSON",
    zone="UTC",
    label="open",
    units="volume in the base currency, as the exchange counts it",
    calendar="24/7",
    shapes=(
        FileShape(
            keys={}, row=r"\[\[\d{10,13}(?:,(?:[-+\d.eE]+|null|\"[-+\d.eE]+\")){5}\]", kind="json"
        ),
        FileShape(keys={}, header="date;open;high;low;close;volume", row=".*", kind="table"),
    ),
)
"""freqtrade: JSON lists of [milliseconds, open, high, low, close, volume], or Feather.

Source: freqtrade's documentation of data formats, and files of its test data.
"""

EXCHANGE_FORMATS = (BINANCE, KRAKEN, CRYPTODATADOWNLOAD, COINMARKETCAP, FREQTRADE)
