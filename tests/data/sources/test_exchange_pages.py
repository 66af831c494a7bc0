"""Pages of candles, complete or faulty, through the real ccxt from local servers."""

from __future__ import annotations

import re
import time
from itertools import count, pairwise

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars
from engine.data.quality import CheckSettings, check_bars
from engine.data.sources.exchange.session import ExchangeSession
from tests.data.sources.exchanges import EXCHANGES, HOUR, NOON, ExchangeFetcher, at, hours
from tests.servers.candles import candles
from tests.servers.local import Answer, serve

LONG = 1_500
"""More candles than one page of any of the exchanges."""

SHORT = 400
"""Fewer than Kraken's last 720."""


@pytest.fixture(params=EXCHANGES)
def fetcher(request):
    kind, ticker = EXCHANGES[request.param]
    with serve(kind({ticker: hours(SHORT)})) as served:
        yield ExchangeFetcher(request.param, served)


@pytest.fixture
def binance():
    with serve(EXCHANGES["binance"][0]({"BTC/USDT": hours(LONG)})) as served:
        yield ExchangeFetcher("binance", served)


@pytest.fixture
def kraken():
    with serve(EXCHANGES["kraken"][0]({"BTC/USD": hours(LONG)})) as served:
        yield ExchangeFetcher("kraken", served)


def candles_of(fetcher):
    return fetcher.market.books[fetcher.ticker]


def first(fetcher):
    return at(candles_of(fetcher)[0])


def assert_complete(bars, expected):
    """Every candle once, in order, as it was served."""
    assert bars["timestamp"].tolist() == [at(candle) for candle in expected]
    for column in ("open", "high", "low", "close", "volume"):
        assert bars[column].tolist() == [getattr(candle, column) for candle in expected]


def errors(bars, interval, now=NOON) -> set[str]:
    return {finding.rule for finding in check_bars(bars, CheckSettings(interval, now)).errors}


