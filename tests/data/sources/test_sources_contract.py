"""The contract of every source of bars."""

from __future__ import annotations

import socket
from dataclasses import replace

import pandas as pd
import pytest

from engine.core.errors import SourceError, UnreachableError
from engine.core.progress import NullProgress
from engine.data.bar_times import TradingTimes
from engine.data.bars import drop_unfinished_bars, normalise_bars
from engine.data.bundled_config import BundledSourceSpec
from engine.data.config import CcxtSourceSpec, YahooSourceSpec
from engine.data.fetch.reachability import first_hop, require_reachable
from engine.data.files_config import FilesSourceSpec
from engine.data.quality import CheckSettings, check_bars
from engine.data.sources.base import BarRequest, BarSource
from engine.data.sources.client_settings import ClientSettings
from engine.data.sources.factory import create_source
from tests.data.datasets import COUNT, FIRST, NOW
from tests.servers.candles import candles

SOURCES = {
    "yahoo": YahooSourceSpec(),
    "ccxt": CcxtSourceSpec(exchange="bitstamp"),
    "files": FilesSourceSpec(path="bars"),
    "bundled": BundledSourceSpec(symbols={"BTC-USD": "sp500"}),
}


def request(symbol="BTC-USD", *, since=None, interval="1d"):
    return BarRequest(symbol, interval, since, NOW, NullProgress())


@pytest.fixture(params=SOURCES)
def feed(request, tmp_path, clients) -> BarSource:
    (tmp_path / "bars").mkdir()
    table = pd.DataFrame(candles(FIRST, COUNT, scale=30_000)).rename(
        columns={"seconds": "timestamp"}
    )
    table.to_csv(tmp_path / "bars" / "BTC-USD.csv", index=False)
    return create_source(
        SOURCES[request.param], manifest_folder=tmp_path, home=tmp_path, clients=clients
    )


def test_finished_bars_pass_the_quality_checks(feed):
    bars = drop_unfinished_bars(
        normalise_bars(feed.fetch(request()), "BTC-USD"), TradingTimes("1d"), NOW
    )
    assert len(bars) > 300
    assert check_bars(bars, CheckSettings("1d", NOW)).errors == ()


def test_a_daily_bar_is_labelled_by_its_day_at_midnight_utc(feed):
    stamps = normalise_bars(feed.fetch(request()), "BTC-USD")["timestamp"]
    assert (stamps == stamps.dt.normalize()).all()


def test_the_same_request_has_the_same_bars(feed):
    first, second = (normalise_bars(feed.fetch(request()), "BTC-USD") for _ in range(2))
    pd.testing.assert_frame_equal(first, second)


def test_bars_since_a_day_equal_those_of_the_whole_history(feed):
    since = pd.Timestamp("2024-01-05" if feed.cache_key else "2010-01-05", tz="UTC")
    whole = normalise_bars(feed.fetch(request()), "BTC-USD")
    part = normalise_bars(feed.fetch(request(since=since)), "BTC-USD")
    tail = [bars[bars["timestamp"] >= since].reset_index(drop=True) for bars in (whole, part)]
    assert len(tail[0]) > 50
    pd.testing.assert_frame_equal(*tail)


def test_an_unknown_symbol_is_a_source_error(feed):
    with pytest.raises(SourceError) as error:
        feed.fetch(request("NO-SUCH"))
    assert not isinstance(error.value, UnreachableError)
    assert "NO-SUCH" in str(error.value)
    assert error.value.fix


def test_only_network_sources_have_a_url_and_a_cache_key(feed):
    assert (feed.url() is None) == (feed.cache_key is None)


def test_the_origin_does_not_depend_on_the_machine(feed, tmp_path):
    assert feed.origin("BTC-USD")
    assert str(tmp_path) not in feed.origin("BTC-USD")
    assert feed.location("BTC-USD")


@pytest.mark.parametrize("name", ["yahoo", "ccxt"])
def test_a_server_that_does_not_listen_is_unreachable(name, tmp_path):
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
    clients = ClientSettings(
        timeout_s=1.0,
        retry_pauses_s=(0.01,),
        yahoo_url=url,
        exchange_options={"urls": {"api": {"public": f"{url}/api"}}},
    )
    gone = create_source(SOURCES[name], manifest_folder=tmp_path, home=tmp_path, clients=clients)
    with pytest.raises(UnreachableError):
        require_reachable(first_hop(gone.url()))
    with pytest.raises(UnreachableError):
        gone.fetch(request())


@pytest.mark.parametrize("name", ["yahoo", "ccxt"])
@pytest.mark.parametrize("fault", [429, 500, "hang"])
def test_a_server_that_keeps_failing_is_unreachable(
    name, fault, tmp_path, clients, yahoo, bitstamp
):
    for served in (yahoo, bitstamp):
        served.faulty, served.faults = "", [fault] * 40
    quick = replace(clients, timeout_s=0.3)
    failing = create_source(SOURCES[name], manifest_folder=tmp_path, home=tmp_path, clients=quick)
    with pytest.raises(UnreachableError) as error:
        failing.fetch(request())
    assert error.value.found


@pytest.mark.parametrize("name", ["yahoo", "ccxt"])
@pytest.mark.parametrize("fault", [429, 500])
def test_a_server_that_fails_once_is_retried(name, fault, tmp_path, clients, yahoo, bitstamp):
    (yahoo.faulty, yahoo.faults) = ("/v8/", [fault] * 2)
    (bitstamp.faulty, bitstamp.faults) = ("/ohlc/", [fault] * 2)
    feed = create_source(SOURCES[name], manifest_folder=tmp_path, home=tmp_path, clients=clients)
    assert len(feed.fetch(request())) == COUNT
