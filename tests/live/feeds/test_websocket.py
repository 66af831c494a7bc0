"""A feed of the candles that an exchange sends by itself."""

from __future__ import annotations

import threading

import pytest

from engine.core.errors import SourceError, UsageError
from engine.live.feeds import WebsocketFeedSpec
from tests.live.feeds.exchange import Exchange, at, exchange_at, stamps
from tests.servers.candles import Candle
from tests.servers.kline_stream import KlineStream

PAIR = "BTC/USDT"
WAIT_S = 20.0


class Streamed:
    """An exchange with a stream, and the feed on it; the stream sends what the test says."""

    def __init__(self, exchange: Exchange, stream: KlineStream, *, confirm: bool) -> None:
        self.exchange, self.stream, self.clock = exchange, stream, exchange.clock
        exchange.stream_url = f"{stream.url}/ws"
        spec = WebsocketFeedSpec(silence_s=30.0, reconnect_s=0.1, confirm=confirm)
        self.feed = exchange.open(spec)

    def connect(self, after: str) -> None:
        """The first fetch, which asks for what is missing, and the first message of the stream."""
        self.feed.fetch(at(after))
        self.stream.wait_for_subscriptions(1)
        self.send(after)
        self.feed.wait(WAIT_S)
        self.exchange.requests()

    def candle(self, opened: str, **values: float) -> Candle:
        seconds = int(at(opened).timestamp())
        book = self.exchange.player.books[PAIR]
        return Candle(**(vars(next(c for c in book if c.seconds == seconds)) | values))

    def send(self, *opened: str | Candle, closed: bool = False) -> None:
        found = [each if isinstance(each, Candle) else self.candle(each) for each in opened]
        self.stream.send(PAIR, *found, closed=closed)

    def fetch_until(self, after: str, newest: str, *sent: str):
        """Waits until a bar is there; `sent` is sent again and again, as streams do."""
        for _ in range(200):
            self.send(*sent)
            bars = self.feed.fetch(at(after))
            if stamps(bars)[-1:] == [newest]:
                return bars
            self.feed.wait(0.1)
        raise AssertionError(f"no bar {newest} came, but {stamps(bars)}")

    def fetch_seen(self, after: str):
        """The bars after the messages that were sent had time to be seen."""
        for _ in range(5):
            self.feed.wait(0.05)
            bars = self.feed.fetch(at(after))
        return bars


@pytest.fixture
def streamed(tmp_path):
    """A feed that takes the stream's own candles."""
    with exchange_at("12:00:30", tmp_path) as exchange, KlineStream().running() as stream:
        running = Streamed(exchange, stream, confirm=False)
        yield running
        running.feed.close()


@pytest.fixture
def confirmed(tmp_path):
    """A feed as it is without settings."""
    with exchange_at("12:00:30", tmp_path) as exchange, KlineStream().running() as stream:
        running = Streamed(exchange, stream, confirm=True)
        yield running
        running.feed.close()


def test_a_candle_is_asked_for_when_a_later_one_begins(confirmed):
    """The last message about a candle may be missing, and nothing in the others shows it."""
    confirmed.connect(after="11:59")
    confirmed.send(confirmed.candle("12:00", close=1_234.5, high=2_000.0))
    confirmed.clock.set("2026-11-30 12:01:00.5")
    assert stamps(confirmed.fetch_seen("11:59")) == []
    confirmed.send("12:01")
    bars = confirmed.fetch_until("11:59", "12:00")
    assert bars["close"].tolist() == [confirmed.candle("12:00").close]
    assert len(confirmed.exchange.requests()) == 1


def test_a_candle_is_handed_out_when_a_later_one_begins(streamed):
    streamed.connect(after="11:59")
    streamed.send("12:00")
    assert stamps(streamed.fetch_seen("11:59")) == []
    streamed.clock.set("2026-11-30 12:01:00.5")
    streamed.send("12:01")
    bars = streamed.fetch_until("11:59", "12:00")
    assert bars["close"].tolist() == [streamed.candle("12:00").close]
    streamed.exchange.requests()
    streamed.clock.set("2026-11-30 12:02:00.5")
    streamed.send("12:01", "12:02")
    assert stamps(streamed.fetch_until("12:00", "12:01")) == ["12:01"]
    assert streamed.exchange.requests() == []