class TestPages:
    @pytest.mark.parametrize("largest", [97, 1_000])
    def test_pages_of_any_size_join_without_gap_or_overlap(self, fetcher, largest):
        fetcher.market.largest = largest
        bars = fetcher.fetch(first(fetcher))
        assert_complete(bars, candles_of(fetcher))
        assert errors(drop_unfinished_bars(bars, TradingTimes("1h"), NOON), "1h") == set()

    def test_pages_have_the_largest_size(self, binance):
        binance.fetch(first(binance))
        requests = [line for line in binance.pages() if "interval=1h" in line]
        assert ["limit=1000" in line for line in requests] == [True, True]

    def test_no_candle_before_since_is_fetched(self, fetcher):
        since = at(candles_of(fetcher)[-40])
        assert_complete(fetcher.fetch(since), candles_of(fetcher)[-40:])
        assert len(fetcher.pages()) == 1

    def test_rows_out_of_order_are_sorted(self, fetcher):
        fetcher.market.backwards = True
        assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))

    def test_a_repeated_last_candle_is_used_once(self, fetcher):
        fetcher.market.repeat_last, fetcher.market.largest = True, 300
        assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))

    def test_conflicting_candles_are_left_to_the_quality_gate(self, fetcher):
        expected = candles_of(fetcher)
        expected.insert(50, type(expected[0])(expected[50].seconds, 1.0, 2.0, 0.5, 1.5, 3.0))
        assert "conflicting_duplicates" in errors(fetcher.fetch(first(fetcher)), "1h")

    def test_pages_that_overlap_are_joined(self, fetcher):
        fetcher.market.overlap, fetcher.market.largest = 20, 200
        assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))

    def test_a_page_that_is_empty_once_is_requested_again(self, binance):
        binance.market.empty_once = {3}
        assert_complete(binance.fetch(first(binance)), candles_of(binance))

    def test_empty_pages_during_trading_are_asked_for_again(self, binance):
        binance.market.largest, binance.market.empty_once = 500, {4, 5}
        assert_complete(binance.fetch(first(binance)), candles_of(binance))

    def test_a_stretch_that_stays_empty_during_trading_is_refused(self, binance):
        span = candles_of(binance)[400].seconds, candles_of(binance)[-1].seconds
        binance.market.largest, binance.market.silent = 200, [(HOUR, *span)]
        with pytest.raises(UnreachableError, match="omits candles") as error:
            binance.fetch(first(binance))
        assert f"from {at(candles_of(binance)[400]):%Y-%m-%d %H:%M} on" in error.value.expected
        assert "several ways" in error.value.found

    def test_a_server_that_no_longer_gives_its_last_candle_is_refused(self, binance):
        binance.market.largest, binance.market.empty_once = 500, set(range(4, 99))
        with pytest.raises(UnreachableError, match="omits candles") as error:
            binance.fetch(first(binance))
        assert "as it came before" in error.value.expected

    def test_a_market_without_candles_gives_no_bars(self, fetcher):
        fetcher.market.books[fetcher.ticker] = []
        assert fetcher.fetch(NOON - pd.Timedelta(days=9)).empty

    def test_hours_without_a_trade_stay_missing(self, fetcher):
        expected = candles_of(fetcher)
        del expected[100:103], expected[300]
        bars = fetcher.fetch(first(fetcher))
        assert_complete(bars, expected)
        assert (bars["timestamp"].diff() > pd.Timedelta(hours=1)).sum() == 2

    def test_a_pause_longer_than_a_page_does_not_end_the_history(self, fetcher):
        fetcher.market.largest = 100
        del candles_of(fetcher)[110:330]
        assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))

    def test_an_endlessly_repeated_page_is_refused(self, fetcher):
        fetcher.market.stuck, fetcher.market.largest = True, 100
        with pytest.raises(UnreachableError, match="omits candles"):
            fetcher.fetch(first(fetcher))
        assert len(fetcher.pages()) <= 12

    def test_pages_beyond_the_present_end_the_fetch(self, fetcher):
        fetcher.market.endless = True
        bars = fetcher.fetch(first(fetcher))
        assert len(fetcher.pages()) <= 4
        assert "future" in errors(bars, "1h")


class TestHistory:
    def test_empty_pages_before_a_listing_are_not_requested(self):
        expected = candles(int(NOON.timestamp()) - 299 * 60, 300, step=60)
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": expected})) as served:
            fetcher = ExchangeFetcher("bitstamp", served)
            assert_complete(fetcher.fetch(pd.Timestamp("2023-09-01", tz="UTC"), "1m"), expected)
        assert len(fetcher.pages()) < 30

    def test_a_late_listing_is_fetched_from_its_start(self, fetcher):
        assert_complete(fetcher.fetch(pd.Timestamp("2015-01-01", tz="UTC")), candles_of(fetcher))

    def test_a_limited_history_is_refused_with_its_limit(self, kraken):
        with pytest.raises(SourceError, match="limits its 1h candles") as error:
            kraken.fetch(first(kraken))
        assert not isinstance(error.value, UnreachableError)
        assert error.value.found == "the last 720, from 2024-02-09 13:00 on"
        assert "2024-02-10 or later" in error.value.fix

    def test_a_limit_is_found_with_a_single_page(self, kraken):
        kraken.market.newest = 300
        with pytest.raises(SourceError, match="limits its 1h candles") as error:
            kraken.fetch(NOON - pd.Timedelta(hours=700))
        assert "the last 300" in error.value.found

    def test_a_start_within_the_limit_is_served(self, kraken):
        assert_complete(kraken.fetch(at(candles_of(kraken)[-720])), candles_of(kraken)[-720:])

    def test_a_limited_history_without_a_start_gives_a_notice(self, kraken):
        assert len(kraken.fetch(None)) == 720
        assert len(kraken.progress.notices) == 1
        assert "limited to the last 720" in kraken.progress.notices[0]

    def test_a_gap_at_the_start_is_not_a_limit(self, fetcher):
        start = first(fetcher) - pd.Timedelta(hours=30)
        assert_complete(fetcher.fetch(start), candles_of(fetcher))
        assert fetcher.progress.notices == []

    def test_weeks_that_are_three_days_long_are_refused(self):
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": hours(SHORT)})) as served:
            fetcher = ExchangeFetcher("bitstamp", served)
            with pytest.raises(SourceError, match="no 1w candles") as error:
                fetcher.fetch(NOON - pd.Timedelta(days=30), "1w")
        assert error.value.found == "what ccxt names 1w there lasts 3 days"
        assert "interval: 1d" in error.value.fix
        assert served.log == []


