"""Funding rates of perpetuals: fetched page by page, stored, and read again."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, SourceError, UnreachableError
from engine.data.fetch.funding import load_funding_rates
from tests.data.datasets import RecordingProgress
from tests.data.sources.exchanges import NOON, ExchangeFetcher, hours
from tests.servers.binance import Binance
from tests.servers.candles import candles
from tests.servers.local import Answer, serve

COINS = """name: perps
interval: 1h
calendar: 24/7
symbols: [BTC]
start: 2023-12-20
sources:
  - {kind: ccxt, exchange: binance, funding: true, symbols: {BTC: "BTC/USDT:USDT"}}
"""
EIGHT_HOURS = 8 * 3_600
FIRST = int(pd.Timestamp("2023-12-20", tz="UTC").timestamp())
COUNT = 240


def rates(count=COUNT):
    """One every 8 hours from the start on, of either sign."""
    return [(FIRST + i * EIGHT_HOURS, (i % 7 - 2) * 1e-4) for i in range(count)]


@pytest.fixture
def fetcher():
    ticker = "BTC/USDT:USDT"
    with serve(Binance({ticker: hours(2_000)}, rates={ticker: rates()})) as served:
        yield ExchangeFetcher("binance", served)


@pytest.fixture
def read(tmp_path, fetcher):
    def series(text=COINS, *, now=NOON, **options):
        path = tmp_path / "perps.yaml"
        path.write_text(text)
        defaults = {
            "home": tmp_path / "home",
            "clients": fetcher.clients,
            "progress": fetcher.progress,
        }
        return load_funding_rates(str(path), now=now, **{**defaults, **options})

    return series


def rate_requests(fetcher):
    return fetcher.served.requests("fundingRate")


def test_every_payment_is_there_once_with_its_time_and_rate(read):
    expected = rates()
    found = read()
    assert list(found) == ["timestamp", "symbol", "rate"]
    assert found["timestamp"].dt.as_unit("s").astype("int64").tolist() == [
        at for at, _ in expected
    ]
    assert found["rate"].tolist() == [rate for _, rate in expected]
    assert set(found["symbol"]) == {"BTC"}


@pytest.mark.parametrize("a_page", [33, 100])
def test_pages_of_any_size_are_joined(fetcher, read, a_page):
    fetcher.market.rates_a_page = a_page
    assert len(read()) == COUNT


@pytest.mark.parametrize("days", [5, 60])
@pytest.mark.parametrize("count", [9, 40, 240])
def test_rates_that_begin_years_after_trading_cost_few_requests(fetcher, read, days, count):
    expected = rates()[-count:]
    first = candles(int(pd.Timestamp("2019-06-01", tz="UTC").timestamp()), 1_700)
    fetcher.market.books["BTC/USDT:USDT"] = first
    fetcher.market.rates["BTC/USDT:USDT"] = expected
    fetcher.market.rates_span_s = days * 86_400.0
    assert len(read(COINS.replace("2023-12-20", "2019-06-01"))) == count
    assert len(rate_requests(fetcher)) <= 90


def test_the_oldest_of_a_page_are_asked_for_where_the_newest_came(fetcher, read):
    fetcher.market.rates_a_page, fetcher.market.newest_rates = 30, True
    assert len(read()) == COUNT


def test_a_second_fetch_requests_only_later_rates(fetcher, read):
    early = NOON - pd.Timedelta(days=3)
    before = read(now=early)
    fetcher.served.log.clear()
    after = read()
    assert len(rate_requests(fetcher)) <= 3
    pd.testing.assert_frame_equal(after[: len(before)], before)
    assert len(after) == COUNT


def test_a_revised_history_is_fetched_again(fetcher, read):
    read()
    fetcher.market.rates["BTC/USDT:USDT"] = [(at, 0.5) for at, _ in rates()]
    assert set(read()["rate"]) == {0.5}


def test_stored_rates_are_read_without_a_network(fetcher, read):
    whole = read()
    fetcher.served.log.clear()
    pd.testing.assert_frame_equal(read(offline=True), whole)
    assert fetcher.served.log == []


def test_stored_rates_serve_with_a_notice_if_the_exchange_fails(fetcher, read):
    whole = read()
    fetcher.served.faults = [500] * 99
    progress = RecordingProgress()
    pd.testing.assert_frame_equal(read(progress=progress), whole)
    assert progress.notices == [
        "ccxt:binance: the server gave no usable answer; cached funding rates are used"
    ]


def test_no_stored_rates_and_no_network_is_an_error(read):
    with pytest.raises(UnreachableError, match="may not be used"):
        read(offline=True)


def test_a_broken_page_is_never_left_out(fetcher, read):
    fetcher.served.faulty, fetcher.served.faults = "fundingRate", ["half", 429, 500]
    fetcher.pauses_s = (0.01,) * 4
    assert len(read()) == COUNT


def test_a_page_that_is_empty_once_is_requested_again(fetcher, read):
    fetcher.served.faulty, fetcher.served.faults = "fundingRate", [Answer.of([])]
    assert len(read()) == COUNT


def test_a_future_payment_is_left_out(read):
    until = NOON - pd.Timedelta(days=30)
    assert read(now=until)["timestamp"].max() <= until


def test_rates_lie_within_start_and_end(read):
    text = COINS.replace("2023-12-20", "2024-01-01\nend: 2024-01-02")
    found = read(text)
    assert found["timestamp"].dt.strftime("%d %H").tolist() == [
        *("01 00", "01 08", "01 16", "02 00", "02 08", "02 16")
    ]


def test_rates_that_begin_long_after_trading_give_a_notice(fetcher, read):
    fetcher.market.rates["BTC/USDT:USDT"] = rates()[-90:]
    assert len(read()) == 90
    assert "has no funding rates before" in fetcher.progress.notices[0]


def test_two_rates_for_one_time_are_refused(fetcher, read):
    expected = rates()
    fetcher.market.rates["BTC/USDT:USDT"] = [*expected[:10], (expected[9][0], 0.9), *expected[10:]]
    with pytest.raises(InvalidBarsError, match="2 of 241 contradict"):
        read()


def test_a_market_that_is_not_a_perpetual_is_refused(fetcher, read):
    fetcher.market.books["BTC/USDT"] = hours(3)
    with pytest.raises(SourceError, match="not a perpetual contract") as error:
        read(COINS.replace("BTC/USDT:USDT", "BTC/USDT"))
    assert "a spot market" in error.value.found


def test_an_exchange_without_a_rate_history_is_refused(fetcher, read):
    fetcher.settings["has"] = {"fetchFundingRateHistory": None}
    with pytest.raises(SourceError, match="no history of this exchange's funding rates"):
        read()


def test_a_dataset_without_a_funding_source_is_refused(read):
    with pytest.raises(SourceError, match="no source of dataset perps") as error:
        read(COINS.replace(" funding: true,", ""))
    assert "funding: true" in error.value.fix