class TestBrokenConnections:
    def test_a_candle_that_was_open_then_is_asked_for(self, streamed):
        """The last message of before looks like a candle that has closed."""
        streamed.connect(after="11:59")
        half = streamed.candle("12:00", close=1_234.5, high=2_000.0)
        streamed.send(half)
        streamed.fetch_seen("11:59")
        streamed.stream.drop()
        streamed.stream.wait_for_subscriptions(2)
        streamed.clock.set("2026-11-30 12:01:10")
        bars = streamed.fetch_until("11:59", "12:00", "12:01")
        assert bars["close"].tolist() == [streamed.candle("12:00").close]
        assert len(streamed.exchange.requests()) == 1

    def test_candles_of_the_time_without_one_are_asked_for_before_later_ones(self, streamed):
        streamed.connect(after="11:59")
        streamed.send("12:00")
        streamed.fetch_seen("11:59")
        streamed.stream.drop()
        streamed.clock.set("2026-11-30 12:05:10")
        streamed.stream.wait_for_subscriptions(2)
        bars = streamed.fetch_until("11:59", "12:04", "12:04", "12:05")
        assert stamps(bars) == ["12:00", "12:01", "12:02", "12:03", "12:04"]
        assert bars["close"].iloc[-1] == streamed.candle("12:04").close

    @pytest.mark.slow
    def test_a_storm_of_breaks_is_counted_and_loses_nothing(self, streamed):
        streamed.stream.refuse = 2
        streamed.connect(after="11:59")
        for minute in range(3):
            streamed.clock.set(f"2026-11-30 12:0{minute + 1}:10")
            newest = f"12:0{minute}"
            streamed.fetch_until("11:59", newest, newest, f"12:0{minute + 1}")
            streamed.stream.drop()
        bars = streamed.feed.fetch(at("11:59"))
        assert stamps(bars) == ["12:00", "12:01", "12:02"]
        told = [text for text in streamed.exchange.progress.notices if "broke" in text]
        assert 2 <= len(told) <= 3
        assert streamed.exchange.served.requests("exchangeInfo") == []

    def test_bars_come_by_requests_while_there_is_none(self, streamed):
        streamed.stream.refuse = 1_000
        streamed.feed.fetch(at("11:59"))
        streamed.clock.set("2026-11-30 12:01:31")
        assert stamps(streamed.feed.fetch(at("11:59"))) == ["12:00"]

    def test_close_ends_the_thread_and_the_connection(self, streamed):
        streamed.connect(after="11:59")
        streamed.feed.close()
        streamed.feed.close()
        assert not [one for one in threading.enumerate() if "binance" in one.name]


