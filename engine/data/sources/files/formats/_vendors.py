"""The forms of files of data vendors and of sites for stocks, indices and currencies."""

from __future__ import annotations

from engine.data.sources.files.formats._model import (
    ANY_CELLS,
    DAY,
    NUMBER,
    OFFSET,
    PRICES,
    TIME,
    VALUE,
    FileFormat,
    FileShape,
)

_BARS = ("timestamp", "open", "high", "low", "close", "volume")
_NEW_YORK = "America/New_York"

_YFINANCE_LEVELS = (
    r"(?:price)?(?:;(?:adj close|close|high|low|open|volume)){5,}"
    r"\n(?:(?:ticker)?;[^\n]*|date(?:time)?;*)"
)

YFINANCE = FileFormat(
    name="yfinance",
    writer="yfinance (download and history, saved as CSV or Parquet) and Yahoo's former download",
    zone="the exchange's, as an offset in each cell; days have a date or local midnight",
    label="open",
    units="adjusted for splits, with auto_adjust for dividends too",
    shapes=(
        FileShape(
            keys={},
            header=_YFINANCE_LEVELS,
            row=rf"(?:(?:ticker)?(?:;[^;]+)+|date(?:time)?;*|{DAY}.*)",
        ),
        FileShape(
            keys={},
            header=r"date(?:time)?;open;high;low;close;(?:adj close;volume|volume;dividends.*)",
            row=rf"{DAY}(?: {TIME}{OFFSET})?;.*",
        ),
        FileShape(
            keys={},
            header=r"date(?:time)?;open;high;low;close;volume",
            row=rf"{DAY} {TIME}{OFFSET};.*",
        ),
        FileShape(
            keys={},
            header=r".*\('(?:close|open)', '[^']+'\).*",
            row=".*",
            kind="table",
        ),
        FileShape(
            keys={},
            header=r"date(?:time)?;open;high;low;close;(?:adj close;volume|volume;dividends.*)",
            row=".*",
            kind="table",
        ),
    ),
)
"""yfinance: since 2024 three lines before the bars (Price, Ticker, Date), before that one.

Source: files of several versions in public repositories.
"""

_INVESTING_EDITIONS = (
    ("date", "price", "open", "high", "low", "vol.", "change %", "."),
    ("datum", "zuletzt", "eröffn.", "hoch", "tief", "vol.", "+/- %", ","),
    ("fecha", "último", "apertura", "máximo", "mínimo", "vol.", "% var.", ","),
    ("data", "último", "abertura", "máxima", "mínima", "vol.", "var%", ","),
)
_INVESTING_DATES: tuple[tuple[str, dict[str, object]], ...] = (
    (r"[a-z]{3} \d\d, \d{4}", {"dates": "%b %d, %Y"}),
    (r"\d\d\.\d\d\.\d{4}", {"dates": "day_first"}),
    (r"\d\d[/-]\d\d[/-]\d{4}", {}),
)


def _investing_shapes() -> tuple[FileShape, ...]:
    """One shape for each language, form of dates, and with and without volumes."""
    shapes = []
    for *names, decimal in _INVESTING_EDITIONS:
        header = ";".join(
            rf"(?P<{ours}>{_escape(theirs)})"
            for ours, theirs in zip(
                ("timestamp", "close", "open", "high", "low", "volume", "change"),
                names,
                strict=True,
            )
        )
        columns = {ours: f"{{{ours}}}" for ours in ("timestamp", "open", "high", "low", "close")}
        marks = {"decimal": decimal, "thousands": "," if decimal == "." else "."}
        for stamps, dates in _INVESTING_DATES:
            shapes += [
                FileShape(
                    keys={"columns": columns | volume, **marks, **dates, **absent},
                    header=header,
                    row=rf"{stamps};(?:[\d.,]+;){{4}}{cell};[^;]*",
                )
                for cell, volume, absent in (
                    ("", {}, {"volume": "none"}),
                    (r"[^;]*", {"volume": "{volume}"}, {}),
                )
            ]
    return tuple(shapes)


def _escape(name: str) -> str:
    return "".join(f"\\{letter}" if letter in ".+%/" else letter for letter in name)


INVESTING = FileFormat(
    name="investing",
    writer="the download of historical data at Investing.com (in English, German, Spanish, "
    "Portuguese)",
    zone="days of the exchange",
    label="open",
    units="volume rounded, as 5.17K or 1.2M; empty where there is none",
    newest_first=True,
    shapes=_investing_shapes(),
)
"""Investing.com: quoted cells, the close named Price, the newest day first.

Dates with slashes are month first in the American edition and day first in others, so that they
need `dates` where the days of a file do not tell. Source: files of the site in public
repositories.
"""

_NASDAQ_HEADER = r"date;(?P<close>close/last);(?P<volume>volume);open;high;low"
_NASDAQ_DAY = r"\d\d?/\d\d?/\d{4}"
_DOLLARS = r"\$?[\d.,]+"

