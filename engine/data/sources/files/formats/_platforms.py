"""The forms of files of trading platforms, brokers and backtesters."""

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

_BARS = ("open", "high", "low", "close", "volume")
_MT_DAY = r"\d{4}\.\d\d\.\d\d"
_MT5_COLUMNS = {"open": "<OPEN>", "high": "<HIGH>", "low": "<LOW>", "close": "<CLOSE>"}
_MT5_TIMED = "<date>;<time>;<open>;<high>;<low>;<close>;<tickvol>;<vol>(?:;<spread>)?"
_MT5_DAILY = "<date>;<open>;<high>;<low>;<close>;<tickvol>;<vol>(?:;<spread>)?"
_TICKS_NOTE = "the volume is the number of price changes, because the file has no traded volume"
_SERVER_NOTE = "times are those of the broker's server"


def _mt5_shapes() -> tuple[FileShape, ...]:
    """Days and shorter bars, each with and without a traded volume."""
    timed = {"timestamp": ("<DATE>", "<TIME>"), **_MT5_COLUMNS}
    daily = {"timestamp": "<DATE>", **_MT5_COLUMNS}
    clock, day = "%Y.%m.%d %H:%M:%S", "%Y.%m.%d"
    return tuple(
        FileShape(
            keys={"columns": {**columns, "volume": volume}, "dates": dates},
            header=header,
            row=rf"{stamps};{PRICES};\d+;{counted}(?:;\d+)?",
            zone_unknown=dates == clock,
            note=note,
        )
        for header, stamps, columns, dates in (
            (_MT5_TIMED, rf"{_MT_DAY};\d\d:\d\d:\d\d", timed, clock),
            (_MT5_DAILY, _MT_DAY, daily, day),
        )
        for counted, volume, note in (("0", "<TICKVOL>", _TICKS_NOTE), (r"\d+", "<VOL>", ""))
    )


METATRADER = FileFormat(
    name="metatrader",
    writer="MetaTrader 4 and 5 (export of the history centre), and its Python package",
    zone="the broker's server, often two hours ahead of UTC and three in summer: to be declared",
    label="open",
    units="volume is the number of price changes where the broker sends no traded volume",
    shapes=(
        *_mt5_shapes(),
        FileShape(
            keys={
                "header": ("date", "time", *_BARS),
                "columns": {"timestamp": ("date", "time")},
                "dates": "%Y.%m.%d %H:%M",
            },
            row=rf"{_MT_DAY};\d\d:\d\d;{PRICES};\d+",
            zone_unknown=True,
            note=_TICKS_NOTE,
        ),
        FileShape(
            keys={"columns": {"timestamp": "time", "volume": "tick_volume"}},
            header=r"time;open;high;low;close;tick_volume(?:;spread)?(?:;real_volume)?",
            row=rf"{DAY}(?: 00:00:00)?;{PRICES};\d+{ANY_CELLS}",
            note=_TICKS_NOTE,
        ),
        FileShape(
            keys={"columns": {"timestamp": "time", "volume": "tick_volume"}},
            header=r"time;open;high;low;close;tick_volume(?:;spread)?(?:;real_volume)?",
            row=rf"{DAY}[ T]{TIME};{PRICES};\d+{ANY_CELLS}",
            zone_unknown=True,
            note=_TICKS_NOTE,
        ),
        FileShape(
            keys={"columns": {"timestamp": "time", "volume": "tick_volume"}, "dates": "seconds"},
            header=r"time;open;high;low;close;tick_volume(?:;spread)?(?:;real_volume)?",
            row=rf"\d{{9,10}};{PRICES};\d+{ANY_CELLS}",
            note=f"{_TICKS_NOTE}; the numbers since 1970 count from midnight of the server",
        ),
    ),
)
"""MetaTrader: version 5 with `<DATE>`, `<TIME>` and tabs, version 4 without a header.

A day is a day of the server, so that a `1d` bar needs no zone. `<VOL>` is 0 for forex and CFDs.
The package MetaTrader5 for Python names the columns time, open, ..., tick_volume.
Source: files of both versions in public repositories, MetaTrader's documentation of MqlRates.
"""

HISTDATA = FileFormat(
    name="histdata",
    writer="HistData.com, one-minute bars (ASCII and MetaTrader files)",
    zone="Eastern Standard Time without daylight saving (Etc/GMT+5)",
    label="open",
    units="bid prices; no volume, the column is always 0",
    shapes=(
        FileShape(
            keys={
                "header": ("timestamp", "open", "high", "low", "close", "zero"),
                "dates": "%Y%m%d %H%M%S",
                "timezone": "Etc/GMT+5",
                "volume": "none",
            },
            row=rf"\d{{8}} \d{{6}};{PRICES};0",
            file_name=r"DAT_(?:ASCII|NT)_",
        ),
        FileShape(
            keys={
                "header": ("date", "time", "open", "high", "low", "close", "zero"),
                "columns": {"timestamp": ("date", "time")},
                "dates": "%Y.%m.%d %H:%M",
                "timezone": "Etc/GMT+5",
                "volume": "none",
            },
            row=rf"{_MT_DAY};\d\d:\d\d;{PRICES};0",
            file_name=r"DAT_MT_",
            needs_file_name=True,
        ),
    ),
)
"""HistData: forex minutes without a header, in a fixed zone five hours behind UTC.

Its ASCII files have the cells of a NinjaTrader file, which has another zone and another label: a
file with volumes of 0 is of either form unless its name begins with DAT_ASCII.
Source: HistData.com, detailed file specification.
"""

