"""Names of columns in files, and the columns of bars that they may be."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from engine.core.types import PRICE_COLUMNS
from engine.data.bars import VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Sequence

UNNAMED = "Unnamed: 0"
"""Name of a first column, or of an index, that the file does not name; pandas calls it so."""

# Accepted names, ignoring case, spaces, underscores, hyphens and angle brackets: names with one
# meaning only. `Price`, `Last`, `Close Time` or `Volume BTC` must be mapped.
ALIASES = {
    "timestamp": ("timestamp", "date", "datetime", "time", "opentime", "unix", "unixtimestamp"),
    **{name: (name,) for name in VALUE_COLUMNS},
    "adj_close": ("adjclose", "adjustedclose"),
    "dividends": ("dividend", "dividends"),
    "split": ("split", "splits", "stocksplit", "stocksplits"),
}

# Names that an error message suggests and that are not accepted; letters and digits only.
SUGGESTED_ALIASES = {
    "timestamp": (
        *("day", "begin", "start", "t", "ts", "index", "unnamed0", "windowstart", "tsevent"),
        *("gmttime", "localtime", "utctime", "utc", "timeutc", "dateutc", "timeopen", "opendate"),
        *("dtyyyymmdd", "yyyymmdd", "tradedate", "tradingdate", "tradingday", "timeperiodstart"),
        *("openingtime", "opentimeutc", "timestamputc", "timestampms", "epoch", "datetimeutc"),
        *("starttime", "timestart", "startdate", "barstart", "periodstart", "unixtime", "dt"),
        *("datum", "fecha", "data", "\u65e5\u671f", "\u65f6\u95f4", "\u4ea4\u6613\u65e5\u671f"),
    ),
    "open": (
        *("o", "first", "openprice", "openingprice", "priceopen", "openbid", "bidopen"),
        *("er\u00f6ffnung", "er\u00f6ffnungskurs", "erster", "\u5f00\u76d8", "\u5f00\u76d8\u4ef7"),
    ),
    "high": (
        *("h", "max", "highprice", "pricehigh", "highest", "highbid", "bidhigh"),
        *("hoch", "tageshoch", "\u6700\u9ad8", "\u6700\u9ad8\u4ef7"),
    ),
    "low": (
        *("l", "min", "lowprice", "pricelow", "lowest", "lowbid", "bidlow"),
        *("tief", "tagestief", "\u6700\u4f4e", "\u6700\u4f4e\u4ef7"),
    ),
    "close": (
        *("c", "price", "last", "closelast", "closeprice", "closingprice", "priceclose", "settle"),
        *("lastprice", "latest", "closebid", "bidclose", "adjclose", "adjustedclose"),
        *("schluss", "schlusskurs", "zuletzt", "\u6536\u76d8", "\u6536\u76d8\u4ef7"),
    ),
    "volume": (
        *("v", "vol", "realvolume", "tickvolume", "tickvol", "shares", "sharestraded", "qty"),
        *("volumeusd", "volumebtc", "basevolume", "totalvolume", "volumetraded", "tradedvolume"),
        *("volumefrom", "totaltradedquantity", "tottrdqty", "volumeshares", "quantity"),
        *("volumen", "st\u00fcck", "\u6210\u4ea4\u91cf"),
    ),
}
_LIST_NUMBER = re.compile(r"^\d+[a-z]?[.)]\s*")
_IN_PARENTHESES = re.compile(r"\([^)]*\)|\[[^]]*\]")
_QUOTE_CURRENCIES = ("usdt", "usdc", "usd", "eur", "gbp")


def is_known_name(name: str) -> bool:
    """Whether a column of this name holds values of bars, or may be mapped to one."""
    return any(
        normalise_name(name) in ALIASES[ours]
        or simplify_name(name) in SUGGESTED_ALIASES.get(ours, ())
        for ours in ALIASES
    )


def normalise_name(name: str) -> str:
    """A name without capitals, spaces, underscores, hyphens and angle brackets."""
    return "".join(letter for letter in name.lower() if letter not in " _-<>")


def simplify_name(name: str) -> str:
    """Letters and digits of a name, without the number of a list, parentheses and a currency."""
    plain = _IN_PARENTHESES.sub("", _LIST_NUMBER.sub("", name.lower().strip()))
    return re.sub(r"[\W_]", "", plain)


def is_called(name: str, known: Sequence[str]) -> bool:
    """Whether a name, with a quote currency at its end or without, is one of some plain ones."""
    plain = simplify_name(name)
    shorter = next((plain.removesuffix(c) for c in _QUOTE_CURRENCIES if plain.endswith(c)), plain)
    return normalise_name(name) in known or plain in known or shorter in known


def find_prefixed(ours: str, file_columns: Sequence[str]) -> str | None:
    """The column `SPY.Open` among those of one ticker, as quantmod and joined frames have them."""
    lower = {name.lower(): name for name in file_columns}
    for name in file_columns:
        for mark in "._ ":
            prefix = name.lower().removesuffix(f"{mark}open")
            if all(f"{prefix}{mark}{price}" in lower for price in PRICE_COLUMNS):
                return lower.get(f"{prefix}{mark}{ours}")
    return None
