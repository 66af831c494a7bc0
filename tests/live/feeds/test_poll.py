"""A feed that asks an exchange or Yahoo for the newest bars."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import InvalidBarsError, SourceError, UsageError
from engine.data.config import Dataset
from engine.data.manifests import DatasetManifest
from engine.data.sources import ClientSettings
from engine.live.feeds import FolderFeedSpec, PollFeedSpec, WebsocketFeedSpec, open_feed
from tests.data.datasets import RecordingProgress
from tests.hypothesis_examples import examples
from tests.live.feeds.exchange import at, exchange_at, minutes, stamps
from tests.live.manual_clock import ManualClock
from tests.servers.candles import candles
from tests.servers.local import Answer, serve
from tests.servers.yahoo import Chart, Yahoo

HOUR_S = 3_600


class TestRequests:
    def test_hands_out_the_bars_that_have_ended(self, exchange):
        feed = exchange.open(PollFeedSpec(), "BTC-USDT", "ETH-USDT")
        bars = feed.fetch(at("11:57"))
        assert stamps(bars) == stamps(bars, "ETH-USDT") == ["11:58", "11:59"]
        assert bars["symbol"].tolist() == ["BTC-USDT", "ETH-USDT"] * 2
        assert bars["close"].iloc[-2] == minutes()[119].close

    def test_asks_once_a_symbol_after_each_bar_for_the_newest_alone(self, exchange):
        feed = exchange.open(PollFeedSpec(settle_s=2.0), "BTC-USDT", "ETH-USDT")
        feed.fetch(at("11:59"))
        exchange.requests()
        feed.fetch(at("11:59"))
        assert exchange.requests() == []
        feed.wait(600.0)
        assert exchange.clock.now() == at("12:01:02")
        assert stamps(feed.fetch(at("11:59"))) == ["12:00"]
        asked = exchange.requests()
        assert len(asked) == 2
        oldest = int(at("10:20").timestamp() * 1_000)
        assert all(f"startTime={oldest}" in request for request in asked)

    def test_what_came_while_nothing_ran_is_asked_for_once(self, tmp_path):
        book = {"BTC/USDT": minutes("00:00", 800)}
        with exchange_at("12:00:30", tmp_path, book) as exchange:
            exchange.player.largest = 200
            feed = exchange.open(PollFeedSpec())
            assert len(feed.fetch(at("03:00"))) == 539
            exchange.requests()
            feed.wait(600.0)
            assert stamps(feed.fetch(at("11:59"))) == ["12:00"]
            [request] = exchange.requests()
            assert f"startTime={int(at('10:20').timestamp() * 1_000)}" in request

    def test_waits_no_longer_than_the_time_out(self, exchange):
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:59"))
        feed.wait(5.0)
        assert exchange.clock.now() == at("12:00:35")

    def test_asks_again_for_the_symbol_alone_that_lags(self, exchange):
        book = exchange.player.books["ETH/USDT"]
        exchange.player.books["ETH/USDT"] = book[:120]
        feed = exchange.open(PollFeedSpec(settle_s=2.0, retry_s=5.0), "BTC-USDT", "ETH-USDT")
        feed.fetch(at("11:59"))
        feed.wait(600.0)
        assert stamps(feed.fetch(at("11:59")), "ETH-USDT") == []
        exchange.player.books["ETH/USDT"] = book
        exchange.requests()
        feed.wait(600.0)
        assert exchange.clock.now() == at("12:01:07")
        assert stamps(feed.fetch(at("11:59")), "ETH-USDT") == ["12:00"]
        assert all("ETHUSDT" in request for request in exchange.requests())

    def test_a_clock_that_is_set_back_makes_no_request_wait_for_it(self, exchange):
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:59"))
        exchange.requests()
        exchange.clock.set("2026-11-30 11:30")
        feed.wait(600.0)
        assert exchange.clock.now() == at("11:30")


@examples(10)
@given(
    skew_s=st.floats(-150.0, 150.0),
    steps=st.lists(st.floats(0.0, 70.0), min_size=3, max_size=8),
)
def test_no_bar_is_handed_out_before_it_is_what_it_stays(tmp_path_factory, skew_s, steps):
    book = minutes()
    final = {at.seconds: at.close for at in book}
    with exchange_at("12:00:30", tmp_path_factory.mktemp("poll"), {"BTC/USDT": book}) as exchange:
        exchange.set_skew(skew_s)
        feed = exchange.open(PollFeedSpec(settle_s=0.0, retry_s=0.1))
        for step in steps:
            exchange.clock.sleep_until(exchange.clock.now() + pd.Timedelta(seconds=step))
            bars = feed.fetch(at("11:50"))
            assert (bars["timestamp"] + pd.Timedelta(minutes=1) <= exchange.clock.now()).all()
            for stamp, close in zip(bars["timestamp"], bars["close"], strict=True):
                assert final[int(stamp.timestamp())] == close


class TestFaults:
    def test_a_wrong_date_of_answers_holds_no_bar_back_that_a_later_one_follows(self, exchange):
        exchange.served.ahead_s = -7_200.0
        assert stamps(exchange.open(PollFeedSpec()).fetch(at("11:57"))) == ["11:58", "11:59"]

    @pytest.mark.parametrize(
        "fault",
        [
            "hang",
            "half",
            "cut",
            500,
            Answer.of({"code": -1003, "msg": "too many"}, 429, Retry_After="90"),
        ],
        ids=["stall", "half", "cut", "500", "429"],
    )
    def test_a_bar_comes_when_the_server_answers_again(self, exchange, fault):
        exchange.timeout_s = 0.4
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:59"))
        exchange.served.faults += [fault] * 4
        feed.wait(600.0)
        assert stamps(feed.fetch(at("11:59"))) == []
        exchange.served.faults.clear()
        feed.wait(600.0)
        assert stamps(feed.fetch(at("11:59"))) == ["12:00"]
        told = [text for text in exchange.progress.notices if "BTC-USDT of ccxt:binance" in text]
        assert len(told) == 2
        assert told[0].endswith("it is asked again")
        assert told[1].endswith("answers again")

    def test_an_empty_answer_is_no_bar_and_no_end(self, exchange):
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:59"))
        exchange.served.faults += [Answer.of([])] * 100
        feed.wait(600.0)
        assert stamps(feed.fetch(at("11:59"))) == []
        exchange.served.faults.clear()
        feed.wait(600.0)
        assert stamps(feed.fetch(at("11:59"))) == ["12:00"]

    def test_an_outage_is_told_once_and_asked_about_after_growing_pauses(self, exchange):
        feed = exchange.open(PollFeedSpec(settle_s=2.0, retry_s=2.0))
        feed.fetch(at("11:59"))
        exchange.served.faults += [500] * 100
        times = []
        for _ in range(4):
            feed.wait(600.0)
            feed.fetch(at("11:59"))
            times.append(f"{exchange.clock.now():%M:%S}")
        assert times == ["01:02", "01:04", "01:08", "01:16"]
        assert len(exchange.progress.notices) == 1

    @pytest.mark.parametrize("fault", ["backwards", "repeat_last", "overlap"])
    def test_order_and_repeats_of_an_answer_change_nothing(self, exchange, fault):
        setattr(exchange.player, fault, 3)
        bars = exchange.open(PollFeedSpec()).fetch(at("11:56"))
        assert stamps(bars) == ["11:57", "11:58", "11:59"]

    def test_a_corrected_bar_is_given_to_who_asks_for_it_again(self, exchange):
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:58"))
        exchange.correct("BTC/USDT", "11:59", volume=77.0)
        feed.wait(600.0)
        assert feed.fetch(at("11:58"))["volume"].iloc[0] == 77.0

    def test_bars_that_break_a_rule_end_it_unless_they_are_corrected_at_once(self, exchange):
        feed = exchange.open(PollFeedSpec())
        feed.fetch(at("11:59"))
        exchange.correct("BTC/USDT", "12:00", high=1.0)
        for _ in range(2):
            feed.wait(600.0)
            assert stamps(feed.fetch(at("11:59"))) == []
        feed.wait(600.0)
        with pytest.raises(InvalidBarsError, match="BTC-USDT"):
            feed.fetch(at("11:59"))

    def test_an_unknown_symbol_is_an_error_at_once(self, exchange):
        with pytest.raises(SourceError, match="DOGE"):
            exchange.open(PollFeedSpec(), "DOGE-USDT").fetch(at("11:59"))


class TestResampled:
    def test_longer_bars_are_made_of_the_newest_candles_alone(self, tmp_path):
        books = {"BTC/USDT": minutes("00:00", 800)}
        with exchange_at("12:00:30", tmp_path, books) as exchange:
            source = {"kind": "ccxt", "exchange": "binance", "interval": "1m"}
            feed = exchange.open(PollFeedSpec(), sources=(source,), interval="15m")
            bars = feed.fetch(at("11:30"))
            assert stamps(bars) == ["11:45"]
            assert bars["close"].iloc[0] == minutes("00:00", 800)[719].close
            [request] = exchange.requests()
            assert f"startTime={int(at('10:15').timestamp() * 1_000)}" in request


class TestYahoo:
    @pytest.fixture
    def open_yahoo(self, tmp_path):
        def open_at(now, interval, calendar, served):
            dataset = Dataset(
                name="stocks",
                interval=interval,
                calendar=calendar,
                symbols=("X",),
                sources=({"kind": "yahoo", "adjust": "splits"},),
            )
            return open_feed(
                PollFeedSpec(),
                DatasetManifest(dataset, tmp_path / "stocks.yaml"),
                home=tmp_path,
                clock=ManualClock(now),
                progress=RecordingProgress(),
                clients=ClientSettings(yahoo_url=served.url, retry_pauses_s=()),
            )

        return open_at

    def test_asks_for_the_newest_bars_alone(self, open_yahoo):
        first = int(at("12:00").timestamp()) - 600 * HOUR_S
        with serve(Yahoo({"X": Chart(candles(first, 601, HOUR_S))})) as served:
            feed = open_yahoo("2026-11-30 12:30", "1h", "24/7", served)
            assert stamps(feed.fetch(at("09:00")), "X") == ["10:00", "11:00"]
            [request] = [each for each in served.requests("/chart/") if "period1" in each]
        since = int(at("09:00").timestamp()) - 100 * HOUR_S
        assert f"period1={since}" in request

    def test_the_day_that_is_traded_now_is_no_bar(self, open_yahoo):
        """Yahoo sends the price of the moment as a bar of today, under two times."""
        days = pd.bdate_range("2026-09-01", "2026-11-18", tz="America/New_York")
        opens = [int(day.timestamp()) + 34_200 for day in days if f"{day:%m-%d}" != "09-07"]
        book = [
            replace(candle, seconds=opened)
            for candle, opened in zip(candles(0, len(opens)), opens, strict=True)
        ]
        chart = Chart(book, zone="America/New_York", kind="EQUITY", live=9_000)
        with serve(Yahoo({"X": chart})) as served:
            feed = open_yahoo("2026-11-18 17:00", "1d", "XNYS", served)
            bars = feed.fetch(pd.Timestamp("2026-11-13", tz="UTC"))
        assert [f"{day:%m-%d}" for day in bars["timestamp"]] == ["11-16", "11-17"]

    def test_a_feed_outlives_a_time_of_throttling(self, open_yahoo):
        first = int(at("12:00").timestamp()) - 600 * HOUR_S
        with serve(Yahoo({"X": Chart(candles(first, 601, HOUR_S))})) as served:
            feed = open_yahoo("2026-11-30 12:30", "1h", "24/7", served)
            served.faulty, served.faults = "chart", [429] * 4
            assert len(feed.fetch(at("09:00"))) == 0
            served.faults.clear()
            feed.wait(600.0)
            assert stamps(feed.fetch(at("09:00")), "X") == ["10:00", "11:00"]


class TestChoiceOfSource:
    def test_names_the_sources_of_the_dataset(self, exchange):
        with pytest.raises(UsageError) as error:
            exchange.open(PollFeedSpec(source="ccxt:binanse"))
        assert "did you mean ccxt:binance?" in str(error.value)

    def test_bundled_bars_are_no_source(self, exchange):
        sources = ({"kind": "bundled", "symbols": {"BTC-USDT": "sp500"}},)
        with pytest.raises(UsageError, match="no source"):
            exchange.open(PollFeedSpec(), sources=sources)

    @pytest.mark.parametrize(
        ("spec", "expected"),
        [
            (PollFeedSpec(), "an exchange, Yahoo, or files"),
            (WebsocketFeedSpec(), "an exchange, which sends candles by itself"),
            (FolderFeedSpec(), "files"),
        ],
        ids=["poll", "websocket", "folder"],
    )
    def test_the_sources_that_the_feed_can_use_are_named(self, exchange, spec, expected):
        sources = ({"kind": "bundled", "symbols": {"BTC-USDT": "sp500"}},)
        with pytest.raises(UsageError) as error:
            exchange.open(spec, sources=sources)
        assert error.value.expected is not None
        assert error.value.expected.split(":")[0] == expected

    def test_a_dataset_with_an_end_has_no_further_bar(self, exchange):
        with pytest.raises(UsageError, match="has ended"):
            exchange.open(PollFeedSpec(), end="2026-11-01")
