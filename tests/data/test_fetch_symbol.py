"""What a feed is asked for, and what is kept of its answer."""

from __future__ import annotations

import threading

import numpy as np
import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, UnreachableError
from engine.data.bars import normalise_bars
from engine.data.config import BundledSourceSpec, Dataset
from engine.data.context import DataContext
from engine.data.fetch.symbol import TAIL_OVERLAP_BARS, SymbolFetchTask, run_fetch_task
from engine.data.quality.gate import QualityGate, QualityLog
from engine.data.sources.base import BarSource
from engine.data.sources.client_settings import ClientSettings
from engine.data.store import cache
from engine.data.store.cache import CacheKey

START = pd.Timestamp("2024-01-01", tz="UTC")
DAY = pd.Timedelta(days=1)


class Local(BarSource):
    """A feed whose bars the test changes; it notes from when on it was asked."""

    cache_key = "local"
    label = "local"

    def __init__(self, *, appends: bool) -> None:
        self.append_only = appends
        self.bars = bars(300)
        self.asked: list[pd.Timestamp | None] = []

    def ticker(self, symbol):
        return symbol

    def origin(self, symbol):
        return f"local {symbol}"

    def location(self, symbol):
        return f"{symbol} of local"

    def url(self):
        return None

    def fetch(self, request):
        self.asked.append(request.since)
        stamps, since = self.bars["timestamp"], request.since or START
        return self.bars[(stamps >= since) & (stamps < request.now)]


def bars(count):
    raw = pd.DataFrame({"timestamp": START + DAY * np.arange(count)})
    raw["open"] = raw["close"] = 100.0 + np.arange(count)
    raw["high"], raw["low"], raw["volume"] = raw["open"] + 1, raw["open"] - 1, 50.0
    return normalise_bars(raw, "X")


@pytest.fixture
def feed():
    return Local(appends=True)


@pytest.fixture
def order(tmp_path, told):
    """A pull of the feed on a day of the year."""
    spec = BundledSourceSpec(symbols={"X": "sp500"})
    dataset = Dataset(name="x", interval="1d", calendar="24/7", symbols=("X",), sources=(spec,))

    def made(feed, day, *, ask="missing", since=None, connect=lambda: None):
        now = START + DAY * day
        access = DataContext(tmp_path, True, now, told, ClientSettings(), fetch_mode=ask)

        def require(given):
            QualityGate("24/7", {}, now, QualityLog()).validate(given, "1d", "here")

        return run_fetch_task(
            SymbolFetchTask(feed, "X", dataset, access, since, now, require, connect)
        )

    return made


def held(tmp_path):
    return cache.read_cache(tmp_path, CacheKey("local", "X", "1d"), "X")


