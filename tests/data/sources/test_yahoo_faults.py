"""Faults of the server, through the real yfinance."""

from __future__ import annotations

import time
from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.config import YahooSourceSpec
from engine.data.quality import CheckSettings, check_bars
from engine.data.sources.base import BarRequest
from engine.data.sources.yahoo import YahooBarSource
from tests.data.datasets import COUNT, DAY, FIRST, NOW, RecordingProgress
from tests.servers.candles import candles
from tests.servers.local import Answer
from tests.servers.yahoo import Chart

BUSY = Answer(429, "Too Many Requests", "text/plain")
ASKED = replace(BUSY, headers={"Retry-After": "1"})
LONG = replace(BUSY, headers={"Retry-After": "3600"})
DOWN = Answer(200, "<html>Will be right back...</html>", "text/html")
EXPLAINED = {"chart": {"result": None, "error": {"code": "Error", "description": "try later"}}}


@pytest.fixture
def pull(tmp_path, clients):
    def bars(symbol="BTC-USD", *, clients=clients, spec=None):
        feed = YahooBarSource(spec or YahooSourceSpec(), tmp_path, clients)
        return normalise_bars(
            feed.fetch(BarRequest(symbol, "1d", None, NOW, NullProgress())), symbol
        )

    return bars


@pytest.fixture
def charts(yahoo):
    yahoo.faulty = "/v8/finance/chart/"
    return yahoo


FAULTS = {
    "429": BUSY,
    "500": 500,
    "502": 502,
    "503 with an explanation": Answer.of(EXPLAINED, 503),
    "401": Answer.of({"finance": {"result": None, "error": {"code": "Unauthorized"}}}, 401),
    "a page that says it is down": DOWN,
    "truncated JSON": "half",
    "a connection cut half-way": "cut",
    "an empty body": Answer(200, "", "text/html"),
    "JSON that is no object": Answer.of([1, 2]),
    "no result": Answer.of({"chart": {"result": None, "error": None}}),
    "an empty result": Answer.of({"chart": {"result": [], "error": None}}),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_a_temporary_failure_costs_no_bar(charts, pull, fault):
    # yfinance asks for the time zone first and keeps it, so that the faults meet the history.
    pull()
    charts.faults = [fault] * 2
    assert len(pull()) == COUNT
    assert charts.faults == []


@pytest.mark.parametrize("name", ["500", "truncated JSON", "an empty result"])
def test_a_temporary_time_zone_failure_costs_no_bar(charts, pull, name):
    charts.faults = [FAULTS[name]] * 2
    assert len(pull()) == COUNT
    assert charts.faults == []


@pytest.mark.parametrize("name", ["429", "401", "a page that says it is down", "an empty body"])
def test_a_permanent_failure_is_unreachable(charts, pull, name):
    charts.faults = [FAULTS[name]] * 60
    with pytest.raises(UnreachableError) as error:
        pull()
    assert error.value.where == "BTC-USD of yahoo"
    assert error.value.found
    assert "run again" in error.value.fix


@pytest.mark.parametrize("empty", ["result", "rows", "columns"])
def test_an_empty_history_is_an_error_with_the_ticker(yahoo, pull, empty):
    yahoo.site.charts["HOLLOW"] = Chart(candles(FIRST, COUNT), empty=empty)
    with pytest.raises(SourceError, match="no bars of HOLLOW") as error:
        pull("HOLLOW")
    assert not isinstance(error.value, UnreachableError)
    # Three tries, each of one history; the time zone was requested once.
    assert len(yahoo.requests("HOLLOW?period1")) == 3


def test_an_unknown_ticker_is_not_retried(yahoo, pull):
    with pytest.raises(SourceError, match="no bars of NO-SUCH") as error:
        pull("NO-SUCH")
    assert error.value.found == "No data found, symbol may be delisted"
    # The second is yfinance's own, with another cookie.
    assert len(yahoo.requests("chart/NO-SUCH")) == 2


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("half", "incomplete JSON: "),
        (Answer.of([1, 2]), "unexpected JSON: "),
        (FAULTS["503 with an explanation"], "HTTP 503: try later"),
        (502, "HTTP 502: "),
    ],
)
def test_a_broken_answer_is_described(charts, pull, fault, words):
    charts.faults = [fault] * 60
    with pytest.raises(UnreachableError) as error:
        pull()
    assert error.value.found.startswith(words)