class TestMisbehaviour:
    def test_silence_is_ended_by_one_request(self, streamed):
        streamed.connect(after="11:59")
        streamed.clock.set("2026-11-30 12:01:29")
        assert stamps(streamed.feed.fetch(at("11:59"))) == []
        streamed.clock.set("2026-11-30 12:01:31")
        assert stamps(streamed.feed.fetch(at("11:59"))) == ["12:00"]
        streamed.feed.fetch(at("12:00"))
        assert len(streamed.exchange.requests()) == 1

    def test_a_minute_without_a_trade_is_asked_for_once(self, streamed):
        streamed.connect(after="11:59")
        book = streamed.exchange.player.books[PAIR]
        streamed.exchange.player.books[PAIR] = book[:120]
        streamed.clock.set("2026-11-30 12:01:31")
        streamed.feed.fetch(at("11:59"))
        asked = len(streamed.exchange.requests())
        assert asked
        for second in (32, 40, 50, 59):
            streamed.clock.set(f"2026-11-30 12:01:{second}")
            streamed.feed.fetch(at("11:59"))
        assert streamed.exchange.requests() == []

    def test_repeats_and_disorder_change_nothing(self, streamed):
        streamed.connect(after="11:59")
        streamed.clock.set("2026-11-30 12:03:00.5")
        streamed.send("11:59", "12:00", "12:00", "12:02", "12:01", "12:03", "12:01", "12:02")
        bars = streamed.fetch_until("11:59", "12:02")
        assert stamps(bars) == ["12:00", "12:01", "12:02"]
        assert bars["close"].tolist() == [
            streamed.candle(opened).close for opened in ("12:00", "12:01", "12:02")
        ]

    def test_a_correction_of_a_closed_candle_is_given_to_who_asks_again(self, streamed):
        streamed.connect(after="11:59")
        streamed.clock.set("2026-11-30 12:01:00.5")
        streamed.send("12:00", "12:01")
        streamed.fetch_until("11:59", "12:00")
        streamed.send(streamed.candle("12:00", volume=77.0))
        for _ in range(100):
            streamed.feed.wait(0.1)
            if streamed.feed.fetch(at("11:59"))["volume"].tolist() == [77.0]:
                return
        raise AssertionError("the correction did not come")

    def test_a_stream_whose_clock_is_ahead_hands_out_nothing_early(self, streamed):
        streamed.connect(after="11:59")
        streamed.stream.ahead_ms = 7_200_000
        streamed.send("12:00", "12:01", closed=True)
        assert stamps(streamed.fetch_seen("11:59")) == []
        streamed.clock.set("2026-11-30 12:01")
        assert stamps(streamed.feed.fetch(at("11:59"))) == ["12:00"]
        assert streamed.exchange.requests() == []

    def test_text_that_is_no_candle_ends_nothing(self, streamed):
        streamed.connect(after="11:59")
        for text in ("", "?", "{", "[]", '{"e": "kline"}', '{"code": 1, "msg": "no"}'):
            streamed.stream.send_text(text)
        streamed.clock.set("2026-11-30 12:01:31")
        assert stamps(streamed.fetch_seen("11:59")) == ["12:00"]

    def test_candles_that_break_a_rule_are_asked_for(self, streamed):
        streamed.connect(after="11:59")
        streamed.clock.set("2026-11-30 12:01:00.5")
        streamed.send(streamed.candle("12:00", high=1.0), "12:01")
        bars = streamed.fetch_until("11:59", "12:00")
        assert bars["high"].tolist() == [streamed.candle("12:00").high]
        assert len(streamed.exchange.requests()) == 1
        streamed.clock.set("2026-11-30 12:02:00.5")
        streamed.send("12:02")
        streamed.fetch_until("12:00", "12:01")
        assert streamed.exchange.requests() == []


class TestRefusals:
    @pytest.fixture
    def refused(self, exchange):
        def message(source, **keys):
            with pytest.raises((SourceError, UsageError)) as error:
                exchange.open(WebsocketFeedSpec(), sources=(source,), **keys)
            parts = (error.value.expected, error.value.found, error.value.where, error.value.fix)
            assert all(parts)
            return str(error.value)

        return message

    def test_an_exchange_without_a_stream_of_candles(self, refused):
        assert "bitstamp" in refused({"kind": "ccxt", "exchange": "bitstamp"})

    def test_an_exchange_that_does_not_exist(self, refused):
        assert "binanse" in refused({"kind": "ccxt", "exchange": "binanse"})

    def test_a_source_that_is_no_exchange(self, refused):
        assert "yahoo" in refused({"kind": "yahoo"})

    def test_candles_that_would_have_to_be_resampled(self, refused):
        source = {"kind": "ccxt", "exchange": "binance", "interval": "1m"}
        assert "resampled" in refused(source, interval="1h")

    def test_contracts_whose_volume_counts_something_else(self, refused):
        source = {"kind": "ccxt", "exchange": "gate", "symbols": {"BTC-USDT": "BTC/USDT:USDT"}}
        assert "volumes" in refused(source)
