"""Listens to an exchange's candles through ccxt, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from typing import TYPE_CHECKING, Any

from engine.core.control_characters import escape_line
from engine.live.feeds.candle_stream import CandleStream

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from engine.data.sources import ClientSettings
    from engine.data.sources.exchange.ccxt_types import CcxtExchange
    from engine.live.feeds.kept_bars import BarValues

_FIRST_PAUSE_S = 1.0
_CLOSE_S = 5.0
"""Longest wait for an exchange to end the connection."""

_CANDLES = 20
"""Newest candles that are looked at after a message: several may have come at once."""

_TOLD_BREAKS = 3
"""Breaks of the connection that are told one by one; the others at each power of ten."""


class CandleListener:
    """Keeps a connection to an exchange, and what it shows of each symbol.

    ccxt connects again by itself when a connection ends between two calls, and shows the candles
    of before among the new ones. So every connection has an exchange object of its own, which is
    closed with it.

    Args:
        exchange: ccxt's id of the exchange.
        tickers: Dataset symbol to the exchange's in ccxt's notation.
        timeframe: ccxt's name of the length of a candle.
        clients: Time-outs, and settings of the exchange.
        longest_pause_s: Longest pause before a new connection.
    """

    def __init__(
        self,
        exchange: str,
        tickers: Mapping[str, str],
        timeframe: str,
        clients: ClientSettings,
        longest_pause_s: float,
    ) -> None:
        self._name = exchange
        self._tickers = tickers
        self._timeframe = timeframe
        self._clients = clients
        self._longest_pause_s = longest_pause_s
        self._streams = {symbol: CandleStream() for symbol in tickers}
        self._news = threading.Condition()
        self._has_news = False
        self._messages: deque[str] = deque(maxlen=100)
        self._previous: Any = None
        self._connection = 0
        self._heard = False
        self._breaks = 0
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ending: asyncio.Event | None = None
        self._started = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"candles of {exchange}", daemon=True
        )

    def start(self) -> None:
        """Begins to connect; does not wait for a connection."""
        self._thread.start()
        self._started.wait()

    def close(self) -> None:
        """Ends connection and thread, and waits for both."""
        if self._loop is not None and self._ending is not None and self._thread.is_alive():
            self._loop.call_soon_threadsafe(self._ending.set)
            self._thread.join()

    def wait(self, timeout_s: float) -> None:
        """Returns when a candle has closed since the last `take`, or after a time."""
        with self._news:
            self._news.wait_for(lambda: self._has_news, timeout_s)

    def take(self) -> dict[str, tuple[dict[int, BarValues], int | None, int | None]]:
        """Of each symbol the whole candles that are new, the base and the newest candle."""
        with self._news:
            self._has_news = False
            return {
                symbol: (stream.take(), stream.base, stream.newest)
                for symbol, stream in self._streams.items()
            }

    def take_messages(self) -> list[str]:
        """What a user must know about the connection since the last call."""
        with self._news:
            taken = list(self._messages)
            self._messages.clear()
            return taken

    def _run(self) -> None:
        asyncio.run(self._listen_until_closed())

    async def _listen_until_closed(self) -> None:
        self._loop = asyncio.get_running_loop()
        # ccxt leaves tasks of broken connections behind, whose errors were told already.
        self._loop.set_exception_handler(lambda _loop, _context: None)
        self._ending = asyncio.Event()
        self._started.set()
        first_pause_s = pause_s = min(_FIRST_PAUSE_S, self._longest_pause_s)
        while not self._ending.is_set():
            self._heard = False
            reason = await self._listen(self._ending)
            if self._ending.is_set():
                return
            pause_s = first_pause_s if self._heard else min(2 * pause_s, self._longest_pause_s)
            self._tell_break(reason)
            await _wait(self._ending, pause_s)

    async def _listen(self, ending: asyncio.Event) -> str:
        """Listens over one connection until it ends; why it did."""
        exchange = self._create()
        broken = asyncio.Event()
        self._watch_connection(exchange, broken)
        tasks: list[asyncio.Task[Any]] = [
            *(asyncio.create_task(self._watch(exchange, each)) for each in self._tickers),
            *(asyncio.create_task(event.wait()) for event in (broken, ending)),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            errors = [error for task in done if (error := task.exception()) is not None]
        finally:
            self._connection += 1
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await _close(exchange)
        return _describe(errors[0]) if errors else "the connection was closed"

    def _create(self) -> CcxtExchange:
        import ccxt.pro

        settings: dict[str, Any] = {
            "enableRateLimit": True,
            "timeout": int(self._clients.timeout_s * 1_000),
            "aiohttp_trust_env": True,
            # Otherwise a late message about a candle shows the newest one in its place.
            "newUpdates": False,
        }
        exchange = getattr(ccxt.pro, self._name)({**settings, **self._clients.exchange_options})
        if self._previous is not None and self._previous.markets is not None:
            # The list of all markets is the largest answer of an exchange.
            exchange.set_markets_from_exchange(self._previous)
        self._previous = exchange
        return exchange

    def _watch_connection(self, exchange: CcxtExchange, broken: asyncio.Event) -> None:
        """Lets ccxt's own hooks tell when a connection ends, also between two calls."""
        for name in ("on_close", "on_error"):
            original = getattr(exchange, name)

            def ended(
                client: object, error: object, original: Callable[..., object] = original
            ) -> None:
                self._connection += 1
                broken.set()
                original(client, error)

            setattr(exchange, name, ended)

    async def _watch(self, exchange: CcxtExchange, symbol: str) -> None:
        # ccxt tells of a message only who is waiting when it comes: nothing else is awaited here.
        while True:
            rows = await exchange.watch_ohlcv(
                self._tickers[symbol], self._timeframe, None, _CANDLES
            )
            candles = [(int(row[0]), _values(row)) for row in rows if None not in row[:5]]
            with self._news:
                self._heard = True
                if self._streams[symbol].add(self._connection, candles):
                    self._has_news = True
                    self._news.notify_all()

    def _tell_break(self, reason: str) -> None:
        self._breaks += 1
        if self._breaks > _TOLD_BREAKS and str(self._breaks).rstrip("0") != "1":
            return
        count = "" if self._breaks == 1 else f" ({self._breaks:,} times so far)"
        with self._news:
            self._messages.append(
                f"the stream of ccxt:{self._name} broke{count}: {reason}; candles are asked for "
                "until it is back"
            )


def _values(row: list[float | None]) -> BarValues:
    """Open, high, low, close and volume; ccxt gives None for a volume that did not come."""
    return tuple(float("nan") if value is None else float(value) for value in row[1:6])


async def _wait(event: asyncio.Event, timeout_s: float) -> None:
    try:
        await asyncio.wait_for(event.wait(), timeout_s)
    except TimeoutError:
        return


async def _close(exchange: CcxtExchange) -> None:
    # Whatever a broken connection raises when it is closed: it is gone.
    with contextlib.suppress(Exception):
        await asyncio.wait_for(exchange.close(), _CLOSE_S)


def _describe(error: BaseException) -> str:
    text = " ".join(str(error).split())[:200]
    return escape_line(f"{type(error).__name__}: {text}" if text else type(error).__name__)
