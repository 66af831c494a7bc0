"""An interrupted fetch resumes where it stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine.core.errors import UnreachableError
from tests.data.sources.exchanges import EXCHANGES, NOON, ExchangeFetcher, at, hours
from tests.servers.local import serve

COUNT = 1_500
PAGE = 50


@pytest.fixture
def fetcher(tmp_path):
    with serve(EXCHANGES["binance"][0]({"BTC/USDT": hours(COUNT)})) as served:
        served.faulty = "klines"
        served.site.largest = PAGE
        yield ExchangeFetcher("binance", served, checkpoint_folder=tmp_path / "unfinished")


def candles_of(fetcher):
    return fetcher.market.books["BTC/USDT"]


def first(fetcher):
    return at(candles_of(fetcher)[0])


def hourly(fetcher):
    """Requests for candles of an hour."""
    return [line for line in fetcher.pages() if "interval=1h" in line]


def interrupt(fetcher, after):
    """Makes a fetch fail after a number of hourly pages."""
    answer, fetcher.pauses_s = fetcher.market.answer, ()

    def failing(path, query):
        if len(hourly(fetcher)) > after:
            fetcher.served.faults = [500]
        return answer(path, query)

    fetcher.market.answer = failing
    with pytest.raises(UnreachableError):
        fetcher.fetch(first(fetcher))
    fetcher.market.answer = answer
    fetcher.served.faults.clear()
    fetcher.served.log.clear()


def checkpoint_files(fetcher):
    return [path for path in fetcher.checkpoint_folder.rglob("*") if path.is_file()]


def assert_complete(bars, expected):
    assert bars["timestamp"].tolist() == [at(candle) for candle in expected]
    assert bars["close"].tolist() == [candle.close for candle in expected]


def test_a_resumed_fetch_requests_the_rest_and_deletes_its_file(fetcher):
    interrupt(fetcher, after=21)
    assert len(checkpoint_files(fetcher)) == 1
    assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))
    # Twenty pages came, the last candle of which is looked at again: ten pages and that one.
    assert len(hourly(fetcher)) <= COUNT // PAGE - 20 + 2
    assert "resumes after" in fetcher.progress.lines[0]
    assert checkpoint_files(fetcher) == []


def test_a_finished_fetch_deletes_the_drafts_of_killed_ones(fetcher):
    interrupt(fetcher, after=21)
    (path,) = checkpoint_files(fetcher)
    other = path.with_name(path.name.replace("USDT", "EUR"))
    drafts = [file.with_name(f".{file.name}.0123.draft") for file in (path, other)]
    for draft in drafts:
        draft.write_bytes(b"half")
    fetcher.fetch(first(fetcher))
    assert checkpoint_files(fetcher) == [drafts[1]]


def test_a_fetch_may_be_interrupted_repeatedly(fetcher):
    for _ in range(3):
        interrupt(fetcher, after=8)
    assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))
    assert len(hourly(fetcher)) < COUNT // PAGE - 12


def test_a_changed_last_candle_restarts_the_fetch(fetcher):
    interrupt(fetcher, after=10)
    expected = candles_of(fetcher)
    expected[:] = [replace(candle, volume=candle.volume + 1.0) for candle in expected]
    bars = fetcher.fetch(first(fetcher))
    assert_complete(bars, expected)
    assert bars["volume"].tolist() == [candle.volume for candle in expected]


def test_another_start_or_interval_does_not_resume(fetcher):
    interrupt(fetcher, after=10)
    later = at(candles_of(fetcher)[700])
    assert_complete(fetcher.fetch(later), candles_of(fetcher)[700:])
    assert fetcher.progress.lines == []


@pytest.mark.parametrize("spoil", ["old", "damaged"])
def test_an_old_or_damaged_checkpoint_is_not_resumed(fetcher, spoil):
    interrupt(fetcher, after=10)
    (path,) = checkpoint_files(fetcher)
    if spoil == "old":
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    else:
        path.write_bytes(path.read_bytes()[:100])
    assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))
    assert fetcher.progress.lines == []


def test_an_unwritable_folder_does_not_stop_a_fetch(fetcher):
    fetcher.checkpoint_folder.write_text("in the way")
    assert_complete(fetcher.fetch(first(fetcher)), candles_of(fetcher))


PULL = """
import sys
from pathlib import Path
import pandas as pd
from tests.data.sources.exchanges import ExchangeFetcher
from tests.servers.local import Served
served, folder = Served(None, sys.argv[1]), Path(sys.argv[2])
fetcher = ExchangeFetcher("binance", served, timeout_s=60.0, checkpoint_folder=folder)
fetcher.fetch(pd.Timestamp(sys.argv[3]))
"""


@pytest.mark.slow
def test_a_killed_fetch_resumes_from_its_last_save(fetcher):
    answer = fetcher.market.answer

    def hanging(path, query):
        if len(hourly(fetcher)) > 26:
            time.sleep(2)
        return answer(path, query)

    fetcher.market.answer = hanging
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PULL,
            fetcher.served.url,
            str(fetcher.checkpoint_folder),
            first(fetcher).isoformat(),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    end = time.monotonic() + 60
    while len(hourly(fetcher)) <= 26 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    fetcher.market.answer = answer
    fetcher.served.log.clear()
    assert_complete(fetcher.fetch(first(fetcher), now=NOON), candles_of(fetcher))
    assert len(hourly(fetcher)) <= COUNT // PAGE - 20 + 2
