"""The forms of files of data vendors."""

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

_BARS = ("timestamp", "open", "high", "low", "close", "volume")
_NEW_YORK = "America/New_York"

_ALPHA_ADJUSTED = (
    r"timestamp;open;high;low;close;(?P<adjusted>adjusted[_ ]close);volume;"
    rf"(?P<dividend>dividend[_ ]amount){ANY_CELLS}"
)
_ALPHA_JSON_NAMES = {"open": "1. open", "high": "2. high", "low": "3. low", "close": "4. close"}
_ALPHA_JSON = r'\{"Meta Data":\{.*"\d\. Time Zone":"(?P<zone>[A-Za-z_/]+)".*'

ALPHAVANTAGE = FileFormat(
    name="alphavantage",
    writer="Alpha Vantage (CSV and JSON of its time series)",
    zone="New York for stocks, UTC for currencies; JSON names it",
    label="open",
    units="as traded; the adjusted close is a column of its own",
    newest_first=True,
    shapes=(
        FileShape(
            keys={
                "columns": {"adj_close": "{adjusted}", "dividends": "{dividend}"},
                "timezone": _NEW_YORK,
            },
            header=_ALPHA_ADJUSTED,
            row=rf"{DAY};.*",
        ),
        FileShape(
            keys={},
            header="timestamp;open;high;low;close;volume",
            row=rf"{DAY};{PRICES};{VALUE}",
            newest_first=True,
        ),
        FileShape(
            keys={"timezone": _NEW_YORK},
            header="timestamp;open;high;low;close;volume",
            row=rf"{DAY} {TIME};{PRICES};{VALUE}",
            newest_first=True,
        ),
        FileShape(
            keys={"timezone": "UTC", "volume": "none"},
            header="timestamp;open;high;low;close",
            row=rf"{DAY}(?: {TIME})?;{PRICES}",
            newest_first=True,
        ),
        FileShape(
            keys={
                "columns": _ALPHA_JSON_NAMES
                | {"volume": "6. volume", "adj_close": "5. adjusted close"},
                "timezone": "{zone}",
            },
            row=_ALPHA_JSON + r'"5\. adjusted close".*',
            kind="json",
        ),
        FileShape(
            keys={
                "columns": _ALPHA_JSON_NAMES | {"volume": "5. volume"},
                "timezone": "{zone}",
            },
            row=_ALPHA_JSON + r'"5\. volume".*',
            kind="json",
        ),
        FileShape(
            keys={"columns": _ALPHA_JSON_NAMES, "volume": "none", "timezone": "{zone}"},
            row=_ALPHA_JSON,
            kind="json",
        ),
    ),
)
"""Alpha Vantage: an ordinary header, the newest bar first; JSON with names such as `1. open`.

Hours and minutes of stocks are in the time of New York. Source: Alpha Vantage's documentation.
"""

_DATABENTO_HEADER = (
    r"(?:ts_recv;)?ts_event;rtype;publisher_id;instrument_id;open;high;low;close;volume"
    rf"{ANY_CELLS}"
)
_DATABENTO_STAMPS: tuple[tuple[str, dict[str, object]], ...] = (
    (r"\d{19}", {"dates": "nanoseconds"}),
    (rf"{DAY}T{TIME}Z", {}),
)
_POINT = r"-?\d+\.\d+"

DATABENTO = FileFormat(
    name="databento",
    writer="Databento (CSV of the schemas ohlcv-1m, ohlcv-1h, ohlcv-1d)",
    zone="UTC; a day of ohlcv-1d is a day of UTC",
    label="open",
    units="prices decimal, or whole numbers of 1e-9; volume in shares or contracts",
    shapes=tuple(
        FileShape(
            keys={"columns": {"timestamp": "ts_event"}, **dates, **scale},
            header=_DATABENTO_HEADER,
            row=rf"(?:[^;]+;)?{stamps};\d+;\d+;\d+;{prices};\d+{ANY_CELLS}",
        )
        for stamps, dates in _DATABENTO_STAMPS
        for prices, scale in (
            (r"-?\d+;-?\d+;-?\d+;-?\d+", {"price_divisor": 1_000_000_000}),
            (";".join([_POINT] * 4), {}),
        )
    ),
)
"""Databento: ts_event is the start of the bar; one file holds every instrument that was asked for.

Bars without a trade are absent. Zstandard files (.zst) and DBN must be unpacked first.
Source: Databento's documentation of the OHLCV schemas.
"""

_POLYGON_HEADER = "ticker;volume;open;close;high;low;window_start;transactions"
_POLYGON_ROW = r"{ticker};{value};{prices};\d{{19}};{value}"
_POLYGON_KEYS = {
    "columns": {"timestamp": "window_start"},
    "dates": "nanoseconds",
    "where": {"ticker": "{symbol}"},
}

_POLYGON_JSON_KEYS = {
    "columns": {
        "timestamp": "t",
        "open": "o",
        "high": "h",
        "low": "l",
        "close": "c",
        "volume": "v",
    },
    "dates": "milliseconds",
}
_POLYGON_JSON = (
    r'\{.*"results":\[\{(?=[^}]*"o":)(?=[^}]*"h":)(?=[^}]*"l":)(?=[^}]*"c":)[^}]*"t":\d{13}.*'
)

