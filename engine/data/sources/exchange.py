"""Any exchange that ccxt knows, public candles only."""

from __future__ import annotations

import difflib
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.data.calendar import interval_length
from engine.data.sources.clients import Clients, persist
from engine.data.sources.feed import Feed, Request
from engine.errors import SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.data.spec import CcxtSource

# The first exchange for a cryptocurrency opened in 2010.
_BEGINNING = pd.Timestamp("2010-01-01", tz="UTC")

_PAGE = 500
"""Candles asked for at once from an exchange whose limit ccxt does not know."""

_COLUMNS = ["timestamp", "open", "high", "low", "close", "volume"]


class ExchangeFeed(Feed):
    """The candles of one exchange, page by page.

    Args:
        spec: Exchange and symbols.
        clients: Time-outs, and settings of the exchange.
    """

    appends = True

    def __init__(self, spec: CcxtSource, clients: Clients) -> None:
        self.spec = spec
        self.clients = clients
        self.label = f"ccxt:{spec.exchange}"
        self.cache_key = f"ccxt {spec.exchange}"

    def ticker(self, symbol: str) -> str:
        """The exchange's symbol in ccxt's notation; `BTC-USD` is `BTC/USD` unless mapped."""
        return self.spec.symbols.get(symbol, symbol.replace("-", "/"))

    def origin(self, symbol: str) -> str:  # noqa: ARG002  one answer for all
        """The client and the exchange."""
        return self.label

    def place(self, symbol: str) -> str:
        """The exchange's symbol."""
        return f"{self.ticker(symbol)} of {self.label}"

    def url(self) -> str:
        """The exchange's public server."""
        found = self._exchange.urls["api"]
        while isinstance(found, dict):
            found = found.get("public") or found.get("rest") or next(iter(found.values()))
        return str(found).replace("{hostname}", str(self._exchange.hostname))

    def fetch(self, request: Request) -> pd.DataFrame:
        """Candles from `since` to now, the last of them still open.

        Minutes without a trade are absent. Every page is asked from a later instant than the one
        before, so that an exchange that repeats itself cannot hold the loop.

        Raises:
            UnreachableError: No answer, throttled, or a server error, and again after each pause.
            SourceError: Exchange or symbol unknown, or no candles of this interval.
        """
        market = self._market(request)
        step = int(interval_length(request.interval) / pd.Timedelta(milliseconds=1))
        page = int(self._exchange.feature_value(market, "fetchOHLCV", "limit", _PAGE) or _PAGE)
        since = _milliseconds(request.since or _BEGINNING)
        now = _milliseconds(request.now)
        first = since
        rows: list[list[float]] = []
        while since <= now:
            call = partial(self._exchange.fetch_ohlcv, market, request.interval, since, page)
            new = sorted(candle[:6] for candle in self._ask(call) if candle[0] >= since)
            rows += _without_repeats(new)
            # Nothing new: the listing lies ahead, or trading paused for longer than a page.
            since = int(new[-1][0]) + step if new else since + page * step
            done = min(since, now) - first
            request.progress.advance(done // step, (now - first) // step, f"{market} {self.label}")
        table = pd.DataFrame(rows, columns=_COLUMNS)
        table["timestamp"] = pd.to_datetime(
            table["timestamp"].astype("int64"), unit="ms", utc=True
        )
        return table

    @cached_property
    def _exchange(self) -> Any:  # noqa: ANN401  ccxt is left untyped
        import ccxt

        name = self.spec.exchange
        if name not in ccxt.exchanges:
            raise _unknown("exchange", name, ccxt.exchanges, "exchange")
        settings: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(self.clients.timeout_s * 1000),
            # ccxt leaves proxies of the environment aside unless told otherwise.
            "requests_trust_env": True,
        }
        return getattr(ccxt, name)({**settings, **self.clients.exchange})

    def _market(self, request: Request) -> str:
        exchange, ticker = self._exchange, self.ticker(request.symbol)
        if request.interval not in (exchange.timeframes or {}):
            raise SourceError(
                f"no {request.interval} candles",
                expected=", ".join(exchange.timeframes or {}) or "an exchange with candles",
                found=request.interval,
                where=self.place(request.symbol),
                fix="change the interval of the dataset",
            )
        known = self._ask(exchange.load_markets)
        if ticker not in known:
            raise _unknown("symbol", ticker, list(known), f"{request.symbol} on {self.label}")
        return ticker

    def _ask(self, call: Callable[[], Any]) -> Any:  # noqa: ANN401  ccxt is left untyped
        import ccxt

        try:
            return persist(call, _may_pass, self.clients)
        except ccxt.OperationFailed as error:
            raise self._unreachable(error) from error
        except ccxt.BaseError as error:
            if _never_answered(error):
                raise self._unreachable(error) from error
            raise SourceError(
                "the server refused",
                found=_short(error),
                where=self.label,
                fix="use another exchange",
            ) from error

    def _unreachable(self, error: Exception) -> UnreachableError:
        return UnreachableError(
            "the server gave no usable answer",
            found=f"{type(error).__name__}: {_short(error)}",
            where=self.label,
            fix="wait some minutes and run again",
        )


def _may_pass(error: Exception) -> bool:
    """Whether asking again may help; a server that hung once has had its time."""
    import ccxt

    return isinstance(error, ccxt.OperationFailed) and not isinstance(error, ccxt.RequestTimeout)


def _never_answered(error: Exception) -> bool:
    """Whether an error that ccxt blames on the exchange is one of the connection, as of TLS."""
    import requests

    cause = error.__cause__
    return isinstance(cause, OSError) and not isinstance(cause, requests.HTTPError)


def _unknown(kind: str, name: str, known: Sequence[str], where: str) -> SourceError:
    close = difflib.get_close_matches(name, known, n=3)
    return SourceError(
        f"ccxt knows no {kind} {name}",
        expected=f"one of {len(known)} names",
        found=name,
        where=where,
        fix=f"did you mean {', '.join(close)}?" if close else f"look the {kind} up in ccxt's list",
    )


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _milliseconds(stamp: pd.Timestamp) -> int:
    return int(stamp.timestamp() * 1000)


def _without_repeats(candles: list[list[float]]) -> list[list[float]]:
    """Candles of one page, ascending, of which exact copies are left out."""
    return [candle for i, candle in enumerate(candles) if i == 0 or candle != candles[i - 1]]
