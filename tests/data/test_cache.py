from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace

import pandas as pd
import pytest

from engine.data import cache
from engine.data.bars import normalise
from engine.data.cache import Cached, Key

KEY = Key("ccxt bitstamp", "BTC/USD", "1d")
PULLED = pd.Timestamp("2020-01-11 09:00", tz="UTC")


def made(count=10, *, start=100.0, key=KEY, since=None, pulled=PULLED):
    raw = pd.DataFrame({"timestamp": pd.date_range("2020-01-01", periods=count)})
    raw["open"] = raw["close"] = start
    raw["high"], raw["low"], raw["volume"] = start + 1, start - 1, 5.0
    return Cached(normalise(raw, key.ticker), since, pulled)


def test_what_was_written_is_read(tmp_path):
    kept = made(since=pd.Timestamp("2020-01-01", tz="UTC"))
    cache.write(tmp_path, KEY, kept)
    found = cache.read(tmp_path, KEY, "BTC/USD")
    pd.testing.assert_frame_equal(found.bars, kept.bars)
    assert (found.since, found.pulled) == (kept.since, kept.pulled)


@pytest.mark.parametrize(
    "other",
    [
        replace(KEY, feed="ccxt kraken"),
        replace(KEY, ticker="BTC-USD"),
        replace(KEY, ticker="BTCUSD"),
        replace(KEY, interval="1h"),
    ],
)
def test_bars_of_another_feed_symbol_or_interval_are_never_read(tmp_path, other):
    cache.write(tmp_path, KEY, made())
    assert cache.read(tmp_path, other, "X") is None
    assert other.path(tmp_path) != KEY.path(tmp_path)


def test_a_file_in_the_place_of_another_key_is_not_believed(tmp_path):
    cache.write(tmp_path, KEY, made())
    other = replace(KEY, ticker="btc/usd")
    os.renames(KEY.path(tmp_path), other.path(tmp_path))
    assert cache.read(tmp_path, other, "X") is None


@pytest.mark.parametrize("symbol", ["^GSPC", "BTC/USD:USD", "../../up", "a b", "%", "CON"])
def test_any_symbol_has_a_file_within_the_cache(tmp_path, symbol):
    key = replace(KEY, ticker=symbol)
    cache.write(tmp_path, key, made(key=key))
    assert key.path(tmp_path).resolve().parent.parent == (tmp_path / "bars").resolve()
    assert len(cache.read(tmp_path, key, "X").bars) == 10


@pytest.mark.parametrize("damage", [b"", b"PAR1", None])
def test_a_damaged_file_counts_as_none(tmp_path, damage):
    cache.write(tmp_path, KEY, made())
    path = KEY.path(tmp_path)
    path.write_bytes(path.read_bytes()[:-40] if damage is None else damage)
    assert cache.read(tmp_path, KEY, "BTC/USD") is None


def test_a_failed_write_leaves_the_earlier_bars_and_no_litter(tmp_path):
    cache.write(tmp_path, KEY, made())
    unwritable = replace(made(), bars=pd.DataFrame({"timestamp": [object()]}))
    with pytest.raises(Exception, match="object"):
        cache.write(tmp_path, KEY, unwritable)
    assert len(cache.read(tmp_path, KEY, "BTC/USD").bars) == 10
    assert len(list(KEY.path(tmp_path).parent.iterdir())) == 1


@pytest.mark.parametrize(
    ("until", "current"),
    [
        # The last bar is that of 2020-01-10, pulled on the 11th at 9:00.
        ("2020-01-11 23:59", True),
        ("2020-01-12 00:00", False),
        ("2020-01-09 00:00", True),
    ],
)
def test_bars_are_current_until_the_next_one_has_finished(until, current):
    assert made().is_current("1d", pd.Timestamp(until, tz="UTC")) is current


def test_over_a_weekend_bars_are_current_for_a_day_after_each_pull():
    monday_noon = pd.Timestamp("2020-01-13 12:00", tz="UTC")
    kept = made(pulled=monday_noon)
    assert kept.is_current("1d", monday_noon + pd.Timedelta(hours=11))
    assert not kept.is_current("1d", monday_noon + pd.Timedelta(hours=12))


def test_bars_reach_back_as_far_as_was_asked_for():
    day, later = pd.Timestamp("2020-01-01", tz="UTC"), pd.Timestamp("2020-02-01", tz="UTC")
    assert made(since=None).reaches_back(None)
    assert made(since=None).reaches_back(day)
    assert made(since=day).reaches_back(later)
    assert not made(since=later).reaches_back(day)
    assert not made(since=day).reaches_back(None)


WRITER = """
import sys
from pathlib import Path
from engine.data import cache
home, key = Path(sys.argv[1]), cache.Key(*sys.argv[2:5])
held = cache.read(home, key, "X")
held.bars[["open", "close"]] = float(sys.argv[5])
for _ in range(20):
    cache.write(home, key, held)
"""


def test_a_reader_beside_two_writers_never_sees_half_a_file(tmp_path):
    cache.write(tmp_path, KEY, made(400))
    arguments = [str(tmp_path), KEY.feed, KEY.ticker, KEY.interval]
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, *arguments, at]) for at in ("200", "300")
    ]
    read = []
    while any(writer.poll() is None for writer in writers):
        read.append(cache.read(tmp_path, KEY, "BTC/USD"))
    assert [writer.returncode for writer in writers] == [0, 0]
    assert None not in read
    assert {found.bars["open"].nunique() for found in read} == {1}
    assert len({found.bars["open"].iloc[0] for found in read}) > 1