POLYGON = FileFormat(
    name="polygon",
    writer="Polygon.io, today Massive (flat files of aggregates, and JSON of its aggregates)",
    zone="UTC; a day of stocks begins at midnight in New York",
    label="open",
    units="flat files as traded, not adjusted for splits; volume in shares",
    shapes=(
        FileShape(
            keys=_POLYGON_KEYS,
            header=_POLYGON_HEADER,
            row=_POLYGON_ROW.format(ticker=r"[xc]:[^;]+", value=VALUE, prices=PRICES),
            note="the file holds many tickers; `where` selects the one of the symbol",
        ),
        FileShape(
            keys={**_POLYGON_KEYS, "timezone": _NEW_YORK},
            header=_POLYGON_HEADER,
            row=_POLYGON_ROW.format(ticker=r"[^;]+", value=VALUE, prices=PRICES),
            note="the file holds many tickers; `where` selects the one of the symbol",
        ),
        FileShape(
            keys=_POLYGON_JSON_KEYS,
            row=rf'(?=.*"ticker":"[XC]:){_POLYGON_JSON}',
            kind="json",
        ),
        FileShape(
            keys={**_POLYGON_JSON_KEYS, "timezone": _NEW_YORK},
            row=_POLYGON_JSON,
            kind="json",
        ),
    ),
)
"""Polygon.io: one file a day with every ticker, nanoseconds in window_start.

Tickers of crypto begin with `X:` and of currencies with `C:`; their days are those of UTC.
Source: Polygon's documentation of flat files and of aggregates.
"""

TIINGO = FileFormat(
    name="tiingo",
    writer="Tiingo (CSV and JSON of its end-of-day prices)",
    zone="days, written with a time of UTC",
    label="open",
    units="as traded; adjusted prices are columns of their own",
    shapes=(
        FileShape(
            keys={"columns": {"adj_close": "adjClose", "dividends": "divCash"}},
            header=r"date;close;high;low;open;volume;adjclose;.*",
            row=rf"{DAY}.*",
        ),
        FileShape(
            keys={"columns": {"adj_close": "adjClose", "dividends": "divCash"}},
            row=r'\[\{(?=[^}]*"adjClose":)(?=[^}]*"divCash":)[^}]*"date":.*',
            kind="json",
        ),
    ),
)
"""Tiingo: prices as traded and adjusted side by side, dividends and splits in columns.

Source: Tiingo's documentation of the end-of-day endpoint.
"""

FIRSTRATE = FileFormat(
    name="firstrate",
    writer="FirstRate Data (text files of one symbol)",
    zone="New York",
    label="open",
    units="adjusted as the name of the file says; bars without a trade are absent",
    shapes=(
        FileShape(
            keys={"header": _BARS, "timezone": _NEW_YORK},
            row=rf"{DAY}(?: {TIME})?;{PRICES};{VALUE}",
            file_name=r"firstratedata|_full_(?:1min|5min|30min|1hour|1day)",
            needs_file_name=True,
        ),
    ),
)
"""FirstRate Data: no header, local times of New York.

Its cells do not tell it from other files without a header: it is recognised by its file name, such
as AAPL_full_1min_adjsplitdiv.txt. Source: the readme of FirstRate's sample files.
"""

KIBOT = FileFormat(
    name="kibot",
    writer="Kibot (text files of one symbol)",
    zone="New York",
    label="open",
    units="adjusted or not, as ordered; bars without a trade are absent",
    shapes=(
        FileShape(
            keys={
                "header": ("date", "time", *_BARS[1:]),
                "columns": {"timestamp": ("date", "time")},
                "dates": "%m/%d/%Y %H:%M",
                "timezone": _NEW_YORK,
            },
            row=rf"\d\d/\d\d/\d{{4}};\d\d:\d\d;{PRICES};{VALUE}",
            file_name="kibot",
            needs_file_name=True,
        ),
        FileShape(
            keys={"header": _BARS, "dates": "%m/%d/%Y"},
            row=rf"\d\d/\d\d/\d{{4}};{PRICES};{VALUE}",
            file_name="kibot",
            needs_file_name=True,
        ),
    ),
)
"""Kibot: no header, month first, local times of New York.

Its cells do not tell it from other files without a header: a source has to name it.
Source: Kibot's page on the format of its files.
"""

CBOE = FileFormat(
    name="cboe",
    writer="Cboe (histories of its indices, such as VIX_History.csv)",
    zone="days of Chicago",
    label="open",
    units="index points; no volume",
    shapes=(
        FileShape(
            keys={"dates": "month_first", "volume": "none"},
            header="date;open;high;low;close",
            row=rf"\d\d/\d\d/\d{{4}};{NUMBER};{NUMBER};{NUMBER};{NUMBER}",
            file_name=r"_History\.csv",
            needs_file_name=True,
        ),
    ),
)
"""Cboe's index histories: month first. Source: the files at cdn.cboe.com."""

VENDOR_FORMATS = (ALPHAVANTAGE, DATABENTO, POLYGON, TIINGO, FIRSTRATE, KIBOT, CBOE)
