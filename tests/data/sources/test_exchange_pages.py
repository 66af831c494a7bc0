"""What comes of an exchange's pages, whole or broken. Real ccxt, exchanges on this machine."""

from __future__ import annotations

import re
from itertools import pairwise

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.data.bars import drop_unfinished_bar
from engine.data.quality.check_symbol import CheckSettings, check_bars
from engine.data.sources.exchange.session import ExchangeSession
from tests.data.sources.exchanges import EXCHANGES, NOON, Desk, at, hours
from tests.servers.candles import candles
from tests.servers.local import Answer, serve

LONG = 1_500
"""More candles than any of the exchanges gives at once."""

SHORT = 400
"""Fewer than Kraken's last 720."""


@pytest.fixture(params=EXCHANGES)
def desk(request):
    kind, ticker = EXCHANGES[request.param]
    with serve(kind({ticker: hours(SHORT)})) as served:
        yield Desk(request.param, served)


@pytest.fixture
def binance():
    with serve(EXCHANGES["binance"][0]({"BTC/USDT": hours(LONG)})) as served:
        yield Desk("binance", served)


@pytest.fixture
def kraken():
    with serve(EXCHANGES["kraken"][0]({"BTC/USD": hours(LONG)})) as served:
        yield Desk("kraken", served)


def book(desk):
    return desk.market.books[desk.ticker]


def first(desk):
    return at(book(desk)[0])


def assert_whole(bars, made):
    """Every candle once, in order, as it was served."""
    assert bars["timestamp"].tolist() == [at(candle) for candle in made]
    for column in ("open", "high", "low", "close", "volume"):
        assert bars[column].tolist() == [getattr(candle, column) for candle in made]


def errors(bars, interval, now=NOON) -> set[str]:
    return {finding.rule for finding in check_bars(bars, CheckSettings(interval, now)).errors}


class TestPages:
    @pytest.mark.parametrize("largest", [97, 1_000])
    def test_pages_of_any_size_join_without_gap_or_overlap(self, desk, largest):
        desk.market.largest = largest
        bars = desk.pull(first(desk))
        assert_whole(bars, book(desk))
        assert errors(drop_unfinished_bar(bars, "1h", NOON), "1h") == set()

    def test_a_page_is_as_large_as_the_exchange_gives_it(self, binance):
        binance.pull(first(binance))
        asked = [line for line in binance.pages() if "interval=1h" in line]
        assert ["limit=1000" in line for line in asked] == [True, True]

    def test_only_what_is_asked_for_is_pulled(self, desk):
        since = at(book(desk)[-40])
        assert_whole(desk.pull(since), book(desk)[-40:])
        assert len(desk.pages()) == 1

    def test_rows_out_of_order_are_put_in_order(self, desk):
        desk.market.backwards = True
        assert_whole(desk.pull(first(desk)), book(desk))

    def test_a_repeated_last_candle_is_taken_once(self, desk):
        desk.market.repeat_last, desk.market.largest = True, 300
        assert_whole(desk.pull(first(desk)), book(desk))

    def test_a_candle_that_comes_twice_with_other_values_is_kept_for_the_gate(self, desk):
        made = book(desk)
        made.insert(50, type(made[0])(made[50].seconds, 1.0, 2.0, 0.5, 1.5, 3.0))
        assert "conflicting_duplicates" in errors(desk.pull(first(desk)), "1h")

    def test_pages_that_overlap_are_joined(self, desk):
        desk.market.overlap, desk.market.largest = 20, 200
        assert_whole(desk.pull(first(desk)), book(desk))

    def test_a_page_that_is_empty_once_is_asked_again(self, binance):
        binance.market.empty_once = {3}
        assert_whole(binance.pull(first(binance)), book(binance))

    def test_a_page_that_stays_empty_in_a_time_of_trading_is_refused(self, binance):
        binance.market.largest, binance.market.empty_once = 500, {4, 5}
        with pytest.raises(UnreachableError, match="omits candles") as error:
            binance.pull(first(binance))
        assert f"from {at(book(binance)[1_000]):%Y-%m-%d %H:%M} on" in error.value.expected

    def test_a_market_without_candles_delivers_none(self, desk):
        desk.market.books[desk.ticker] = []
        assert desk.pull(NOON - pd.Timedelta(days=9)).empty

    def test_hours_without_a_trade_stay_absent(self, desk):
        made = book(desk)
        del made[100:103], made[300]
        bars = desk.pull(first(desk))
        assert_whole(bars, made)
        assert (bars["timestamp"].diff() > pd.Timedelta(hours=1)).sum() == 2

    def test_a_pause_longer_than_a_page_does_not_end_the_history(self, desk):
        desk.market.largest = 100
        del book(desk)[110:330]
        assert_whole(desk.pull(first(desk)), book(desk))

    def test_a_page_that_repeats_for_ever_is_given_up(self, desk):
        desk.market.stuck, desk.market.largest = True, 100
        with pytest.raises(UnreachableError, match="omits candles"):
            desk.pull(first(desk))
        assert len(desk.pages()) <= 5

    def test_pages_that_go_on_into_the_future_end_with_the_present(self, desk):
        desk.market.endless = True
        bars = desk.pull(first(desk))
        assert len(desk.pages()) <= 4
        assert errors(bars, "1h") == {"future"}


