"""The forms of files of sites for stocks, indices and currencies."""

from __future__ import annotations

from engine.data.sources.files.formats._model import (
    DAY,
    OFFSET,
    PRICES,
    TIME,
    VALUE,
    FileFormat,
    FileShape,
)

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

WEBSITE_FORMATS = (YFINANCE, INVESTING, NASDAQ, STOOQ)
