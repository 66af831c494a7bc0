"""Yahoo's chart interface with its cookie and crumb, as far as histories need them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.servers.local import Answer

if TYPE_CHECKING:
    from tests.servers.candles import Candle


@dataclass
class Chart:
    """One ticker; `factors` turn closes into adjusted closes, `nulls` are rows without data."""

    candles: list[Candle]
    zone: str = "UTC"
    kind: str = "CRYPTOCURRENCY"
    factors: list[float] | None = None
    nulls: set[int] = field(default_factory=set)


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
        result = _result(ticker, chart, bars, factors)
        if query["interval"].endswith(("m", "h")):
            result["meta"]["tradingPeriods"] = _open_all_day(bars)
        return Answer.of({"chart": {"result": [result], "error": None}})


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
    adjusted = [
        None if close is None else close * factor
        for close, factor in zip(closes, factors[-len(bars) :], strict=True)
    ]
    quote = {name: column(name) for name in ("open", "high", "low", "close", "volume")}
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
        "timestamp": [candle.seconds for candle in bars],
        "indicators": {"quote": [quote], "adjclose": [{"adjclose": adjusted}]},
    }
