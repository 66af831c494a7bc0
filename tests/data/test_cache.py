"""What is kept of pulled bars, whatever happens to the files and the processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from operator import attrgetter

import numpy as np
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest

from engine.core.errors import DataError, UnreachableError
from engine.data.bars import normalise_bars
from engine.data.store import cache
from engine.data.store.cache import CacheKey, DamagedCacheFile
from engine.data.store.file_lock import exclusive_lock
from engine.data.store.vintages import VersionedBars

KEY = CacheKey("ccxt bitstamp", "BTC/USD", "1d")
PULLED = pd.Timestamp("2020-01-11 09:00", tz="UTC")
LATER = PULLED + pd.Timedelta(days=1)


def bars(count=10, *, start=100.0):
    raw = pd.DataFrame({"timestamp": pd.date_range("2020-01-01", periods=count)})
    raw["open"] = raw["close"] = start
    raw["high"], raw["low"], raw["volume"] = start + 1, start - 1, 5.0
    return normalise_bars(raw, "X")


def made(count=10, *, start=100.0, since=None, pulled=PULLED):
    return VersionedBars.from_first_fetch(bars(count, start=start), since, pulled)


def revised():
    return made().merge(bars(11, start=90.0), None, LATER)


def same(one, other):
    pd.testing.assert_frame_equal(one.bars, other.bars)
    pd.testing.assert_frame_equal(one.superseded.bars, other.superseded.bars)
    for part in (
        attrgetter("known_since"),
        attrgetter("superseded.known_since"),
        attrgetter("superseded.known_until"),
    ):
        np.testing.assert_array_equal(part(one), part(other), strict=True)
    assert (one.vintages, one.requested_since, one.fetched_at) == (
        other.vintages,
        other.requested_since,
        other.fetched_at,
    )


@pytest.mark.parametrize(
    "kept", [made(since=pd.Timestamp("2020-01-01", tz="UTC")), revised()], ids=["one", "revised"]
)
def test_what_was_written_is_read(tmp_path, kept):
    cache.write_cache(tmp_path, KEY, kept)
    same(cache.read_cache(tmp_path, KEY, "X"), kept)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, source="ccxt kraken"),
        replace(KEY, ticker="BTC-USD"),
        replace(KEY, ticker="BTCUSD"),
        replace(KEY, interval="1h"),
    ],
)
def test_bars_of_another_feed_symbol_or_interval_are_never_read(tmp_path, other):
    cache.write_cache(tmp_path, KEY, made())
    assert cache.read_cache(tmp_path, other, "X") is None
    assert other.path(tmp_path) != KEY.path(tmp_path)


def test_a_file_in_the_place_of_another_key_is_not_believed(tmp_path):
    cache.write_cache(tmp_path, KEY, made())
    other = replace(KEY, ticker="btc/usd")
    os.renames(KEY.path(tmp_path), other.path(tmp_path))
    found = cache.read_cache(tmp_path, other, "X")
    assert isinstance(found, DamagedCacheFile)
    assert found.reason == "these are bars of ccxt bitstamp BTC/USD 1d"


@pytest.mark.parametrize("symbol", ["^GSPC", "BTC/USD:USD", "../../up", "a b", "%", "CON"])
def test_any_symbol_has_a_file_within_the_cache(tmp_path, symbol):
    key = replace(KEY, ticker=symbol)
    cache.write_cache(tmp_path, key, made())
    assert key.path(tmp_path).resolve().parent.parent == (tmp_path / "bars").resolve()
    assert len(cache.read_cache(tmp_path, key, "X").bars) == 10


class TestDamage:
    @pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" * 100])
    def test_a_file_that_was_cut_off_or_overwritten_is_damaged(self, tmp_path, damage):
        cache.write_cache(tmp_path, KEY, made())
        KEY.path(tmp_path).write_bytes(damage)
        assert isinstance(cache.read_cache(tmp_path, KEY, "X"), DamagedCacheFile)

    def test_wherever_a_bit_flips_no_other_values_are_read(self, tmp_path):
        kept = made(500)
        kept.bars["close"] = np.random.default_rng(1).normal(100, 1, 500)
        cache.write_cache(tmp_path, KEY, kept)
        path = KEY.path(tmp_path)
        sound = path.read_bytes()
        noticed = 0
        footer = len(sound) - 8 - int.from_bytes(sound[-8:-4], "little")
        for place in range(4, footer, 151):
            path.write_bytes(sound[:place] + bytes([sound[place] ^ 16]) + sound[place + 1 :])
            found = cache.read_cache(tmp_path, KEY, "X")
            # A page's own description may change without any of its values.
            if not isinstance(found, DamagedCacheFile):
                pd.testing.assert_frame_equal(found.bars, kept.bars, check_exact=True)
            noticed += isinstance(found, DamagedCacheFile)
        assert noticed > 40

    def test_a_failed_write_leaves_the_earlier_bars_and_no_litter(self, tmp_path):
        cache.write_cache(tmp_path, KEY, made())
        unwritable = replace(made(), bars=pd.DataFrame({"symbol": ["X"], "open": [object()]}))
        with pytest.raises(Exception, match=r"object|length"):
            cache.write_cache(tmp_path, KEY, unwritable)
        assert len(cache.read_cache(tmp_path, KEY, "X").bars) == 10
        assert len(list(KEY.path(tmp_path).parent.iterdir())) == 1

    def test_a_folder_that_cannot_be_made_is_a_data_error_that_says_what_to_do(self, tmp_path):
        (tmp_path / "bars").write_text("in the way")
        with pytest.raises(DataError, match="cannot be stored") as error:
            cache.write_cache(tmp_path, KEY, made())
        assert "BACKTEST_HOME" in error.value.fix
        with (
            pytest.raises(DataError, match="cannot be stored"),
            cache.fetch_lock(tmp_path, KEY, pytest.fail),
        ):
            pass


def test_a_file_of_the_first_format_is_the_first_vintage(tmp_path):
    note = {
        "key": [KEY.source, KEY.ticker, KEY.interval],
        "since": "2020-01-01T00:00:00+00:00",
        "pulled": PULLED.isoformat(),
    }
    table = pyarrow.Table.from_pandas(bars(), preserve_index=False)
    table = table.replace_schema_metadata(
        {**table.schema.metadata, b"backtest": json.dumps(note).encode()}
    )
    KEY.path(tmp_path).parent.mkdir(parents=True)
    pyarrow.parquet.write_table(table, KEY.path(tmp_path))
    same(cache.read_cache(tmp_path, KEY, "X"), made(since=pd.Timestamp("2020-01-01", tz="UTC")))


WRITER = """
import sys
from pathlib import Path
from engine.data.store import cache
home, key = Path(sys.argv[1]), cache.CacheKey(*sys.argv[2:5])
held = cache.read_cache(home, key, "X")
held.bars[["open", "close"]] = float(sys.argv[5])
print("begun", flush=True)
for _ in range(int(sys.argv[6])):
    cache.write_cache(home, key, held)