class TestHistory:
    def test_the_time_before_a_listing_costs_no_page_each(self):
        made = candles(int(NOON.timestamp()) - 299 * 60, 300, step=60)
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": made})) as served:
            desk = Desk("bitstamp", served)
            assert_whole(desk.pull(pd.Timestamp("2023-09-01", tz="UTC"), "1m"), made)
        assert len(desk.pages()) < 30

    def test_a_market_that_was_listed_late_is_pulled_from_its_listing(self, desk):
        assert_whole(desk.pull(pd.Timestamp("2015-01-01", tz="UTC")), book(desk))

    def test_an_exchange_that_caps_its_history_is_refused_and_the_cap_named(self, kraken):
        with pytest.raises(SourceError, match="limits its 1h candles") as error:
            kraken.pull(first(kraken))
        assert not isinstance(error.value, UnreachableError)
        assert error.value.found == "the last 720, from 2024-02-09 13:00 on"
        assert "2024-02-10 or later" in error.value.fix

    def test_a_cap_is_found_where_a_single_page_was_asked_for(self, kraken):
        kraken.market.newest = 300
        with pytest.raises(SourceError, match="limits its 1h candles") as error:
            kraken.pull(NOON - pd.Timedelta(hours=700))
        assert "the last 300" in error.value.found

    def test_a_capped_exchange_serves_what_lies_within_its_cap(self, kraken):
        assert_whole(kraken.pull(at(book(kraken)[-720])), book(kraken)[-720:])

    def test_all_there_is_of_a_capped_exchange_is_told_to_be_less_than_all(self, kraken):
        assert len(kraken.pull(None)) == 720
        assert len(kraken.told.notices) == 1
        assert "limited to the last 720" in kraken.told.notices[0]

    def test_a_gap_at_the_beginning_is_no_cap(self, desk):
        start = first(desk) - pd.Timedelta(hours=30)
        assert_whole(desk.pull(start), book(desk))
        assert desk.told.notices == []

    def test_weeks_that_are_three_days_long_are_refused(self):
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": hours(SHORT)})) as served:
            bars = Desk("bitstamp", served).pull(NOON - pd.Timedelta(days=30), "1w")
        assert "interval" in errors(drop_unfinished_bar(bars, "1w", NOON), "1w")


class TestFaults:
    """One bad answer among the pages costs a pause, and no bar."""

    @pytest.mark.parametrize("fault", [429, 418, 500, 502, 503, "half", "cut", Answer(200, "")])
    def test_an_answer_that_fails_is_asked_for_again(self, binance, fault):
        binance.served.faulty, binance.served.faults = "klines", [fault, fault]
        assert_whole(binance.pull(at(book(binance)[-40])), book(binance)[-40:])

    @pytest.mark.parametrize("fault", ["half", "cut", 500, Answer(200, "<html>Sorry</html>")])
    def test_no_page_is_ever_left_out(self, desk, fault):
        desk.served.faulty, desk.served.faults = "", [fault] * 99
        with pytest.raises(UnreachableError, match="no usable answer"):
            desk.pull(first(desk))

    @pytest.mark.parametrize("page", [[[1]], {"data": None}, [[None] * 12], {"result": 7}, [3]])
    def test_json_of_another_shape_is_no_page(self, binance, page):
        binance.served.faulty, binance.served.faults = "klines", [Answer.of(page)]
        assert_whole(binance.pull(at(book(binance)[-40])), book(binance)[-40:])

    def test_one_hang_among_answers_costs_its_time_out_and_no_bar(self, binance):
        binance.timeout_s = 0.4
        binance.served.faulty, binance.served.faults = "klines", ["hang"]
        assert_whole(binance.pull(at(book(binance)[-40])), book(binance)[-40:])

    def test_a_server_that_hangs_twice_in_a_row_is_given_up(self, binance):
        binance.timeout_s = 0.4
        binance.served.faulty, binance.served.faults = "klines", ["hang"] * 9
        with pytest.raises(UnreachableError, match="no usable answer"):
            binance.pull(first(binance))
        assert len(binance.served.faults) == 7

    def test_a_server_that_hangs_and_has_never_answered_is_given_up_at_once(self, binance):
        binance.timeout_s = 0.4
        binance.served.faults = ["hang"] * 9
        with pytest.raises(UnreachableError, match="no usable answer"):
            binance.pull(first(binance))
        assert len(binance.served.faults) == 8

    @pytest.mark.slow
    def test_an_answer_that_never_ends_is_given_up(self, binance):
        binance.timeout_s = 0.3
        binance.served.faulty, binance.served.faults = "klines", ["drip"] * 9
        with pytest.raises(UnreachableError) as error:
            binance.pull(first(binance))
        assert "does not end" in error.value.found

    def test_the_answer_that_could_not_be_read_is_shown(self, binance):
        sorry = Answer(200, "<html>Sorry</html>", "text/html")
        binance.served.faulty, binance.served.faults = "klines", [sorry] * 9
        with pytest.raises(UnreachableError) as error:
            binance.pull(first(binance))
        assert "18 bytes that are not JSON: <html>Sorry</html>" in error.value.found


