"""What is requested from a source for one symbol, and what the cache keeps of it."""

from __future__ import annotations

import errno
import threading
from pathlib import Path

import pandas as pd
import pytest

from engine.core.errors import InvalidBarsError, StorageError, UnreachableError
from engine.data.bundled_config import BundledSourceSpec
from engine.data.config import Dataset
from engine.data.context import DataContext
from engine.data.fetch.symbol import TAIL_OVERLAP_BARS, SymbolFetchTask, run_fetch_task
from engine.data.quality.gate import QualityGate, QualityLog
from engine.data.sources.base import BarSource
from engine.data.sources.client_settings import ClientSettings
from engine.data.store import cache
from engine.data.store.cache import CacheKey
from tests.data.factories import DAY, START, daily_bars


class ScriptedSource(BarSource):
    """A source whose bars the test changes; it records the start of each request."""

    cache_key = "scripted"
    label = "scripted"

    def __init__(self, *, appends: bool) -> None:
        self.append_only = appends
        self.bars = daily_bars(300)
        self.requests: list[pd.Timestamp | None] = []

    def ticker(self, symbol):
        return symbol

    def origin(self, symbol):
        return f"scripted {symbol}"

    def location(self, symbol):
        return f"{symbol} of scripted"

    def url(self):
        return None

    def fetch(self, request):
        self.requests.append(request.since)
        stamps, since = self.bars["timestamp"], request.since or START
        return self.bars[(stamps >= since) & (stamps < request.now)]


@pytest.fixture
def source():
    return ScriptedSource(appends=True)


@pytest.fixture
def fetch(tmp_path, progress):
    """Fetches the source's bars on a day of the year."""
    spec = BundledSourceSpec(symbols={"X": "sp500"})
    dataset = Dataset(name="x", interval="1d", calendar="24/7", symbols=("X",), sources=(spec,))

    def run(source, day, *, mode="missing", since=None, connect=lambda: None):
        now = START + DAY * day
        context = DataContext(tmp_path, True, now, progress, ClientSettings(), fetch_mode=mode)

        def require_valid(checked):
            QualityGate("24/7", {}, now, QualityLog()).validate(checked, "1d", "here")

        return run_fetch_task(
            SymbolFetchTask(source, "X", dataset, context, since, now, require_valid, connect)
        )

    return run


def read_stored(tmp_path):
    return cache.read_cache(tmp_path, CacheKey("scripted", "X", "1d"), "X")


class TestRequests:
    def test_all_bars_at_first_and_then_the_overlapping_tail(self, source, fetch):
        fetch(source, 200)
        result = fetch(source, 203)
        assert source.requests == [None, START + DAY * (200 - TAIL_OVERLAP_BARS)]
        assert len(result.bars) == 203
        assert result.stored.latest_vintage.extended_by == 3

    def test_no_request_while_no_bar_can_have_ended(self, source, fetch):
        fetch(source, 200)

        def connect():
            pytest.fail("the source was connected")

        assert fetch(source, 200.9, connect=connect).queried is False
        assert source.requests == [None]

    def test_the_fetch_mode_forces_a_tail_or_all_bars(self, source, fetch):
        fetch(source, 200)
        fetch(source, 200.5, mode="tail")
        fetch(source, 200.6, mode="all")
        assert source.requests == [None, START + DAY * (200 - TAIL_OVERLAP_BARS), None]

    def test_adjusted_prices_are_not_requested_again_before_a_bar_ends(self, fetch):
        source = ScriptedSource(appends=False)
        for day, mode in ((200, "tail"), (200.5, "tail"), (200.6, "all"), (201, "tail")):
            fetch(source, day, mode=mode)
        assert len(source.requests) == 3

    def test_all_bars_where_the_overlap_differs(self, source, fetch):
        fetch(source, 200)
        source.bars.loc[[20, 150], "volume"] = 7.0
        revision = fetch(source, 201).stored.latest_vintage.revision
        assert source.requests[-2:] == [START + DAY * (200 - TAIL_OVERLAP_BARS), None]
        assert revision.changed == 2

    @pytest.mark.parametrize("defect", ["shortened", "shuffled", "empty"])
    def test_all_bars_where_the_tail_cannot_be_compared(self, source, fetch, defect, monkeypatch):
        fetch(source, 200)
        complete, deliver = source.bars, source.fetch
        tails = {
            "shortened": complete.drop(index=200 - TAIL_OVERLAP_BARS),
            "shuffled": complete.iloc[::-1],
            "empty": complete.iloc[:0],
        }

        def deliver_tail(request):
            source.bars = tails[defect] if request.since else complete
            return deliver(request)

        monkeypatch.setattr(source, "fetch", deliver_tail)
        assert len(fetch(source, 201).bars) == 201
        assert source.requests[-1] is None

    def test_all_bars_each_time_where_prices_are_adjusted(self, fetch):
        source = ScriptedSource(appends=False)
        fetch(source, 200)
        fetch(source, 201)
        assert source.requests == [None, None]

    def test_bars_from_an_earlier_start(self, source, fetch):
        fetch(source, 200, since=START + DAY * 50)
        result = fetch(source, 200.5, since=START + DAY * 10)
        assert source.requests == [START + DAY * 50, START + DAY * 10]
        assert (result.stored.latest_vintage.extended_by, len(result.bars)) == (40, 190)

    def test_bars_from_the_earlier_start_where_a_later_one_is_wanted(self, fetch):
        source = ScriptedSource(appends=False)
        fetch(source, 200, since=START + DAY * 10)
        result = fetch(source, 201, since=START + DAY * 50)
        assert source.requests == [START + DAY * 10] * 2
        assert len(result.bars) == 191