class TestFaults:
    """One faulty answer among the pages costs a pause and no bar."""

    @pytest.mark.parametrize("fault", [429, 418, 500, 502, 503, "half", "cut", Answer(200, "")])
    def test_a_failed_answer_is_retried(self, binance, fault):
        binance.served.faulty, binance.served.faults = "klines", [fault, fault]
        assert_complete(binance.fetch(at(candles_of(binance)[-40])), candles_of(binance)[-40:])

    @pytest.mark.parametrize("fault", ["half", "cut", 500, Answer(200, "<html>Sorry</html>")])
    def test_no_page_is_ever_left_out(self, fetcher, fault):
        fetcher.served.faulty, fetcher.served.faults = "", [fault] * 99
        with pytest.raises(UnreachableError, match="no usable answer"):
            fetcher.fetch(first(fetcher))

    @pytest.mark.parametrize("page", [[[1]], {"data": None}, [[None] * 12], {"result": 7}, [3]])
    def test_unexpected_json_is_refused(self, binance, page):
        binance.served.faulty, binance.served.faults = "klines", [Answer.of(page)]
        assert_complete(binance.fetch(at(candles_of(binance)[-40])), candles_of(binance)[-40:])

    def test_one_time_out_costs_no_bar(self, binance):
        binance.timeout_s = 0.4
        binance.served.faulty, binance.served.faults = "klines", ["hang"]
        assert_complete(binance.fetch(at(candles_of(binance)[-40])), candles_of(binance)[-40:])

    def test_two_time_outs_in_a_row_are_unreachable(self, binance):
        binance.timeout_s = 0.4
        binance.served.faulty, binance.served.faults = "klines", ["hang"] * 9
        with pytest.raises(UnreachableError, match="no usable answer"):
            binance.fetch(first(binance))
        assert len(binance.served.faults) == 7

    def test_a_time_out_before_any_answer_is_unreachable(self, binance):
        binance.timeout_s = 0.4
        binance.served.faults = ["hang"] * 9
        with pytest.raises(UnreachableError, match="no usable answer"):
            binance.fetch(first(binance))
        assert len(binance.served.faults) == 8

    @pytest.mark.slow
    def test_an_endless_answer_is_cancelled(self, binance):
        binance.timeout_s = 0.3
        binance.served.faulty, binance.served.faults = "klines", ["drip"] * 9
        with pytest.raises(UnreachableError) as error:
            binance.fetch(first(binance))
        assert "does not end" in error.value.found

    def test_the_error_shows_the_unreadable_answer(self, binance):
        sorry = Answer(200, "<html>Sorry</html>", "text/html")
        binance.served.faulty, binance.served.faults = "klines", [sorry] * 9
        with pytest.raises(UnreachableError) as error:
            binance.fetch(first(binance))
        assert "18 bytes that are not JSON: <html>Sorry</html>" in error.value.found