NINJATRADER = FileFormat(
    name="ninjatrader",
    writer="NinjaTrader (export of historical data, and files made for its import)",
    zone="UTC (exports of version 8); a file made for import may have another: declare it",
    label="close, moved to the open by one bar (`label: open` for files labelled by the start)",
    units="volume as the data feed counts it",
    shapes=(
        FileShape(
            keys={
                "header": ("timestamp", *_BARS),
                "dates": "%Y%m%d %H%M%S",
                "label": "close",
            },
            row=rf"\d{{8}} \d{{6}};{PRICES};\d+",
            zone_may_differ=True,
        ),
        FileShape(
            keys={"header": ("timestamp", *_BARS), "dates": "%Y%m%d"},
            row=rf"\d{{8}};{PRICES};\d+",
        ),
    ),
)
"""NinjaTrader: `yyyyMMdd HHmmss;open;high;low;close;volume`, labelled by the end of the bar.

Source: NinjaTrader's help guide, sections Importing ("NinjaTrader exports are always done in the
UTC time zone") and Exporting.
"""

_LEAN_WHOLE = r"\d+;\d+;\d+;\d+;\d+(?:\.\d+)?"
_LEAN_HEADER = ("timestamp", *_BARS)
_LEAN_QUOTES = (
    *("timestamp", "open", "high", "low", "close", "bid_size"),
    *("ask_open", "ask_high", "ask_low", "ask_close", "ask_size"),
)
_LEAN_SCALED = {"price_divisor": 10_000, "timezone": "America/New_York"}
_LEAN_SCALED_NOTE = "whole prices are those of US shares, in ten-thousandths of a dollar"
_LEAN_STAMPS = (
    # Whole minutes end with four zeros, and no date does.
    (r"\d{0,4}0000|0", "milliseconds_of_day"),
    (r"\d{8} \d\d:\d\d", "%Y%m%d %H:%M"),
)

LEAN = FileFormat(
    name="lean",
    writer="QuantConnect's Lean engine (zip files of its data folder)",
    zone="the exchange's (New York for US shares, UTC for crypto)",
    label="open",
    units="US shares: prices in ten-thousandths of a dollar; others as they are",
    shapes=tuple(
        FileShape(
            keys={"header": header, "dates": dates, **keys},
            row=rf"(?:{stamps});{cells}",
            zone_unknown=unknown,
            note=note,
        )
        for stamps, dates in _LEAN_STAMPS
        for header, cells, keys, unknown, note in (
            (_LEAN_HEADER, _LEAN_WHOLE, _LEAN_SCALED, False, _LEAN_SCALED_NOTE),
            (_LEAN_HEADER, rf"{PRICES};{VALUE}", {}, True, ""),
            (
                _LEAN_QUOTES,
                ";".join([VALUE] * 10),
                {"volume": "none"},
                True,
                "bars of quotes: the prices are those of bids",
            ),
        )
    ),
)
"""Lean: no header; minutes in one file a day with milliseconds since local midnight.

The date of such a file is in its name (`20131007_trade.zip`), which `{date}` in `pattern` reads.
Hours and days are `20131001 09:00`, one file a symbol. Forex and CFDs have quotes: four bid prices
and their size, then the same of asks. Source: the readme files in the Data folder of the
repository QuantConnect/Lean.
"""

_DUKASCOPY_DAY = r"\d\d\.\d\d\.\d{4} \d\d:\d\d:\d\d"
_DUKASCOPY_STAMPS = (
    (r"(?P<time>gmt time|etc/utc|utc)", rf"{_DUKASCOPY_DAY}\.\d+", "%d.%m.%Y %H:%M:%S.%f", None),
    (r"(?P<time>gmt time|etc/utc|utc)", _DUKASCOPY_DAY, "%d.%m.%Y %H:%M:%S", None),
    (
        r"(?P<time>local time)",
        rf"{_DUKASCOPY_DAY}\.\d+ gmt[+-]\d{{4}}",
        "%d.%m.%Y %H:%M:%S.%f GMT%z",
        None,
    ),
    (r"(?P<time>time \((?:utc|gmt)\))", rf"{_MT_DAY} \d\d:\d\d:\d\d", "%Y.%m.%d %H:%M:%S", None),
    (
        r"(?P<time>time \(eet\))",
        rf"{_MT_DAY} \d\d:\d\d:\d\d",
        "%Y.%m.%d %H:%M:%S",
        "Europe/Athens",
    ),
)