class TestCached:
    def test_invalid_bars_leave_the_cache_unchanged(self, source, fetch, tmp_path):
        fetch(source, 200)
        before = read_stored(tmp_path)
        source.bars.loc[150, "low"] = 0.0
        with pytest.raises(InvalidBarsError):
            fetch(source, 201)
        assert read_stored(tmp_path).vintages == before.vintages
        assert read_stored(tmp_path).fetched_at == before.fetched_at

    def test_unsorted_bars_are_validated_before_sorting(self, source, fetch, tmp_path):
        source.bars = source.bars.iloc[::-1]
        with pytest.raises(InvalidBarsError, match="follow a later bar"):
            fetch(source, 200)
        assert read_stored(tmp_path) is None

    def test_a_duplicated_bar_is_an_error(self, source, fetch, tmp_path):
        fetch(source, 200)
        source.bars = pd.concat(
            [source.bars.iloc[:199], source.bars.iloc[198:]], ignore_index=True
        )
        with pytest.raises(InvalidBarsError, match="repeat another bar"):
            fetch(source, 201)
        assert len(read_stored(tmp_path).bars) == 200

    def test_a_failing_source_leaves_the_cache_unchanged(self, source, fetch, tmp_path):
        fetch(source, 200)

        def connect():
            raise UnreachableError("down")

        with pytest.raises(UnreachableError):
            fetch(source, 201, connect=connect)
        assert len(read_stored(tmp_path).bars) == 200


def test_a_waiting_fetch_uses_the_bars_that_the_other_one_cached(
    source, fetch, tmp_path, progress
):
    started, released = threading.Event(), threading.Event()
    deliver = source.fetch

    def slowly(request):
        started.set()
        assert released.wait(10)
        return deliver(request)

    source.fetch = slowly
    first = threading.Thread(target=fetch, args=(source, 200))
    first.start()
    assert started.wait(10)
    other = ScriptedSource(appends=True)
    results = []
    second = threading.Thread(target=lambda: results.append(fetch(other, 200)))
    second.start()
    released.set()
    for thread in (first, second):
        thread.join(10)
    assert len(results[0].bars) == 200
    assert other.requests == []
    assert progress.notices == []
    assert len(read_stored(tmp_path).vintages) == 1


class TestDamage:
    @pytest.mark.parametrize("kind", ["truncated", "garbled", "of another key", "a folder"])
    def test_a_damaged_file_is_kept_beside_the_bars_that_are_pulled_again(
        self, source, fetch, tmp_path, progress, kind
    ):
        whole = fetch(source, 200).bars
        path = CacheKey("scripted", "X", "1d").path(tmp_path)
        content = path.read_bytes()
        damaged = {
            "truncated": content[: len(content) // 2],
            "garbled": bytes(byte ^ 0x5A for byte in content),
        }.get(kind, b"")
        path.unlink()
        if kind == "a folder":
            path.mkdir()
        elif kind == "of another key":
            stored = cache.VersionedBars.from_first_fetch(whole, None, START)
            cache.write_cache(tmp_path, CacheKey("scripted", "Y", "1d"), stored)
            CacheKey("scripted", "Y", "1d").path(tmp_path).rename(path)
            damaged = path.read_bytes()
        else:
            path.write_bytes(damaged)

        again = fetch(source, 200)

        pd.testing.assert_frame_equal(again.bars, whole)
        (kept,) = path.parent.glob("*.damaged")
        assert kept.is_dir() if kind == "a folder" else kept.read_bytes() == damaged
        assert len(read_stored(tmp_path).bars) == 200
        assert progress.notices[-1].startswith("X of scripted: the file of its bars is damaged")
        assert str(kept) in progress.notices[-1]

    def test_a_pull_that_fails_leaves_the_damaged_file_where_it_is(self, source, fetch, tmp_path):
        fetch(source, 200)
        path = CacheKey("scripted", "X", "1d").path(tmp_path)
        path.write_bytes(b"PAR1")

        def connect():
            raise UnreachableError("nobody answers")

        with pytest.raises(UnreachableError):
            fetch(source, 201, connect=connect)
        assert path.read_bytes() == b"PAR1"
        assert not list(path.parent.glob("*.damaged"))


class TestUnreadableCaches:
    def test_a_disk_that_fails_now_does_not_cost_the_earlier_vintages(
        self, fetch, source, tmp_path, monkeypatch
    ):
        fetch(source, 200)
        (file,) = (tmp_path / "bars").rglob("*.parquet")
        before, opened = file.read_bytes(), Path.open

        def fail(path, mode="r", *rest, **options):
            if path == file:
                raise OSError(errno.EIO, "Input/output error", str(path))
            return opened(path, mode, *rest, **options)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", fail)
            with pytest.raises(StorageError, match="cached bars cannot be read") as error:
                fetch(source, 250)
        assert (error.value.where, file.read_bytes()) == (str(file), before)
        assert len(fetch(source, 250).bars) == 250
        assert [path.name for path in file.parent.glob("[!.]*")] == [file.name]
