"""Binance's websocket of candles, which sends what it is told and misbehaves as it is told."""

from __future__ import annotations

import json
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import serve

if TYPE_CHECKING:
    from collections.abc import Iterator

    from websockets.sync.server import ServerConnection

    from tests.servers.candles import Candle

WAIT_S = 20.0


@dataclass
class KlineStream:
    """The stream on a port; 0 takes a free one.

    `refuse` ends so many of the next connections at once. `subscriptions` counts the requests for
    candles, `connections` the connections, over the life of the server; `ahead_ms` is how far the
    time of its events is ahead.
    """

    port: int = 0
    refuse: int = 0
    ahead_ms: int = 0
    url: str = ""
    connections: int = 0
    subscriptions: int = 0
    _open: dict[ServerConnection, set[str]] = field(default_factory=dict)
    _changed: threading.Condition = field(default_factory=threading.Condition)

    @contextmanager
    def running(self) -> Iterator[KlineStream]:
        with serve(self._handle, "127.0.0.1", self.port) as server:
            self.url = f"ws://127.0.0.1:{server.socket.getsockname()[1]}"
            thread = threading.Thread(target=server.serve_forever)
            thread.start()
            try:
                yield self
            finally:
                server.shutdown()
                self.drop()
                thread.join()

    def send(self, pair: str, *candles: Candle, step: int = 60, closed: bool = False) -> None:
        """Sends candles to those who asked for them, in the order given."""
        name = pair.replace("/", "")
        channel = f"{name.lower()}@kline_{_INTERVALS[step]}"
        with self._changed:
            asking = [each for each, channels in self._open.items() if channel in channels]
        for connection in asking:
            for candle in candles:
                with suppress(ConnectionClosed):
                    connection.send(json.dumps(self._event(name, candle, step, closed=closed)))

    def send_text(self, text: str) -> None:
        """Sends any text to everybody."""
        for connection in list(self._open):
            with suppress(ConnectionClosed):
                connection.send(text)

    def drop(self) -> None:
        """Ends every connection, without the good-bye of the protocol."""
        for connection in list(self._open):
            with suppress(OSError):
                connection.socket.shutdown(2)

    def wait_for_subscriptions(self, count: int) -> None:
        """Waits until so many candles have been asked for since the beginning."""
        with self._changed:
            assert self._changed.wait_for(lambda: self.subscriptions >= count, WAIT_S)

    def _handle(self, connection: ServerConnection) -> None:
        with self._changed:
            self.connections += 1
            if self.refuse:
                self.refuse -= 1
                return
            self._open[connection] = set()
        try:
            for text in connection:
                request = json.loads(text)
                connection.send(json.dumps({"result": None, "id": request["id"]}))
                with self._changed:
                    self._open[connection] |= set(request["params"])
                    self.subscriptions += len(request["params"])
                    self._changed.notify_all()
        except (ConnectionClosed, OSError):
            pass  # as `drop` makes it
        finally:
            with self._changed:
                del self._open[connection]

    def _event(self, name: str, candle: Candle, step: int, *, closed: bool) -> dict[str, Any]:
        opened = candle.seconds * 1_000
        kline = {"t": opened, "T": opened + step * 1_000 - 1, "s": name, "i": _INTERVALS[step]}
        kline |= {"o": repr(candle.open), "h": repr(candle.high), "l": repr(candle.low)}
        kline |= {"c": repr(candle.close), "v": repr(candle.volume), "n": 1, "x": closed}
        return {"e": "kline", "E": opened + self.ahead_ms, "s": name, "k": kline}


_INTERVALS = {60: "1m", 3_600: "1h", 86_400: "1d"}
