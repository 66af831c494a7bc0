"""The cache of pulled bars under damage, concurrent processes and kills."""

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

from engine.core.errors import StorageError, UnreachableError
from engine.data.store import cache
from engine.data.store.cache import CacheKey, DamagedCacheFile
from engine.data.store.file_lock import exclusive_lock
from engine.data.store.vintages import VersionedBars
from tests.data.factories import DAY, START, daily_bars

KEY = CacheKey("ccxt bitstamp", "BTC/USD", "1d")
PULLED = START + 10.4 * DAY
LATER = PULLED + DAY


def first_vintage(count=10, *, price=100.0, since=None, pulled=PULLED):
    return VersionedBars.from_first_fetch(daily_bars(count, price=price, slope=0.0), since, pulled)


def second_vintage():
    return first_vintage().merge(daily_bars(11, price=90.0, slope=0.0), None, LATER)


def assert_equal(one, other):
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
    "stored",
    [first_vintage(since=START), second_vintage()],
    ids=["first", "second"],
)
def test_written_bars_are_read_back(tmp_path, stored):
    cache.write_cache(tmp_path, KEY, stored)
    assert_equal(cache.read_cache(tmp_path, KEY, "X"), stored)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, source="ccxt kraken"),
        replace(KEY, ticker="BTC-USD"),
        replace(KEY, ticker="BTCUSD"),
        replace(KEY, interval="1h"),
    ],
)
def test_bars_of_another_source_symbol_or_interval_are_never_read(tmp_path, other):
    cache.write_cache(tmp_path, KEY, first_vintage())
    assert cache.read_cache(tmp_path, other, "X") is None
    assert other.path(tmp_path) != KEY.path(tmp_path)


def test_a_file_under_another_keys_name_is_damaged(tmp_path):
    cache.write_cache(tmp_path, KEY, first_vintage())
    other = replace(KEY, ticker="btc/usd")
    os.renames(KEY.path(tmp_path), other.path(tmp_path))
    cached = cache.read_cache(tmp_path, other, "X")
    assert isinstance(cached, DamagedCacheFile)
    assert cached.reason == "these are bars of ccxt bitstamp BTC/USD 1d"


@pytest.mark.parametrize("symbol", ["^GSPC", "BTC/USD:USD", "../../up", "a b", "%", "CON"])
def test_every_symbol_has_a_file_within_the_cache(tmp_path, symbol):
    key = replace(KEY, ticker=symbol)
    cache.write_cache(tmp_path, key, first_vintage())
    assert key.path(tmp_path).resolve().parent.parent == (tmp_path / "bars").resolve()
    assert len(cache.read_cache(tmp_path, key, "X").bars) == 10


class TestDamage:
    @pytest.mark.parametrize("damage", [b"", b"PAR1", b"PAR1" * 100])
    def test_a_truncated_or_overwritten_file_is_damaged(self, tmp_path, damage):
        cache.write_cache(tmp_path, KEY, first_vintage())
        KEY.path(tmp_path).write_bytes(damage)
        assert isinstance(cache.read_cache(tmp_path, KEY, "X"), DamagedCacheFile)

    def test_a_flipped_bit_never_changes_the_values_read(self, tmp_path):
        stored = first_vintage(500)
        stored.bars["close"] = np.random.default_rng(1).normal(100, 1, 500)
        cache.write_cache(tmp_path, KEY, stored)
        path = KEY.path(tmp_path)
        undamaged = path.read_bytes()
        detected = 0
        footer = len(undamaged) - 8 - int.from_bytes(undamaged[-8:-4], "little")
        for index in range(4, footer, 151):
            path.write_bytes(
                undamaged[:index] + bytes([undamaged[index] ^ 16]) + undamaged[index + 1 :]
            )
            cached = cache.read_cache(tmp_path, KEY, "X")
            # A flipped bit in a page's header may leave its values unchanged.
            if not isinstance(cached, DamagedCacheFile):
                pd.testing.assert_frame_equal(cached.bars, stored.bars, check_exact=True)
            detected += isinstance(cached, DamagedCacheFile)
        assert detected > 40

    def test_a_failed_write_leaves_the_earlier_bars_and_no_other_file(self, tmp_path):
        cache.write_cache(tmp_path, KEY, first_vintage())
        unwritable = replace(
            first_vintage(), bars=pd.DataFrame({"symbol": ["X"], "open": [object()]})
        )
        with pytest.raises(Exception, match=r"object|length"):
            cache.write_cache(tmp_path, KEY, unwritable)
        assert len(cache.read_cache(tmp_path, KEY, "X").bars) == 10
        assert len(list(KEY.path(tmp_path).parent.iterdir())) == 1

    def test_a_folder_that_cannot_be_created_is_an_error_with_a_fix(self, tmp_path):
        (tmp_path / "bars").write_text("in the way")
        with pytest.raises(StorageError, match="cannot be stored") as error:
            cache.write_cache(tmp_path, KEY, first_vintage())
        assert "BACKTEST_HOME" in error.value.fix
        with (
            pytest.raises(StorageError, match="cannot be stored"),
            cache.fetch_lock(tmp_path, KEY, pytest.fail),
        ):
            pass