class TestThrottling:
    @pytest.mark.slow
    def test_a_requested_pause_is_kept(self, charts, pull):
        pull()
        charts.log.clear()
        charts.faults = [ASKED]
        began = time.monotonic()
        assert len(pull()) == COUNT
        assert time.monotonic() - began >= 1.0
        # Not even yfinance's own second try, with another cookie, came in between.
        assert len(charts.requests("chart/BTC-USD")) == 2

    def test_a_pause_beyond_the_time_limit_is_not_started(self, charts, pull):
        charts.faults = [LONG] * 9
        began = time.monotonic()
        with pytest.raises(UnreachableError, match="throttles") as error:
            pull(spec=YahooSourceSpec(time_limit_s=60.0))
        assert time.monotonic() - began < 2.0
        assert "a pause of 3600 s" in error.value.found

    def test_a_throttled_client_sends_no_more_requests(self, charts, tmp_path, clients):
        feed = YahooBarSource(YahooSourceSpec(), tmp_path, clients)
        charts.faults = [BUSY] * 60
        with pytest.raises(UnreachableError, match="throttles"):
            feed.fetch(BarRequest("BTC-USD", "1d", None, NOW, NullProgress()))
        charts.log.clear()
        with pytest.raises(UnreachableError, match="was not requested") as error:
            feed.fetch(BarRequest("ETH-USD", "1d", None, NOW, NullProgress()))
        assert charts.log == []
        assert "ETH-USD" in error.value.where

    def test_a_503_with_retry_after_is_retried_then(self, charts, pull):
        pull()
        charts.log.clear()
        charts.faults = [replace(ASKED, status=503, headers={"Retry-After": "0"})]
        assert len(pull()) == COUNT
        assert len(charts.requests("chart/BTC-USD")) == 2


class TestHangs:
    def test_one_time_out_costs_no_bar(self, charts, pull, clients):
        zone = charts.site.answer("/v8/finance/chart/BTC-USD", {"interval": "1d"})
        charts.faults = [zone, "hang"]
        assert len(pull(clients=replace(clients, timeout_s=0.5))) == COUNT

    def test_a_server_that_never_answered_is_not_retried(self, yahoo, pull, clients):
        yahoo.faults = ["hang"] * 40
        with pytest.raises(UnreachableError, match="no usable answer"):
            pull(clients=replace(clients, timeout_s=0.2))
        assert len(yahoo.requests("/chart/")) == 1

    def test_a_slow_answer_ends_with_the_time_out(self, charts, pull, clients):
        charts.faults = ["drip"]
        began = time.monotonic()
        with pytest.raises(UnreachableError):
            pull(clients=replace(clients, timeout_s=0.3))
        assert time.monotonic() - began < 2.0


class TestRows:
    def test_rows_out_of_order_are_sorted(self, yahoo, pull):
        whole = pull()
        yahoo.site.charts["BTC-USD"].shuffled = True
        pd.testing.assert_frame_equal(pull(), whole)

    @pytest.mark.parametrize("after", [0, 3_600])
    def test_a_repeated_last_candle_is_one_bar(self, yahoo, pull, after):
        whole = pull()
        yahoo.site.charts["BTC-USD"].live = after
        pd.testing.assert_frame_equal(pull(), whole)

    def test_a_repeated_unfinished_day_is_dropped(self, yahoo, pull):
        yahoo.site.charts["BTC-USD"].live = 3_600
        bars = drop_unfinished_bars(pull(), TradingTimes("1d"), NOW)
        assert check_bars(bars, CheckSettings("1d", NOW)).errors == ()
        assert bars["timestamp"].max() == NOW.normalize() - pd.Timedelta(seconds=DAY)

    def test_conflicting_days_give_a_notice(self, yahoo, tmp_path, clients):
        whole, progress = yahoo.site.charts["BTC-USD"], RecordingProgress()
        # The second row of a day may stand at another hour of it.
        late = replace(whole.candles[100], seconds=whole.candles[100].seconds + 3_600, close=9.0)
        whole.again = [replace(whole.candles[50], high=9e5), late, whole.candles[60]]
        feed = YahooBarSource(YahooSourceSpec(), tmp_path, clients)
        bars = normalise_bars(
            feed.fetch(BarRequest("BTC-USD", "1d", None, NOW, progress)), "BTC-USD"
        )
        assert progress.notices == [
            "BTC-USD of yahoo: 2 bars came twice with different prices, the first on 2023-03-27; "
            "the earlier row of each is used"
        ]
        assert bars["high"][50] == whole.candles[50].high
        assert len(bars) == COUNT

    def test_equal_duplicate_days_give_no_notice(self, yahoo, tmp_path, clients):
        whole, progress = yahoo.site.charts["BTC-USD"], RecordingProgress()
        whole.again = whole.candles[60:64]
        YahooBarSource(YahooSourceSpec(), tmp_path, clients).fetch(
            BarRequest("BTC-USD", "1d", None, NOW, progress)
        )
        assert progress.notices == []
