"""Exchanges whose pages are cut in ways that ccxt's `features` do not say, as far as candles go.

Each answers the request that ccxt's own class of that exchange sends. What a page holds is written
down here from that class and from the exchange's documentation.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar

from tests.servers.local import Answer
from tests.servers.market import Market

if TYPE_CHECKING:
    from tests.servers.candles import Candle

HOUR, DAY, WEEK = 3_600, 86_400, 604_800
SPOT, LINEAR = "BTC/USDT", "BTC/USDT:USDT"
EVERYTHING = 1_000_000


@dataclass
class PagedExchange(Market):
    """One exchange with one market.

    `name` is ccxt's id of the exchange, `ticker` the market, `steps` the exchange's words for the
    lengths of candles, in seconds; `counts_contracts` says what volumes count.
    """

    name: ClassVar[str]
    ticker: ClassVar[str]
    steps: ClassVar[dict[str, int]]
    contract_size: ClassVar[float | None] = None
    counts_contracts: ClassVar[bool] = False

    @classmethod
    def volume_scale(cls) -> float:
        """Coins in one unit of a candle's volume."""
        return float(cls.contract_size or 1.0) if cls.counts_contracts else 1.0

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        """The exchange's addresses, as ccxt's settings name them."""
        return {"public": url}

    @classmethod
    def markets(cls) -> list[dict[str, object]]:
        """The market as ccxt describes it."""
        swap = ":" in cls.ticker
        return [
            {
                "id": "BTCUSDT",
                "lowercaseId": "btcusdt",
                "symbol": cls.ticker,
                "base": "BTC",
                "quote": "USDT",
                "baseId": "BTC",
                "quoteId": "USDT",
                "settle": "USDT" if swap else None,
                "settleId": "USDT" if swap else None,
                "active": True,
                "type": "swap" if swap else "spot",
                "spot": not swap,
                "margin": False,
                "swap": swap,
                "future": False,
                "option": False,
                "contract": swap,
                "linear": True if swap else None,
                "inverse": False if swap else None,
                "contractSize": cls.contract_size,
                "precision": {"price": 0.01, "amount": 0.001},
                "info": {},
            }
        ]

    def window(self, step: int, start: float, end: float, limit: int) -> list[Candle]:
        """At most `limit` candles that open from `start` to `end`, in seconds, inclusive."""
        return self.page(self.ticker, step, limit, lambda at: start <= at <= end)


@dataclass
class Bullish(PagedExchange):
    """A window of a hundred candles; ccxt's `features` say 1,000."""

    name, ticker = "bullish", SPOT
    steps: ClassVar = {"1m": 60, "1h": HOUR, "1d": DAY}

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"public": f"{url}/trading-api"}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        start, end = (_iso(query[f"createdAtDatetime[{name}]"]) for name in ("gte", "lte"))
        step, limit = self.steps[query["timeBucket"]], int(query["_pageSize"])
        return Answer.of(
            [
                {"createdAtTimestamp": str(candle.seconds * 1_000), **_prices(candle)}
                for candle in self.window(step, start, end, limit)[::-1]
            ]
        )


@dataclass
class BitgetSwap(PagedExchange):
    """A window of 200 candles, and of 90 days at most; `features` say 200."""

    name, ticker, contract_size = "bitget", LINEAR, 1.0
    steps: ClassVar = {"1m": 60, "1H": HOUR, "1Dutc": DAY, "1Wutc": WEEK}

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"mix": url, "spot": url, "common": url}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        start, end = (int(query[name]) / 1_000 for name in ("startTime", "endTime"))
        rows = self.window(self.steps[query["granularity"]], start, end, int(query["limit"]))
        return Answer.of({"code": "00000", "data": [_row(candle) for candle in rows]})


@dataclass
class MexcSpot(PagedExchange):
    """A window of 500 candles; `features` say 1,000."""

    name, ticker = "mexc", SPOT
    steps: ClassVar = {"1m": 60, "60m": HOUR, "1d": DAY, "1W": WEEK, "1M": 28 * DAY}

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"spot": {"public": url}, "contract": {"public": url}}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        start, end = (int(query[name]) / 1_000 for name in ("startTime", "endTime"))
        limit = min(int(query.get("limit", 500)), 500)
        rows = self.window(self.steps[query["interval"]], start, end, limit)
        return Answer.of([_row(candle) for candle in rows])


@dataclass
class KucoinFutures(PagedExchange):
    """At most 200 of a window of 500 candles; volumes are numbers of contracts."""

    name, ticker, contract_size = "kucoinfutures", LINEAR, 0.001
    counts_contracts = True
    steps: ClassVar = {"1": 60, "60": HOUR, "1440": DAY, "10080": WEEK}
    largest: int = 200

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"public": url, "futuresPublic": url}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        start, end = (int(query[name]) / 1_000 for name in ("from", "to"))
        rows = self.window(self.steps[query["granularity"]], start, end, EVERYTHING)
        return Answer.of({"code": "200000", "data": [_row(candle) for candle in rows]})