class TestWaits:
    def test_requests_are_as_far_apart_as_the_exchange_wants_them(self):
        with serve(EXCHANGES["bitstamp"][0]({"BTC/USD": hours(SHORT)})) as served:
            desk = Desk("bitstamp", served, settings={"rateLimit": 100})
            desk.market.largest = 200
            desk.pull(first(desk))
        pauses = [later - before for before, later in pairwise(served.times)]
        assert len(pauses) >= 2
        assert min(pauses) > 0.08

    @pytest.mark.slow
    def test_an_exchange_that_says_how_long_to_wait_is_left_alone_for_that_long(self, binance):
        wait = Answer.of({"code": -1003, "msg": "Too many requests"}, 429, Retry_After="1")
        binance.served.faulty, binance.served.faults = "klines", [wait]
        began = pd.Timestamp.now("UTC")
        assert len(binance.pull(first(binance))) == LONG
        assert pd.Timestamp.now("UTC") - began >= pd.Timedelta(seconds=1)

    def test_a_wait_given_as_a_date_is_counted_by_the_exchanges_clock(self, binance):
        date = "Fri, 01 Jan 2100 00:00:00 GMT"
        wait = Answer.of({"code": -1003}, 429, Retry_After=date)
        binance.served.faulty, binance.served.faults = "klines", [wait]
        with pytest.raises(UnreachableError) as error:
            binance.pull(first(binance))
        assert int(error.value.fix.split()[1]) > 10**9

    def test_a_wait_longer_than_a_minute_is_told_and_not_waited_for(self, binance):
        wait = Answer.of({"code": -1003, "msg": "Banned"}, 418, Retry_After="7200")
        binance.served.faulty, binance.served.faults = "klines", [wait]
        with pytest.raises(UnreachableError) as error:
            binance.pull(first(binance))
        assert error.value.fix == "wait 7200 s and run again"
        assert len(binance.pages()) == 1


class TestClock:
    """The candle of 12:00 is over at 13:00 by the exchange's time."""

    def test_clocks_that_agree_leave_the_open_candle_to_be_dropped(self, desk):
        assert desk.pull(first(desk))["timestamp"].max() == NOON.floor("h")
        assert desk.told.notices == []

    def test_a_candle_that_is_over_by_this_machines_clock_alone_is_left_out(self, desk):
        desk.served.ahead_s = -1_800.0
        bars = desk.pull(first(desk), now=NOON.ceil("h"))
        assert_whole(bars, book(desk)[:-1])
        assert re.search("about 180[0-5] s ahead of the exchange's", desk.told.notices[0])

    def test_candles_that_this_machine_thinks_are_still_to_come_are_left_for_later(self, desk):
        desk.served.ahead_s = 3 * 3_600.0
        early = NOON - pd.Timedelta(hours=3)
        bars = drop_unfinished_bar(desk.pull(first(desk), now=early), "1h", early)
        assert_whole(bars, book(desk)[:-4])
        assert errors(bars, "1h", early) == set()
        assert re.search("about 10(79|80)[0-9] s behind the exchange's", desk.told.notices[0])

    def test_a_date_that_a_cache_kept_is_as_old_as_it_says(self, desk):
        desk.served.ahead_s = -90.0
        desk.served.faults = [Answer.of({}, Age="90"), Answer.of({})]
        session = ExchangeSession()
        session.request("GET", desk.served.url, timeout=1.0)
        assert abs(session.clock_skew_s) < 5
        session.request("GET", desk.served.url, timeout=1.0)
        assert 85 < -session.clock_skew_s < 95