NASDAQ = FileFormat(
    name="nasdaq",
    writer="the download of historical quotes at Nasdaq.com",
    zone="days of New York",
    label="open",
    units="dollars with a sign; volume in shares, N/A or -- where there is none",
    newest_first=True,
    shapes=tuple(
        FileShape(
            keys={"columns": {"close": "Close/Last"}, "dates": "month_first", **absent},
            header=_NASDAQ_HEADER,
            row=rf"{_NASDAQ_DAY};{_DOLLARS};{cell};{_DOLLARS};{_DOLLARS};{_DOLLARS}",
        )
        for cell, absent in (
            (r"(?:n/a|--|)", {"volume": "none"}),
            (r"(?:[\d,.]+|n/a|--)", {}),
        )
    ),
)
"""Nasdaq.com: Date, Close/Last, Volume, Open, High, Low; month first, the newest day first.

Source: files of the site in public repositories.
"""

_STOOQ_COLUMNS = {
    "timestamp": ("<DATE>", "<TIME>"),
    **{name: f"<{name.upper()}>" for name in ("open", "high", "low", "close")},
    "volume": "<VOL>",
}

STOOQ = FileFormat(
    name="stooq",
    writer="Stooq: the bulk files of its database, and the download of one symbol in Polish",
    zone="Europe/Warsaw for bars within a day, whatever the exchange",
    label="open",
    units="adjusted for splits, and for dividends unless left out; volume 0 where there is none",
    shapes=(
        FileShape(
            keys={
                "columns": _STOOQ_COLUMNS,
                "dates": "%Y%m%d %H%M%S",
                "timezone": "Europe/Warsaw",
            },
            header="<ticker>;<per>;<date>;<time>;<open>;<high>;<low>;<close>;<vol>;<openint>",
            row=rf"[^;]+;[^;]+;\d{{8}};\d{{6}};{PRICES};{VALUE};{VALUE}",
        ),
        FileShape(
            keys={
                "columns": {
                    "timestamp": "{timestamp}",
                    "open": "{open}",
                    "high": "{high}",
                    "low": "{low}",
                    "close": "{close}",
                    "volume": "{volume}",
                }
            },
            header=(
                r"(?P<timestamp>data);(?P<open>otwarcie);(?P<high>najwy[zż]szy);"
                r"(?P<low>najni[zż]szy);(?P<close>zamkni[eę]cie);(?P<volume>wolumen)"
            ),
            row=rf"{DAY};{PRICES};{VALUE}",
        ),
        FileShape(
            keys={
                "columns": {
                    "timestamp": "{timestamp}",
                    "open": "{open}",
                    "high": "{high}",
                    "low": "{low}",
                    "close": "{close}",
                },
                "volume": "none",
            },
            header=(
                r"(?P<timestamp>data);(?P<open>otwarcie);(?P<high>najwy[zż]szy);"
                r"(?P<low>najni[zż]szy);(?P<close>zamkni[eę]cie)"
            ),
            row=rf"{DAY};{PRICES}",
        ),
    ),
)
"""Stooq: names in angle brackets, date and time without separators, OPENINT at the end.

An American stock begins at 153000 there, 09:30 in New York, or at 143000 in the weeks in which
only New York has summer time. Source: files of the site in public repositories.
"""

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

_USUAL_STAMPS = r"(?:timestamp|date|date[_ ]?time|time|open[_ ]?time|unix(?:[_ ]timestamp)?|index)"
_USUAL_HEADER = (
    rf"(?=(?:.*;)?{_USUAL_STAMPS}(?:;|$)|;)"
    r"(?=.*(?:^|;)open(?:;|$))(?=.*(?:^|;)high(?:;|$))(?=.*(?:^|;)low(?:;|$))"
    r"(?=.*(?:^|;)close(?:;|$))(?=.*(?:^|;)volume(?:;|$)).*"
)

ORDINARY = FileFormat(
    name="ordinary",
    writer="any program that writes an ordinary header",
    zone="UTC, or the offset in each cell",
    label="open",
    units="as they are",
    shapes=(
        FileShape(
            keys={},
            header=_USUAL_HEADER,
            row=rf"(?:.*;)?(?:{DAY}(?:[ T]{TIME} ?{OFFSET}?)?|\d{{8,19}}(?:\.0)?)(?:;.*)?",
        ),
        FileShape(keys={}, header=_USUAL_HEADER, row=".*", kind="table"),
    ),
)
"""The ordinary form, which needs no `format`: a usual header with ISO dates or numbers since 1970.

With `format: auto` such a file is read as it is, unless another form reads it differently.
"""

VENDOR_FORMATS = (
    *(YFINANCE, INVESTING, NASDAQ, STOOQ, ALPHAVANTAGE, DATABENTO, POLYGON, TIINGO),
    *(FIRSTRATE, KIBOT, CBOE),
)
