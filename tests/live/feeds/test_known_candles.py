"""Candles of a stream and of requests joined: none half, none before another, none left out."""

from __future__ import annotations

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from engine.data.config import Dataset
from engine.live.feeds.candle_stream import CandleStream
from engine.live.feeds.known_candles import KnownCandles
from tests.hypothesis_examples import examples

START = pd.Timestamp("2026-11-30 12:00", tz="UTC")
MINUTE = pd.Timedelta(minutes=1)
SILENCE = pd.Timedelta(seconds=30)
RETRY = pd.Timedelta(seconds=5)
DATASET = Dataset(
    name="x",
    interval="1m",
    calendar="24/7",
    symbols=("X",),
    sources=({"kind": "ccxt", "exchange": "binance"},),
)


class Market:
    """An exchange, its stream and its requests; candle number n closes at n + 1.

    Where its candles are confirmed, its stream may lose the last message about one.
    """

    def __init__(self, untraded: frozenset[int], *, confirm: bool) -> None:
        self.loses_last_messages = confirm
        self.now = START
        self.untraded = untraded
        self.connection = 0
        self.cache: dict[int, float] = {}
        self.stream = CandleStream()
        self.known = KnownCandles(DATASET, RETRY, confirm=confirm)
        self.known.begin(START - MINUTE)
        self.requested: dict[int, float] = {}
        self.handed_out: dict[int, float] = {}

    @property
    def minute(self) -> int:
        return int((self.now - START) / MINUTE)

    def value(self, number: int) -> float:
        """The candle's close up to now: half of it while it is open."""
        return number + 1.0 if number < self.minute else number + 0.5

    def send(self, number: int) -> None:
        """A message about the candle of that number, with what there is of it."""
        if number <= self.minute and number not in self.untraded and number >= 0:
            if not self.loses_last_messages:
                self.cache |= {sent: self.value(sent) for sent in self.cache}
            self.cache[number] = self.value(number)
            rows = ((_to_ms(key), (value,)) for key, value in self.cache.items())
            self.stream.add(self.connection, rows)

    def reconnect(self) -> None:
        self.connection += 1
        self.cache = {}

    def look(self, *, server_answers: bool) -> None:
        """What the feed does at a fetch."""
        self.known.add(self.stream.take(), self.stream.base, self.stream.newest)
        if self.known.is_request_due(self.now, SILENCE):
            if server_answers:
                ended = [n for n in range(self.minute) if n not in self.untraded]
                self.requested = {number: self.value(number) for number in ended}
                self._hand_out(self.requested)
            newest = max(self.requested, default=-1)
            stamp = START + MINUTE * newest
            self.known.requested(self.now, stamp, server_answers)
        released = self.known.released(self.now)
        self.known.accept(released)
        self._hand_out({int((at - START) / MINUTE): row[0] for at, row in released.items()})

    def _hand_out(self, bars: dict[int, float]) -> None:
        for number, value in sorted(bars.items()):
            assert number < self.minute, "handed out before its end"
            assert value == number + 1.0, "handed out half"
            self.handed_out[number] = value


def _to_ms(number: int) -> int:
    return int((START + MINUTE * number).timestamp() * 1_000)


_EVENTS = st.one_of(
    st.tuples(st.just("pass"), st.sampled_from([1, 7, 20, 31, 60, 130])),
    st.tuples(st.just("send"), st.integers(0, 3)),
    st.tuples(st.just("reconnect"), st.just(0)),
    st.tuples(st.just("look"), st.booleans()),
)


@examples(150)
@given(
    events=st.lists(_EVENTS, max_size=60),
    untraded=st.frozensets(st.integers(0, 12)),
    confirm=st.booleans(),
)
def test_whatever_the_stream_does_each_candle_is_handed_out_whole_and_none_is_passed_over(
    events, untraded, confirm
):
    market = Market(untraded, confirm=confirm)
    for kind, value in events:
        if kind == "pass":
            market.now += pd.Timedelta(seconds=value)
        elif kind == "send":
            market.send(market.minute - value)
        elif kind == "reconnect":
            market.reconnect()
        else:
            newest_before = max(market.handed_out, default=-1)
            market.look(server_answers=bool(value))
            newest = max(market.handed_out, default=-1)
            expected = set(range(newest_before + 1, newest + 1)) - untraded
            assert expected <= set(market.handed_out), "a candle was passed over"
    # In the end the server answers, and everything that has ended comes.
    market.now += pd.Timedelta(minutes=1)
    for _ in range(4):
        market.now += pd.Timedelta(seconds=40)
        market.look(server_answers=True)
    ended = {number for number in range(market.minute - 1) if number not in untraded}
    assert ended <= set(market.handed_out)