DUKASCOPY = FileFormat(
    name="dukascopy",
    writer="Dukascopy's historical data feed, and its platform JForex",
    zone="UTC, the offset in each cell, or EET, as the name of the column says",
    label="open",
    units="one side of the quotes; volume is Dukascopy's own count; closed hours as flat bars",
    shapes=tuple(
        FileShape(
            keys={
                "columns": {"timestamp": "{time}"},
                "dates": dates,
                **({} if zone is None else {"timezone": zone}),
            },
            header=rf"{time};open;high;low;close;volume",
            row=rf"{stamps};{PRICES};{VALUE}",
        )
        for time, stamps, dates, zone in _DUKASCOPY_STAMPS
    ),
)
"""Dukascopy: day first, `Gmt time` or `Local time` with an offset; JForex `Time (EET)`.

A download includes weekends as bars with a volume of 0 and four equal prices unless they are
filtered. Source: files of both programs in public repositories.
"""

_IB_HEADER = (
    rf"(?:(?:index)?;)?date;open;high;low;close;volume;(?:average|wap|barcount){ANY_CELLS}"
)
_IB_INDEX = r"(?:\d+;)?"
_IB_STAMPS: tuple[tuple[str, dict[str, object], bool], ...] = (
    (
        r"\d{8} +\d\d:\d\d:\d\d (?P<zone>[a-z]+(?:/[a-z_]+)*)",
        {"dates": "%Y%m%d %H:%M:%S {zone}", "timezone": "{zone}"},
        False,
    ),
    (r"\d{8} {2}\d\d:\d\d:\d\d", {"dates": "%Y%m%d  %H:%M:%S"}, True),
    (r"\d{8} \d\d:\d\d:\d\d", {"dates": "%Y%m%d %H:%M:%S"}, True),
    (r"\d{8}", {"dates": "%Y%m%d"}, False),
    (r"\d{10}", {"dates": "seconds"}, False),
    (rf"{DAY}[ T]{TIME} ?{OFFSET}", {}, False),
    (rf"{DAY}[ T]{TIME}", {}, True),
    (DAY, {}, False),
)

INTERACTIVE_BROKERS = FileFormat(
    name="interactive_brokers",
    writer="Interactive Brokers' API (ibapi, ib_insync, ib_async) saved as CSV",
    zone="the one in each cell; without one that of the login: to be declared",
    label="open",
    units="US shares in lots of 100 in older versions of the API; -1 where there is no volume",
    shapes=tuple(
        FileShape(
            keys={"columns": {"timestamp": "date"}, **keys, **volume},
            header=_IB_HEADER,
            row=rf"{_IB_INDEX}{stamps};{PRICES};{cell}{ANY_CELLS}",
            zone_unknown=unknown,
        )
        for stamps, keys, unknown in _IB_STAMPS
        for cell, volume in ((r"-1(?:\.0*)?", {"volume": "none"}), (NUMBER, {}))
    ),
)
"""Interactive Brokers: date, four prices, volume, average, barCount.

The API writes `20230103 09:30:00 US/Eastern`, before version 10 two spaces and the zone of the
login; ib_insync writes times with an offset. Whether volumes are in lots depends on the version,
and a file does not tell it. Source: the API's documentation of reqHistoricalData and files in
public repositories.
"""

_TRADINGVIEW_NOTE = (
    "a day is stamped with the open of its session: declare the exchange's timezone"
)
_TRADINGVIEW_STAMPS: tuple[tuple[str, dict[str, object], str], ...] = (
    (r"\d{9,10}", {"dates": "seconds"}, ""),
    (rf"{DAY}T{TIME}{OFFSET}", {}, ""),
    (DAY, {}, ""),
)

TRADINGVIEW = FileFormat(
    name="tradingview",
    writer="TradingView (export of chart data)",
    zone="UTC (seconds since 1970), or the offset in each cell",
    label="open; a day is stamped with the open of its session, such as 13:30 or 14:30",
    units="as the chart shows them; columns of indicators are left out",
    shapes=tuple(
        FileShape(
            keys={"columns": {"timestamp": "time", **columns}, **keys, **volume},
            header=rf"time;open;high;low;close{names}",
            row=rf"{stamps};{PRICES}{ANY_CELLS}",
            note=note,
        )
        for names, columns, volume in (
            (r"(?:;[^;]*)*;(?P<volume>volume)(?:;.*)?", {"volume": "{volume}"}, {}),
            (r"(?!.*;(?:tick_|real_)?volume(?:;|$))(?:;[^;]+)*", {}, {"volume": "none"}),
        )
        for stamps, keys, note in _TRADINGVIEW_STAMPS
    ),
)
"""TradingView: time, open, high, low, close, then Volume and indicators that the chart shows.

Source: TradingView's help on exporting chart data, and files in public repositories.
"""

PLATFORM_FORMATS = (
    *(METATRADER, HISTDATA, NINJATRADER, LEAN, DUKASCOPY, INTERACTIVE_BROKERS, TRADINGVIEW),
)