@dataclass
class GateSwap(PagedExchange):
    """A window of 1,999 candles; volumes are numbers of contracts."""

    name, ticker, contract_size = "gate", LINEAR, 0.0001
    counts_contracts = True
    steps: ClassVar = {"1m": 60, "1h": HOUR, "1d": DAY, "7d": WEEK}
    largest: int = 2_000

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"public": {"futures": url, "spot": url}}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        step = self.steps[query["interval"]]
        rows = self.window(step, int(query["from"]), int(query["to"]), EVERYTHING)
        return Answer.of(
            [
                {"t": candle.seconds, **{name[0]: text for name, text in _prices(candle).items()}}
                for candle in rows
            ]
        )


@dataclass
class HtxSwap(PagedExchange):
    """The newest candles where their number is given, a window of 2,000 where it is not."""

    name, ticker, contract_size = "htx", LINEAR, 0.001
    steps: ClassVar = {"1min": 60, "60min": HOUR, "1day": DAY, "1week": WEEK}
    largest: int = 2_000

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"contract": url, "spot": url}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        step = self.steps[query["period"]]
        if "size" in query:
            rows = _newest(self, step, int(query["size"]))
        else:
            rows = self.window(step, int(query["from"]), int(query["to"]), EVERYTHING)
        data = [
            {"id": candle.seconds, "amount": candle.volume, **_prices(candle)} for candle in rows
        ]
        return Answer.of({"status": "ok", "data": data})


@dataclass
class Deepcoin(PagedExchange):
    """The newest 300 before an end; no start is ever sent."""

    name, ticker = "deepcoin", SPOT
    steps: ClassVar = {"1m": 60, "1H": HOUR, "1D": DAY, "1W": WEEK}
    largest: int = 300

    @classmethod
    def api(cls, url: str) -> dict[str, object]:
        return {"public": url, "private": url}

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        end = int(query.get("after", 1e16)) / 1_000
        rows = _newest(self, self.steps[query["bar"]], int(query.get("limit", 100)), end)
        return Answer.of({"code": "0", "data": [_row(candle) for candle in rows[::-1]]})


@dataclass
class P2b(PagedExchange):
    """The newest 500 whatever is asked."""

    name, ticker = "p2b", SPOT
    steps: ClassVar = {"1m": 60, "1h": HOUR, "1d": DAY}
    largest: int = 500

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        rows = _newest(self, self.steps[query["interval"]], int(query.get("limit", 50)))
        names = ("open", "close", "high", "low", "volume")
        data = [
            [candle.seconds, *(_prices(candle)[name] for name in names), "0", "BTC_USDT"]
            for candle in rows
        ]
        return Answer.of({"success": True, "errorCode": "", "message": "", "result": data})


@dataclass
class Gemini(PagedExchange):
    """The newest `largest` whatever is asked; neither a start nor a number is sent."""

    name, ticker = "gemini", SPOT
    steps: ClassVar = {"1m": 60, "1hr": HOUR, "1day": DAY}
    largest: int = 365

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        rows = _newest(self, self.steps[path.rpartition("/")[2]], EVERYTHING)
        return Answer.of([_row(candle) for candle in rows[::-1]])


@dataclass
class Bitbank(PagedExchange):
    """One file a day of candles up to an hour, one a year of longer ones."""

    name, ticker = "bitbank", SPOT
    steps: ClassVar = {"1min": 60, "1hour": HOUR, "1day": DAY, "1week": WEEK}
    largest: int = 100_000

    def answer(self, path: str, query: dict[str, str]) -> Answer:
        *_, name, day = path.split("/")
        step = self.steps[name]
        long = step > HOUR
        begin = datetime.strptime(day, "%Y%m%d").replace(tzinfo=UTC)
        if long:
            begin = begin.replace(month=1, day=1)
        end = begin.replace(year=begin.year + 1).timestamp() if long else begin.timestamp() + DAY
        rows = self.window(step, begin.timestamp(), end - 1, EVERYTHING)
        ohlcv = [
            [*list(_prices(candle).values())[:4], repr(candle.volume), candle.seconds * 1_000]
            for candle in rows
        ]
        return Answer.of({"success": 1, "data": {"candlestick": [{"type": name, "ohlcv": ohlcv}]}})


PAGED: tuple[type[PagedExchange], ...] = (
    Bullish,
    BitgetSwap,
    MexcSpot,
    KucoinFutures,
    GateSwap,
    HtxSwap,
    Deepcoin,
    P2b,
    Gemini,
    Bitbank,
)


def _newest(market: PagedExchange, step: int, limit: int, end: float = 1e13) -> list[Candle]:
    """The newest candles that open before `end`, in seconds."""
    limit = min(limit, market.largest)

    def before(at: int) -> bool:
        return at <= end

    counted, market.from_end = market.from_end, True
    try:
        return market.page(market.ticker, step, limit, before)
    finally:
        market.from_end = counted


def _iso(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def _prices(candle: Candle) -> dict[str, str]:
    names = ("open", "high", "low", "close", "volume")
    return {name: repr(getattr(candle, name)) for name in names}


def _row(candle: Candle) -> list[object]:
    return [candle.seconds * 1_000, *_prices(candle).values(), "0", "0"]
