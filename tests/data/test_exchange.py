from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from engine.data.bars import drop_unfinished, normalise
from engine.data.quality.examine import Terms, examine
from engine.data.sources.exchange import ExchangeFeed
from engine.data.sources.feed import Request
from engine.data.spec import CcxtSource
from engine.errors import SourceError, UnreachableError
from engine.progress import Silent
from tests.data.datasets import COUNT, FIRST, NOW
from tests.servers.candles import candles
from tests.servers.local import Answer

LONG = 2_600
LONG_FIRST = int(NOW.floor("h").timestamp()) - (LONG - 1) * 3600


@pytest.fixture
def pull(clients):
    def bars(symbol="BTC-USD", *, exchange="bitstamp", interval="1d", since=None, clients=clients):
        feed = ExchangeFeed(CcxtSource(exchange=exchange), clients)
        return normalise(feed.fetch(Request(symbol, interval, since, NOW, Silent())), symbol)

    return bars


def test_pages_join_without_gap_or_overlap(bitstamp, pull):
    made = candles(LONG_FIRST, LONG, step=3600)
    bitstamp.site.books["BTC/USD"] = made
    bars = pull(interval="1h", since=pd.Timestamp(LONG_FIRST, unit="s", tz="UTC"))
    assert bars["close"].tolist() == [candle.close for candle in made]
    assert len(bitstamp.requests("/ohlc/")) == 3
    assert examine(drop_unfinished(bars, "1h", NOW), Terms("1h", NOW)).errors == ()


def test_a_pause_in_trading_longer_than_a_page_does_not_end_the_history(bitstamp, pull):
    made = candles(LONG_FIRST, LONG, step=3600)
    bitstamp.site.books["BTC/USD"] = made[:100] + made[-100:]
    since = pd.Timestamp(LONG_FIRST, unit="s", tz="UTC")
    assert len(pull(interval="1h", since=since)) == 200


def test_a_page_that_repeats_for_ever_ends(bitstamp, pull):
    bitstamp.site.stuck = True
    assert len(pull(since=pd.Timestamp("2015-01-01", tz="UTC"))) == COUNT
    assert len(bitstamp.requests("/ohlc/")) < 10


def test_a_repeated_last_candle_is_taken_once(bitstamp, pull):
    bitstamp.site.repeat_last = True
    assert pull()["timestamp"].is_unique


def test_empty_pages_before_the_listing_are_passed(bitstamp, pull):
    assert len(pull(since=None)) == COUNT
    assert len(bitstamp.requests("/ohlc/")) > 2


def test_an_exchange_without_candles_of_the_symbol_delivers_none(bitstamp, pull):
    bitstamp.site.books["BTC/USD"] = []
    assert pull().empty


def test_the_candle_of_today_is_dropped(pull):
    bars = drop_unfinished(pull(), "1d", NOW)
    assert bars["timestamp"].max() == NOW.normalize() - pd.Timedelta(days=1)


def test_progress_is_told_page_by_page(clients):
    told = []

    class Counting(Silent):
        def advance(self, done, total, what):
            told.append((done, total, what))

    feed = ExchangeFeed(CcxtSource(exchange="bitstamp"), clients)
    since = pd.Timestamp(FIRST, unit="s", tz="UTC")
    feed.fetch(Request("BTC-USD", "1d", since, NOW, Counting()))
    done, total, what = told[-1]
    assert done == total == COUNT - 1
    assert "BTC/USD" in what


def test_an_unknown_exchange_is_refused_with_the_name_that_was_meant(pull):
    with pytest.raises(SourceError, match="no exchange bitstmp") as error:
        pull(exchange="bitstmp")
    assert "bitstamp" in error.value.fix


def test_an_unknown_symbol_is_refused_with_the_one_that_was_meant(pull):
    with pytest.raises(SourceError) as error:
        pull("BTC/USDT")
    assert "BTC/USD" in error.value.fix
    assert not isinstance(error.value, UnreachableError)


def test_an_interval_that_the_exchange_does_not_have_is_refused(clients):
    with pytest.raises(SourceError, match="no 1w candles"):
        ExchangeFeed(CcxtSource(exchange="coinbase"), clients).fetch(
            Request("BTC-USD", "1w", None, NOW, Silent())
        )


def test_a_request_that_the_exchange_rejects_is_no_network_failure(bitstamp, pull):
    rejection = Answer.of({"status": "error", "reason": "Step is not supported"})
    bitstamp.faulty, bitstamp.faults = "/ohlc/", [rejection] * 10
    with pytest.raises(SourceError, match="refused") as error:
        pull()
    assert not isinstance(error.value, UnreachableError)
    assert "Step is not supported" in error.value.found


def test_a_hang_in_the_middle_is_given_up(bitstamp, pull, clients):
    pull()
    bitstamp.faulty, bitstamp.faults = "/ohlc/", ["hang"] * 5
    with pytest.raises(UnreachableError, match="no usable answer"):
        pull(clients=replace(clients, timeout_s=0.3))
    assert len(bitstamp.faults) == 4
