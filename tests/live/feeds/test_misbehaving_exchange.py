"""Feeds on an exchange that plays minutes fast and does everything wrong, for half a minute."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.live.feeds import PollFeedSpec, WebsocketFeedSpec
from tests.live.feeds.exchange import Exchange
from tests.live.paper.fast_process import FastClock
from tests.servers.candles import candles
from tests.servers.kline_stream import KlineStream
from tests.servers.local import serve
from tests.servers.player import MINUTE, Player, moved, newest

if TYPE_CHECKING:
    from collections.abc import Iterator
    from concurrent.futures import Future
    from pathlib import Path

    from engine.live.feeds import FeedSpec

pytestmark = pytest.mark.slow

SPEED, HISTORY, COMING = 60.0, 200, 25
PAIRS = {"BTC-USDT": "BTC/USDT", "ETH-USDT": "ETH/USDT"}
FEEDS = {
    "poll": PollFeedSpec(settle_s=0.0, retry_s=3.0),
    "websocket": WebsocketFeedSpec(silence_s=20.0, retry_s=3.0, reconnect_s=1.0),
    "unconfirmed": WebsocketFeedSpec(silence_s=20.0, retry_s=3.0, reconnect_s=1.0, confirm=False),
}


class Trouble:
    """Sends candles all the time, and makes trouble at random moments of its own."""

    def __init__(self, exchange: Exchange, stream: KlineStream, *, honest_ends: bool) -> None:
        self.exchange, self.stream = exchange, stream
        self.honest_ends = honest_ends
        self.rng = random.Random(3)
        self.ending = threading.Event()
        self.thread = threading.Thread(target=self._run)

    @contextmanager
    def running(self) -> Iterator[None]:
        self.thread.start()
        try:
            yield
        finally:
            self.ending.set()
            self.thread.join()

    def _run(self) -> None:
        while not self.ending.wait(0.05):
            self._make_trouble()
            player = self.exchange.player
            now = player.now()
            for pair, book in player.books.items():
                sent = newest(player, book, now, 8 if self.honest_ends else 2)
                sent = sent * self.rng.choice([1, 2])
                if not self.honest_ends:
                    # The last message about a candle may be missing, or come late.
                    sent = self.rng.choice([sent[-1:], sent, sent[::-1]])
                self.stream.send(pair, *sent)

    def _make_trouble(self) -> None:
        served, chance = self.exchange.served, self.rng.random()
        if chance < 0.02:
            self.stream.drop()
        elif chance < 0.03:
            self.stream.refuse = 2
        elif chance < 0.04:
            self.ending.wait(1.5)  # silence
        elif chance < 0.05:
            self.stream.send_text("?")
        elif chance < 0.08 and len(served.faults) < 3:
            served.faults.append(self.rng.choice([500, "half", "cut"]))
        elif chance < 0.10:
            served.ahead_s = self.rng.choice([0.0, -400.0, 400.0])


@pytest.fixture(scope="module")
def checks(module_folder: Path) -> Iterator[dict[str, Future[None]]]:
    """All feeds at the same time, each on an exchange of its own: most of it is waiting."""
    with ThreadPoolExecutor(len(FEEDS)) as pool:
        yield {name: pool.submit(follow_feed, name, module_folder / name) for name in FEEDS}


@pytest.mark.parametrize("name", FEEDS)
def test_every_minute_comes_once_it_has_ended_and_is_what_it_stays(checks, name: str) -> None:
    checks[name].result()


def follow_feed(name: str, folder: Path) -> None:
    folder.mkdir()
    spec = FEEDS[name]
    clock = FastClock(time.time(), SPEED)
    books = {pair: candles(0, HISTORY + 400, MINUTE, 100.0) for pair in PAIRS.values()}
    player = Player(moved(books, HISTORY, clock.seconds()), now=clock.seconds)
    with serve(player) as served, KlineStream().running() as stream:
        served.faulty = "klines"
        exchange = Exchange(served, clock, folder, stream_url=f"{stream.url}/ws")
        trouble = Trouble(exchange, stream, honest_ends=name == "unconfirmed")
        with trouble.running():
            check_feed(exchange, spec, player)


def check_feed(exchange: Exchange, spec: FeedSpec, player: Player) -> None:
    final = {
        (symbol, candle.seconds): candle.close
        for symbol, pair in PAIRS.items()
        for candle in player.books[pair]
    }
    feed = exchange.open(spec, *PAIRS)
    after = (exchange.clock.now() - pd.Timedelta(minutes=2)).floor("min")
    came: dict[str, list[int]] = {symbol: [] for symbol in PAIRS}
    try:
        while min(map(len, came.values())) < COMING:
            feed.wait(0.1)
            bars = feed.fetch(after)
            now = exchange.clock.now()
            assert (bars["timestamp"] + pd.Timedelta(minutes=1) <= now).all()
            for symbol, own in bars.groupby("symbol"):
                seconds = [int(stamp.timestamp()) for stamp in own["timestamp"]]
                assert own["close"].tolist() == [final[symbol, each] for each in seconds]
                assert seconds[: len(came[symbol])] == came[symbol]
                came[symbol] = seconds
    finally:
        feed.close()
    first = int(after.timestamp()) + MINUTE
    for seconds in came.values():
        assert seconds == list(range(first, first + MINUTE * len(seconds), MINUTE))
