"""Kraken's public interface, as far as candles need it: the last 720 of any length, no more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.servers.local import Answer
from tests.servers.market import Market

if TYPE_CHECKING:
    from tests.servers.candles import Candle

LAST = 720
_IDS = {"BTC/USD": "XXBTZUSD"}


@dataclass
class Kraken(Market):
    newest: int | None = LAST

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        name = path.rpartition("/")[2]
        if name == "Assets":
            return _result({asset: _asset(asset) for asset in ("XXBT", "ZUSD")})
        if name == "AssetPairs":
            return _result({_IDS[pair]: _market(_IDS[pair]) for pair in self.books})
        if name == "OHLC":
            return self._page(query)
        return Answer.of({"error": ["EGeneral:Unknown method"]})

    def _page(self, query: dict[str, str]) -> Answer:
        pair = next(pair for pair, own in _IDS.items() if own == query["pair"])
        since = int(query.get("since", 0))
        page = self.page(pair, 60 * int(query["interval"]), LAST, lambda at: at > since)
        return _result({query["pair"]: [_row(candle) for candle in page], "last": 0})


def _result(value: object) -> Answer:
    return Answer.of({"error": [], "result": value})


def _row(candle: Candle) -> list[object]:
    prices = [repr(v) for v in (candle.open, candle.high, candle.low, candle.close)]
    return [candle.seconds, *prices, "0", repr(candle.volume), 1]


def _asset(name: str) -> dict[str, object]:
    return {"aclass": "currency", "altname": name[1:], "decimals": 8, "status": "enabled"}


def _market(name: str) -> dict[str, object]:
    return {
        "altname": name,
        "wsname": "XBT/USD",
        "aclass_base": "currency",
        "base": name[:4],
        "aclass_quote": "currency",
        "quote": name[4:],
        "pair_decimals": 1,
        "lot_decimals": 8,
        "lot_multiplier": 1,
        "fees": [[0, 0.26]],
        "fees_maker": [[0, 0.16]],
        "ordermin": "0.0001",
        "status": "online",
    }