def test_a_file_of_the_first_format_is_read_as_the_first_vintage(tmp_path):
    note = {
        "key": [KEY.source, KEY.ticker, KEY.interval],
        "since": START.isoformat(),
        "pulled": PULLED.isoformat(),
    }
    table = pyarrow.Table.from_pandas(daily_bars(10, slope=0.0), preserve_index=False)
    table = table.replace_schema_metadata(
        {**table.schema.metadata, b"backtest": json.dumps(note).encode()}
    )
    KEY.path(tmp_path).parent.mkdir(parents=True)
    pyarrow.parquet.write_table(table, KEY.path(tmp_path))
    assert_equal(
        cache.read_cache(tmp_path, KEY, "X"),
        first_vintage(since=START),
    )


WRITER = """
import sys
from pathlib import Path
from engine.data.store import cache
home, key = Path(sys.argv[1]), cache.CacheKey(*sys.argv[2:5])
stored = cache.read_cache(home, key, "X")
stored.bars[["open", "close"]] = float(sys.argv[5])
print("begun", flush=True)
for _ in range(int(sys.argv[6])):
    cache.write_cache(home, key, stored)
"""


def writer(home, value, count):
    arguments = [str(home), KEY.source, KEY.ticker, KEY.interval, value, str(count)]
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, *arguments], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_a_reader_never_sees_the_unfinished_file_of_two_writers(tmp_path):
    cache.write_cache(tmp_path, KEY, first_vintage(400))
    writers = [writer(tmp_path, at, 60) for at in ("200", "300")]
    seen = [cache.read_cache(tmp_path, KEY, "BTC/USD")]
    while any(each.poll() is None for each in writers):
        seen.append(cache.read_cache(tmp_path, KEY, "BTC/USD"))
    for each in writers:
        each.communicate()
    seen.append(cache.read_cache(tmp_path, KEY, "BTC/USD"))  # theirs, however slow the reader is
    assert [each.returncode for each in writers] == [0, 0]
    assert {cached.bars["open"].nunique() for cached in seen} == {1}
    assert len({cached.bars["open"].iloc[0] for cached in seen}) > 1


@pytest.mark.slow
def test_a_killed_writer_leaves_complete_bars_and_its_draft_is_deleted(tmp_path):
    cache.write_cache(tmp_path, KEY, first_vintage(20_000))
    folder = KEY.path(tmp_path).parent
    for wait in (0.0, 0.003, 0.007, 0.012):
        with writer(tmp_path, "200", 1_000_000) as each:
            each.stdout.readline()
            time.sleep(wait)
            os.kill(each.pid, signal.SIGKILL)
        assert len(cache.read_cache(tmp_path, KEY, "X").bars) == 20_000
    (folder / f".{KEY.path(tmp_path).name}.0123.draft").write_bytes(b"half")
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

    @pytest.mark.slow
    def test_a_lock_that_times_out_names_its_holder(self, tmp_path, holder):
        holders = []
        with (
            pytest.raises(UnreachableError, match=f"process {holder.pid} has been pulling"),
            exclusive_lock(tmp_path / "lock", holders.append, timeout_s=1.3),
        ):
            pass
        assert holders == [f"process {holder.pid}"]

    @pytest.mark.slow
    def test_the_lock_of_a_killed_process_is_released(self, tmp_path, holder):
        os.kill(holder.pid, signal.SIGKILL)
        holder.wait()
        began = time.monotonic()
        with exclusive_lock(tmp_path / "lock", pytest.fail):
            assert time.monotonic() - began < 0.5

    def test_a_leftover_lock_file_does_not_block(self, tmp_path):
        (tmp_path / "lock").write_text("1")
        with exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0):
            pass

    def test_the_lock_is_released_after_an_exception(self, tmp_path):
        with pytest.raises(KeyError), exclusive_lock(tmp_path / "lock", pytest.fail):
            raise KeyError
        with exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0):
            pass

    def test_two_holders_in_one_process_exclude_each_other(self, tmp_path):
        with (
            exclusive_lock(tmp_path / "lock", pytest.fail),
            pytest.raises(UnreachableError),
            exclusive_lock(tmp_path / "lock", pytest.fail, timeout_s=0.0),
        ):
            pass
