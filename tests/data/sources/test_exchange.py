"""The exchange source: labels, progress, and refusals."""

from __future__ import annotations

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.config import CcxtSourceSpec
from engine.data.sources.base import BarRequest
from engine.data.sources.exchange import ExchangeBarSource
from tests.data.datasets import BITSTAMP, COINS, COUNT, FIRST, NOW
from tests.servers.local import Answer


@pytest.fixture
def pull(clients):
    def bars(symbol="BTC-USD", *, exchange="bitstamp", interval="1d", since=None, clients=clients):
        feed = ExchangeBarSource(CcxtSourceSpec(exchange=exchange), clients)
        return normalise_bars(
            feed.fetch(BarRequest(symbol, interval, since, NOW, NullProgress())), symbol
        )

    return bars


def test_the_unfinished_candle_is_dropped(pull):
    bars = drop_unfinished_bars(pull(), TradingTimes("1d"), NOW)
    assert bars["timestamp"].max() == NOW.normalize() - pd.Timedelta(days=1)


def test_progress_advances_with_each_page(clients):
    reports = []

    class Counting(NullProgress):
        def advance(self, done, total, what):
            reports.append((done, total, what))

    feed = ExchangeBarSource(CcxtSourceSpec(exchange="bitstamp"), clients)
    since = pd.Timestamp(FIRST, unit="s", tz="UTC")
    feed.fetch(BarRequest("BTC-USD", "1d", since, NOW, Counting()))
    done, total, what = reports[-1]
    assert done == total == COUNT - 1
    assert "BTC/USD" in what


def test_an_unknown_exchange_gets_a_suggestion(pull):
    with pytest.raises(SourceError, match="no exchange bitstmp") as error:
        pull(exchange="bitstmp")
    assert "bitstamp" in error.value.fix


@pytest.mark.parametrize("name", ["bitmex", "bitmart", "ascendex", "probit", "wazirx", "novadax"])
def test_an_exchange_that_ccxt_left_out_is_named_as_gone(pull, name):
    with pytest.raises(SourceError, match=f"no exchange {name} in ccxt [0-9.]+; earlier") as error:
        pull(exchange=name)
    assert "use another exchange" in error.value.fix


@pytest.mark.parametrize(
    ("name", "now"),
    [("huobi", "htx"), ("gateio", "gate"), ("bitfinex2", "bitfinex"), ("okcoin", "okxus")],
)
def test_an_exchange_with_a_new_name_is_suggested_by_it(pull, name, now):
    with pytest.raises(SourceError, match="earlier versions had it") as error:
        pull(exchange=name)
    assert error.value.fix == f"did you mean {now}?"


@pytest.mark.parametrize(
    ("exchange", "interval", "finer"),
    [("bithumb", "1d", "4h"), ("paradex", "1d", "1h"), ("zebpay", "4h", "1h")],
)
def test_a_missing_interval_is_resampled_from_the_longest_finer_one(
    clients, exchange, interval, finer
):
    source = ExchangeBarSource(CcxtSourceSpec(exchange=exchange), clients)
    with pytest.raises(SourceError, match=f"no {interval} candles") as error:
        source.fetch(BarRequest("BTC-USD", interval, None, NOW, NullProgress()))
    assert finer in error.value.expected
    assert f"`interval: {finer}`" in error.value.fix


def test_an_unknown_symbol_gets_a_suggestion(pull):
    with pytest.raises(SourceError) as error:
        pull("BTC/USDT")
    assert "BTC/USD" in error.value.fix
    assert not isinstance(error.value, UnreachableError)


def test_an_interval_that_the_exchange_does_not_have_is_refused(clients):
    with pytest.raises(SourceError, match="no 1w candles"):
        ExchangeBarSource(CcxtSourceSpec(exchange="coinbase"), clients).fetch(
            BarRequest("BTC-USD", "1w", None, NOW, NullProgress())
        )


def test_a_rejected_request_is_not_a_network_error(bitstamp, pull):
    rejection = Answer.of({"status": "error", "reason": "Step is not supported"})
    bitstamp.faulty, bitstamp.faults = "/ohlc/", [rejection] * 10
    with pytest.raises(SourceError, match="refused") as error:
        pull()
    assert not isinstance(error.value, UnreachableError)
    assert "Step is not supported" in error.value.found


def test_a_history_that_begins_after_the_start_gives_a_notice(load, progress):
    load(COINS.replace("2023-03-01", "2015-01-01") + BITSTAMP)
    assert "BTC-USD: bars begin on 2023-02-05, the dataset asks for 2015-01-01" in progress.notices