class TestWaits:
    def test_requests_keep_to_the_rate_limit(self):
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": hours(SHORT)})) as served:
            fetcher = ExchangeFetcher("bitstamp", served, settings={"rateLimit": 100})
            fetcher.market.largest = 200
            fetcher.fetch(first(fetcher))
        pauses = [later - before for before, later in pairwise(served.times)]
        assert len(pauses) >= 2
        # Of the arrivals, whose single distances vary with the load of the machine.
        assert sum(pauses) / len(pauses) > 0.08

    def test_a_clock_that_is_set_back_does_not_delay_a_request(self, binance, monkeypatch):
        clock, pauses = time.time, []
        steps = count(0, -3_600)
        monkeypatch.setattr(time, "time", lambda: clock() + next(steps))
        monkeypatch.setattr(time, "sleep", pauses.append)
        # By that clock the last candle may have ended or not.
        assert len(binance.fetch(first(binance))) >= LONG - 1
        assert max(pauses) <= 1.0

    @pytest.mark.slow
    def test_a_requested_pause_is_kept(self, binance):
        wait = Answer.of({"code": -1003, "msg": "Too many requests"}, 429, Retry_After="1")
        binance.served.faulty, binance.served.faults = "klines", [wait]
        began = pd.Timestamp.now("UTC")
        assert len(binance.fetch(first(binance))) == LONG
        assert pd.Timestamp.now("UTC") - began >= pd.Timedelta(seconds=1)

    def test_a_pause_as_a_date_uses_the_exchange_clock(self, binance):
        date = "Fri, 01 Jan 2100 00:00:00 GMT"
        wait = Answer.of({"code": -1003}, 429, Retry_After=date)
        binance.served.faulty, binance.served.faults = "klines", [wait]
        with pytest.raises(UnreachableError) as error:
            binance.fetch(first(binance))
        assert int(error.value.fix.split()[1]) > 10**9

    def test_a_requested_pause_above_a_minute_is_an_error(self, binance):
        wait = Answer.of({"code": -1003, "msg": "Banned"}, 418, Retry_After="7200")
        binance.served.faulty, binance.served.faults = "klines", [wait]
        with pytest.raises(UnreachableError) as error:
            binance.fetch(first(binance))
        assert error.value.fix == "wait 7200 s and run again"
        assert len(binance.pages()) == 1


class TestClock:
    """The candle of 12:00 ends at 13:00 by the exchange's clock."""

    def test_equal_clocks_leave_the_unfinished_candle(self, fetcher):
        assert fetcher.fetch(first(fetcher))["timestamp"].max() == NOON.floor("h")
        assert fetcher.progress.notices == []

    def test_a_candle_finished_only_by_this_clock_is_left_out(self, fetcher):
        fetcher.served.ahead_s = -1_800.0
        bars = fetcher.fetch(first(fetcher), now=NOON.ceil("h"))
        assert_complete(bars, candles_of(fetcher)[:-1])
        assert re.search("about 180[0-5] s ahead of the exchange's", fetcher.progress.notices[0])

    def test_candles_finished_only_by_the_exchange_are_left_out(self, fetcher):
        fetcher.served.ahead_s = 3 * 3_600.0
        early = NOON - pd.Timedelta(hours=3)
        bars = drop_unfinished_bars(
            fetcher.fetch(first(fetcher), now=early), TradingTimes("1h"), early
        )
        assert_complete(bars, candles_of(fetcher)[:-4])
        assert errors(bars, "1h", early) == set()
        assert re.search(
            "about 10(79|80)[0-9] s behind the exchange's", fetcher.progress.notices[0]
        )

    def test_the_age_of_a_cached_date_is_added(self, fetcher):
        fetcher.served.ahead_s = -90.0
        fetcher.served.faults = [Answer.of({}, Age="90"), Answer.of({})]
        session = ExchangeSession()
        session.request("GET", fetcher.served.url, timeout=1.0)
        assert abs(session.clock_skew_s) < 5
        session.request("GET", fetcher.served.url, timeout=1.0)
        assert 85 < -session.clock_skew_s < 95
