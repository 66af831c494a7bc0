"""Binance's public interface: candles of spot and perpetual markets, and funding rates."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tests.servers.local import Answer
from tests.servers.market import Market

if TYPE_CHECKING:
    from tests.servers.candles import Candle

STEPS = {"1m": 60, "1h": 3_600, "1d": 86_400, "1w": 604_800}


@dataclass
class Binance(Market):
    """`books` go by symbols like `BTC/USDT`, and `BTC/USDT:USDT` for perpetuals.

    `rates` holds (seconds, rate) of the perpetuals' funding, `rates_a_page` at most at once.
    `rates_span_s` is the window of a page of them, from its start on, and `newest_rates` says that
    a page holds the newest of it.
    """

    rates: dict[str, list[tuple[int, float]]] = field(default_factory=dict)
    rates_a_page: int = 1_000
    rates_span_s: float = math.inf
    newest_rates: bool = False

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        kind, _, name = path.strip("/").partition("/")
        name = name.rpartition("/")[2]
        end = {"api": "", "fapi": ":USDT"}.get(kind)
        if name == "exchangeInfo":
            pairs = [p for p in {**self.books, **self.rates} if end is not None and _is(p, end)]
            return Answer.of({"symbols": [_market(pair) for pair in pairs]})
        if name == "klines":
            return self._klines(f"{_pair(query['symbol'])}{end}", query)
        if name == "fundingRate":
            return self._funding(query)
        return Answer.of({"code": -1, "msg": "not found"}, 404)

    def _klines(self, pair: str, query: dict[str, str]) -> Answer:
        start, end = int(query.get("startTime", 0)), int(query.get("endTime", 1e15))
        step = STEPS[query["interval"]]
        page = self.span(pair, step, int(query["limit"]), (start, end))
        return Answer.of([_row(candle, step) for candle in page])

    def span(self, pair: str, step: int, limit: int, span_ms: tuple[int, int]) -> list[Candle]:
        """At most `limit` candles of `step` seconds that open within a span, its end included."""
        start, end = span_ms
        return self.page(pair, step, limit, lambda at: start <= at * 1_000 <= end)

    def _funding(self, query: dict[str, str]) -> Answer:
        start, limit = int(query.get("startTime", 0)), int(query.get("limit", 100))
        own = self.rates[f"{_pair(query['symbol'])}:USDT"]
        page = [rate for rate in own if 0 <= rate[0] * 1_000 - start <= self.rates_span_s * 1_000]
        if self.newest_rates:
            # The window is one of so many payments, as ccxt computes it for some exchanges.
            page = [rate for rate in page if rate[0] * 1_000 < start + limit * 28_800_000]
            page = page[-self.rates_a_page :]
        page = page[: min(limit, self.rates_a_page)]
        name = query["symbol"]
        return Answer.of(
            [{"symbol": name, "fundingTime": at * 1_000, "fundingRate": repr(v)} for at, v in page]
        )


def _is(pair: str, end: str) -> bool:
    return pair.endswith(":USDT") == bool(end)


def _pair(name: str) -> str:
    return f"{name.removesuffix('USDT')}/USDT"


def _row(candle: Candle, step: int) -> list[object]:
    prices = [repr(v) for v in (candle.open, candle.high, candle.low, candle.close)]
    opened = candle.seconds * 1_000
    return [opened, *prices, repr(candle.volume), opened + step * 1_000 - 1, "0", 1, "0", "0", "0"]


def _market(pair: str) -> dict[str, object]:
    base, quote = pair.partition(":")[0].split("/")
    own: dict[str, object] = {
        "symbol": base + quote,
        "status": "TRADING",
        "baseAsset": base,
        "quoteAsset": quote,
        "filters": [],
    }
    if ":" in pair:
        own |= {"contractType": "PERPETUAL", "marginAsset": quote, "deliveryDate": 4133404800000}
    else:
        own |= {"isSpotTradingAllowed": True, "permissions": ["SPOT"]}
    return own