"""


def writer(home, value, count):
    arguments = [str(home), KEY.source, KEY.ticker, KEY.interval, value, str(count)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_reader_beside_two_writers_never_sees_half_a_file(tmp_path):
    cache.write_cache(tmp_path, KEY, made(400))
    writers = [writer(tmp_path, at, 20) for at in ("200", "300")]
    read = []
    while any(each.poll() is None for each in writers):
        read.append(cache.read_cache(tmp_path, KEY, "BTC/USD"))
    for each in writers:
        each.communicate()
    assert [each.returncode for each in writers] == [0, 0]
    assert {found.bars["open"].nunique() for found in read} == {1}
    assert len({found.bars["open"].iloc[0] for found in read}) > 1


@pytest.mark.slow
def test_a_writer_killed_at_any_time_leaves_whole_bars_and_its_litter_is_swept(tmp_path):
    cache.write_cache(tmp_path, KEY, made(20_000))
    folder = KEY.path(tmp_path).parent
    for wait in (0.0, 0.003, 0.007, 0.012):
        with writer(tmp_path, "200", 1_000_000) as each:
            each.stdout.readline()
            time.sleep(wait)
            os.kill(each.pid, signal.SIGKILL)
        assert len(cache.read_cache(tmp_path, KEY, "X").bars) == 20_000
    (folder / f".{KEY.path(tmp_path).name}.0123.tmp").write_bytes(b"half")
    with cache.fetch_lock(tmp_path, KEY, pytest.fail):
        pass
    assert sorted(path.suffix for path in folder.iterdir()) == [".lock", ".parquet"]


HOLDER = """
import sys, time
from pathlib import Path
from engine.data.store.file_lock import exclusive_lock
with exclusive_lock(Path(sys.argv[1]), print):
    print("held", flush=True)
    time.sleep(60)
"""


class TestLock:
    @pytest.fixture
    def holder(self, tmp_path):
        with subprocess.Popen(
            [sys.executable, "-c", HOLDER, str(tmp_path / "lock")],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout.readline() == "held\n"
            yield process
            process.kill()

    def test_who_waits_in_vain_is_told_for_whom(self, tmp_path, holder):
        told = []
        with (
            pytest.raises(UnreachableError, match=f"process {holder.pid} has been pulling"),
            exclusive_lock(tmp_path / "lock", told.append, timeout_s=1.3),
        ):
            pass
        assert told == [f"process {holder.pid}"]

    def test_the_lock_of_a_killed_process_blocks_nobody(self, tmp_path, holder):
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        began = time.monotonic()
        with exclusive_lock(tmp_path / "lock", pytest.fail):
            assert time.monotonic() - began < 0.5

    def test_a_file_that_was_left_behind_is_no_lock(self, tmp_path):
        (tmp_path / "lock").write_text("1")
        with exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0):
            pass

    def test_it_is_free_again_after_a_failure(self, tmp_path):
        with pytest.raises(KeyError), exclusive_lock(tmp_path / "lock", pytest.fail):
            raise KeyError
        with exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0):
            pass

    def test_two_threads_of_one_process_keep_apart(self, tmp_path):
        with (
            exclusive_lock(tmp_path / "lock", pytest.fail),
            pytest.raises(UnreachableError),
            exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0),
        ):
            pass
