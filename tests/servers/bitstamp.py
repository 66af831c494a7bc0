"""Bitstamp's public interface, as far as candles need it: pages are windows of time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.local import Answer
from tests.servers.market import Market

if TYPE_CHECKING:
    from tests.servers.candles import Candle


@dataclass
class Bitstamp(Market):
    def answer(self, path: str, query: dict[str, str]) -> Answer:
        if path.startswith("/api/v2/markets/"):
            return Answer.of([_market(pair) for pair in self.books])
        if path.startswith("/api/v2/ohlc/"):
            return self._page(path.rstrip("/").rpartition("/")[2], query)
        return Answer.of({"status": "error", "reason": "not found"}, 404)

    def _page(self, market: str, query: dict[str, str]) -> Answer:
        pair = next(pair for pair in self.books if pair.replace("/", "").lower() == market)
        start, end = int(query["start"]), int(query["end"])
        page = self.page(
            pair, int(query["step"]), int(query["limit"]), lambda at: start <= at <= end
        )
        return Answer.of({"data": {"pair": pair, "ohlc": [_row(candle) for candle in page]}})


def _row(candle: Candle) -> dict[str, str]:
    names = ("open", "high", "low", "close", "volume")
    return {"timestamp": str(candle.seconds)} | {n: repr(getattr(candle, n)) for n in names}


def _market(pair: str) -> dict[str, object]:
    base, counter = pair.split("/")
    return {
        "name": pair,
        "market_symbol": (base + counter).lower(),
        "base_currency": base,
        "base_decimals": 8,
        "counter_currency": counter,
        "counter_decimals": 2,
        "minimum_order_value": "10",
        "trading": "Enabled",
        "instant_order_counter_decimals": 2,
        "instant_and_market_orders": "Enabled",
        "description": f"{base} / {counter}",
        "market_type": "SPOT",
    }