class TestRequests:
    def test_all_bars_at_first_and_then_the_overlapping_tail(self, feed, order):
        order(feed, 200)
        pulled = order(feed, 203)
        assert feed.asked == [None, START + DAY * (200 - TAIL_OVERLAP_BARS)]
        assert len(pulled.bars) == 203
        assert pulled.stored.latest_vintage.extended_by == 3

    def test_no_request_while_no_bar_can_have_ended(self, feed, order):
        order(feed, 200)

        def connect():
            pytest.fail("the feed was connected to")

        assert order(feed, 200.9, connect=connect).queried is False
        assert feed.asked == [None]

    def test_the_fetch_mode_forces_a_tail_or_all_bars(self, feed, order):
        order(feed, 200)
        order(feed, 200.5, ask="tail")
        order(feed, 200.6, ask="all")
        assert feed.asked == [None, START + DAY * (200 - TAIL_OVERLAP_BARS), None]

    def test_adjusted_prices_are_not_requested_again_before_a_bar_ends(self, order):
        feed = Local(appends=False)
        for day, ask in ((200, "tail"), (200.5, "tail"), (200.6, "all"), (201, "tail")):
            order(feed, day, ask=ask)
        assert len(feed.asked) == 3

    def test_all_bars_where_the_overlap_differs(self, feed, order):
        order(feed, 200)
        feed.bars.loc[[20, 150], "volume"] = 7.0
        revision = order(feed, 201).stored.latest_vintage.revision
        assert feed.asked[-2:] == [START + DAY * (200 - TAIL_OVERLAP_BARS), None]
        assert revision.changed == 2

    @pytest.mark.parametrize("spoil", ["gone", "shuffled", "empty"])
    def test_all_bars_where_the_tail_cannot_be_compared(self, feed, order, spoil, monkeypatch):
        order(feed, 200)
        whole, fetch = feed.bars, feed.fetch
        tails = {
            "gone": whole.drop(index=200 - TAIL_OVERLAP_BARS),
            "shuffled": whole.iloc[::-1],
            "empty": whole.iloc[:0],
        }

        def spoiled(request):
            feed.bars = tails[spoil] if request.since else whole
            return fetch(request)

        monkeypatch.setattr(feed, "fetch", spoiled)
        assert len(order(feed, 201).bars) == 201
        assert feed.asked[-1] is None

    def test_all_bars_each_time_where_prices_are_adjusted(self, order):
        feed = Local(appends=False)
        order(feed, 200)
        order(feed, 201)
        assert feed.asked == [None, None]

    def test_bars_from_an_earlier_start(self, feed, order):
        order(feed, 200, since=START + DAY * 50)
        pulled = order(feed, 200.5, since=START + DAY * 10)
        assert feed.asked == [START + DAY * 50, START + DAY * 10]
        assert (pulled.stored.latest_vintage.extended_by, len(pulled.bars)) == (40, 190)

    def test_bars_from_the_earlier_start_where_a_later_one_is_wanted(self, order):
        feed = Local(appends=False)
        order(feed, 200, since=START + DAY * 10)
        pulled = order(feed, 201, since=START + DAY * 50)
        assert feed.asked == [START + DAY * 10] * 2
        assert len(pulled.bars) == 191


class TestCached:
    def test_invalid_bars_leave_the_cache_unchanged(self, feed, order, tmp_path):
        order(feed, 200)
        before = held(tmp_path)
        feed.bars.loc[150, "low"] = 0.0
        with pytest.raises(InvalidBarsError):
            order(feed, 201)
        assert held(tmp_path).vintages == before.vintages
        assert held(tmp_path).fetched_at == before.fetched_at

    def test_unsorted_bars_are_validated_before_sorting(self, feed, order, tmp_path):
        feed.bars = feed.bars.iloc[::-1]
        with pytest.raises(InvalidBarsError, match="come after a later bar"):
            order(feed, 200)
        assert held(tmp_path) is None

    def test_a_duplicated_bar_is_an_error(self, feed, order, tmp_path):
        order(feed, 200)
        feed.bars = pd.concat([feed.bars.iloc[:199], feed.bars.iloc[198:]], ignore_index=True)
        with pytest.raises(InvalidBarsError, match="repeat another bar"):
            order(feed, 201)
        assert len(held(tmp_path).bars) == 200

    def test_a_failing_source_leaves_the_cache_unchanged(self, feed, order, tmp_path):
        order(feed, 200)

        def connect():
            raise UnreachableError("gone")

        with pytest.raises(UnreachableError):
            order(feed, 201, connect=connect)
        assert len(held(tmp_path).bars) == 200


def test_a_waiting_fetch_uses_the_bars_that_the_other_one_cached(feed, order, tmp_path, told):
    started, released = threading.Event(), threading.Event()
    fetch = feed.fetch

    def slowly(request):
        started.set()
        assert released.wait(10)
        return fetch(request)

    feed.fetch = slowly
    first = threading.Thread(target=order, args=(feed, 200))
    first.start()
    assert started.wait(10)
    other = Local(appends=True)
    found = []
    second = threading.Thread(target=lambda: found.append(order(other, 200)))
    second.start()
    released.set()
    for thread in (first, second):
        thread.join(10)
    assert len(found[0].bars) == 200
    assert other.asked == []
    assert told.notices == []
    assert len(held(tmp_path).vintages) == 1
