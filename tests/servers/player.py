"""An exchange that plays minute bars: it has those of the present time, by the process's clock.

`python -m tests.servers.player --bars BTCUSDT.csv.gz --port N` serves the bars of a CSV, so that a
paper account can live through hours of them; under `faketime -f '+0 x20'` twenty times as fast.
Bars of another length are played as minutes.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import sys
import time
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tests.servers.binance import Binance
from tests.servers.candles import Candle, candles
from tests.servers.kline_stream import KlineStream
from tests.servers.local import serve
from tests.servers.market import longer

if TYPE_CHECKING:
    from collections.abc import Callable

MINUTE = 60


@dataclass
class Player(Binance):
    """Binance with books of minutes, of which it has those that have begun at `now`.

    The last one is unfinished: its close, high, low and volume are those of the part of the minute
    that has passed. Longer candles are joined from them.
    """

    now: Callable[[], float] = time.time

    def span(self, pair: str, step: int, limit: int, span_ms: tuple[int, int]) -> list[Candle]:
        self.asked += 1
        book, now = self.books[pair], self.now()
        limit = min(limit, self.largest)
        start, end = span_ms[0] / 1_000, span_ms[1] / 1_000
        if start == 0:  # none is given: the newest page
            start = (now // step - limit + 1) * step
        first = bisect_left(book, -(-start // step) * step, key=_opened)
        last = bisect_right(book, min(now, end + step - MINUTE), key=_opened)
        last = min(last, first + limit * step // MINUTE)
        own = [self.at(candle, now) for candle in book[first:last]]
        return [candle for candle in longer(own, step) if candle.seconds <= end][:limit]

    def at(self, candle: Candle, now: float) -> Candle:
        """A candle as it is at an instant: unfinished until its minute has passed."""
        passed = (now - candle.seconds) / MINUTE
        if passed >= 1:
            return candle
        close = candle.open + (candle.close - candle.open) * passed
        return replace(
            candle,
            high=max(candle.open, close),
            low=min(candle.open, close),
            close=close,
            volume=candle.volume * passed,
        )


def _opened(candle: Candle) -> int:
    return candle.seconds


def read_bars(*paths: Path) -> dict[str, list[Candle]]:
    """Bars of CSV files with the columns timestamp, open, high, low, close and volume.

    A column `symbol` has the market (`BTC/USDT`); without one it is that of the file's name
    (`BTCUSDT.csv.gz`). Timestamps are seconds or milliseconds since 1970, or ISO 8601 in UTC. The
    nth time of all files becomes minute n.
    """
    rows = []
    for path in paths:
        with gzip.open(path, "rt") if path.suffix == ".gz" else path.open(newline="") as file:
            own = f"{path.name.partition('.')[0].removesuffix('USDT')}/USDT"
            rows += [(row.get("symbol") or own, row) for row in csv.DictReader(file)]
    minutes = {
        seconds: MINUTE * number
        for number, seconds in enumerate(sorted({_seconds(row["timestamp"]) for _, row in rows}))
    }
    books: dict[str, list[Candle]] = {}
    for pair, row in rows:
        values = [float(row[name]) for name in ("open", "high", "low", "close", "volume")]
        books.setdefault(pair, []).append(Candle(minutes[_seconds(row["timestamp"])], *values))
    return {pair: sorted(book, key=_opened) for pair, book in books.items()}


def moved(books: dict[str, list[Candle]], history: int, now: float) -> dict[str, list[Candle]]:
    """The books moved in time, so that `history` of the minutes have passed at `now`."""
    first = min(book[0].seconds for book in books.values())
    shift = int(now) // MINUTE * MINUTE - history * MINUTE - first
    return {
        pair: [replace(candle, seconds=candle.seconds + shift) for candle in book]
        for pair, book in books.items()
    }


def _seconds(text: str) -> int:
    if text.isdigit():
        return int(text) // (1_000 if len(text) > 11 else 1)
    stamp = datetime.fromisoformat(text)
    return int((stamp if stamp.tzinfo else stamp.replace(tzinfo=UTC)).timestamp())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--bars", type=Path, nargs="*", help="CSV files; without them a wandering price"
    )
    parser.add_argument("--port", type=int, default=0, help="of the requests; 0 for a free one")
    parser.add_argument("--stream-port", type=int, default=0, help="of the websocket")
    parser.add_argument("--history", type=int, default=1_000, help="minutes that have passed")
    parser.add_argument("--start", type=float, help="when that was, in seconds since 1970")
    arguments = parser.parse_args()
    books = read_bars(*arguments.bars) if arguments.bars else {"BTC/USDT": candles(0, 20_000, 60)}
    books = moved(books, arguments.history, arguments.start or time.time())
    site = Player(books)
    with (
        serve(site, port=arguments.port) as served,
        KlineStream(arguments.stream_port).running() as stream,
    ):
        sys.stdout.write(f"requests {served.url}\nstream {stream.url}\n")
        sys.stdout.flush()
        while True:
            now = site.now()
            for pair, book in books.items():
                stream.send(pair, *newest(site, book, now))
            time.sleep(1)


def newest(site: Player, book: list[Candle], now: float, count: int = 2) -> list[Candle]:
    """The candles that ended last and the one that is open, as a stream sends them."""
    begun = bisect_right(book, now, key=_opened)
    return [site.at(candle, now) for candle in book[max(0, begun - count) : begun]]


if __name__ == "__main__":
    main()
