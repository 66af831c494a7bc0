"""Yahoo's chart interface with its cookie and crumb, as far as histories need them."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.local import Answer

if TYPE_CHECKING:
    from tests.servers.candles import Candle

_NAMES = ("open", "high", "low", "close", "volume")


@dataclass
class Chart:
    """One ticker.

    `factors` turn closes into adjusted closes, `nulls` are rows without data. `dividends` and
    `splits` (new shares for one old) are paid and made on the candle of that position. `live` is
    a second row for the last candle's interval, so many seconds after its beginning, with the
    same prices; `shuffled` sends the rows in another order. `empty` answers 200 without bars:
    "result" has no result at all, "rows" has a result without a row, "columns" one without
    prices. `again` holds candles that are sent a second time, with the prices given there.
    """

    candles: list[Candle]
    zone: str = "UTC"
    kind: str = "CRYPTOCURRENCY"
    factors: list[float] | None = None
    nulls: set[int] = field(default_factory=set)
    dividends: dict[int, float] = field(default_factory=dict)
    splits: dict[int, float] = field(default_factory=dict)
    live: int | None = None
    shuffled: bool = False
    empty: str = ""
    again: list[Candle] = field(default_factory=list)


@dataclass
class Yahoo:
    charts: dict[str, Chart] = field(default_factory=dict)

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path.startswith("/v8/finance/chart/"):
            return self._chart(path.rpartition("/")[2], query)
        if path.endswith("/getcrumb"):
            return Answer(200, "crumb", "text/plain")
        return Answer(404, "Will be right there", "text/html")

    def _chart(self, ticker: str, query: dict[str, str]) -> Answer:
        if ticker not in self.charts:
            error = {"code": "Not Found", "description": "No data found, symbol may be delisted"}
            return Answer.of({"chart": {"result": None, "error": error}}, 404)
        chart = self.charts[ticker]
        bars = chart.candles[-1:]
        factors = chart.factors or [1.0] * len(chart.candles)
        if "period1" in query:
            first, last = int(query["period1"]), int(query["period2"])
            bars = [candle for candle in chart.candles if first <= candle.seconds < last]
        if "period1" in query and chart.empty:
            bars = []
        result = _result(ticker, chart, bars, factors)
        if "period1" in query:
            _misbehave(result, chart)
            if chart.empty == "result":
                return Answer.of({"chart": {"result": [], "error": None}})
        if query["interval"].endswith(("m", "h")):
            result["meta"]["tradingPeriods"] = _open_all_day(bars)
            # Yahoo adjusts no bar that is shorter than a day for dividends.
            result["indicators"].pop("adjclose", None)
        return Answer.of({"chart": {"result": [result], "error": None}})


def _misbehave(result: dict[str, Any], chart: Chart) -> None:
    stamps, columns = result["timestamp"], _columns(result)
    if chart.empty == "columns":
        result["indicators"] = {"quote": [{}], "adjclose": [{}]}
        del result["timestamp"]
    if chart.live is not None:
        stamps.append(stamps[-1] + chart.live)
        for column in columns:
            column.append(column[-1])
    for candle in chart.again:
        i = bisect_right(stamps, candle.seconds)
        row = (*(getattr(candle, name) for name in _NAMES), candle.close)
        for column, value in zip((stamps, *columns), (candle.seconds, *row), strict=True):
            column.insert(i, value)
    if chart.shuffled:
        for column in (stamps, *columns):
            column[:] = column[7:] + column[:7]


def _columns(result: dict[str, Any]) -> list[list[float | None]]:
    indicators = result["indicators"]
    return [*indicators["quote"][0].values(), indicators["adjclose"][0]["adjclose"]]


def _events(chart: Chart) -> dict[str, Any]:
    at = {i: candle.seconds for i, candle in enumerate(chart.candles)}
    dividends = {
        str(at[i]): {"amount": amount, "date": at[i]} for i, amount in chart.dividends.items()
    }
    splits = {
        str(at[i]): {
            "date": at[i],
            "numerator": ratio,
            "denominator": 1.0,
            "splitRatio": f"{ratio:g}:1",
        }
        for i, ratio in chart.splits.items()
    }
    return {"dividends": dividends, "splits": splits}


def _open_all_day(bars: list[Candle]) -> list[list[dict[str, object]]]:
    days = sorted({candle.seconds // 86_400 * 86_400 for candle in bars})
    return [
        [{"timezone": "UTC", "gmtoffset": 0, "start": day, "end": day + 86_400}] for day in days
    ]


def _result(ticker: str, chart: Chart, bars: list[Candle], factors: list[float]) -> dict[str, Any]:
    def column(name: str) -> list[float | None]:
        return [
            None if i in chart.nulls else getattr(candle, name) for i, candle in enumerate(bars)
        ]

    closes = column("close")
    own = factors[-len(bars) :] if bars else []
    adjusted = [
        None if close is None else close * factor
        for close, factor in zip(closes, own, strict=True)
    ]
    quote = {name: column(name) for name in _NAMES}
    return {
        "meta": {
            "currency": "USD",
            "symbol": ticker,
            "exchangeName": "CCC",
            "instrumentType": chart.kind,
            "exchangeTimezoneName": chart.zone,
            "timezone": chart.zone,
            "gmtoffset": 0,
            "priceHint": 2,
            "dataGranularity": "1d",
            "range": "",
            "validRanges": ["1d", "5d", "max"],
            "firstTradeDate": bars[0].seconds if bars else None,
            "regularMarketTime": bars[-1].seconds if bars else None,
        },
        "events": _events(chart),
        "timestamp": [candle.seconds for candle in bars],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
    }
