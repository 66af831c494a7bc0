"""A long pull that broke off goes on where it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace

import pytest

from engine.core.errors import UnreachableError
from tests.data.sources.exchanges import EXCHANGES, NOON, Desk, at, hours
from tests.servers.local import serve

COUNT = 1_500
PAGE = 50


@pytest.fixture
def desk(tmp_path):
    with serve(EXCHANGES["binance"][0]({"BTC/USDT": hours(COUNT)})) as served:
        served.faulty = "klines"
        served.site.largest = PAGE
        yield Desk("binance", served, drafts=tmp_path / "unfinished")


def book(desk):
    return desk.market.books["BTC/USDT"]


def first(desk):
    return at(book(desk)[0])


def hourly(desk):
    """Requests for candles of an hour."""
    return [line for line in desk.pages() if "interval=1h" in line]


def break_off(desk, after):
    """Lets a pull fail after so many pages of hours."""
    answer, desk.pauses_s = desk.market.answer, ()

    def failing(path, query):
        if len(hourly(desk)) > after:
            desk.served.faults = [500]
        return answer(path, query)

    desk.market.answer = failing
    with pytest.raises(UnreachableError):
        desk.pull(first(desk))
    desk.market.answer = answer
    desk.served.faults.clear()
    desk.served.log.clear()


def left(desk):
    return [path for path in desk.drafts.rglob("*") if path.is_file()]


def assert_whole(bars, made):
    assert bars["timestamp"].tolist() == [at(candle) for candle in made]
    assert bars["close"].tolist() == [candle.close for candle in made]


def test_only_what_is_missing_is_asked_for_and_nothing_is_left_behind(desk):
    break_off(desk, after=21)
    assert len(left(desk)) == 1
    assert_whole(desk.pull(first(desk)), book(desk))
    # Twenty pages came, the last candle of which is looked at again: ten pages and that one.
    assert len(hourly(desk)) <= COUNT // PAGE - 20 + 2
    assert "resumes after" in desk.told.lines[0]
    assert left(desk) == []


def test_a_pull_may_break_off_again_and_again(desk):
    for _ in range(3):
        break_off(desk, after=8)
    assert_whole(desk.pull(first(desk)), book(desk))
    assert len(hourly(desk)) < COUNT // PAGE - 12


def test_a_last_candle_that_was_corrected_since_begins_it_anew(desk):
    break_off(desk, after=10)
    made = book(desk)
    made[:] = [replace(candle, volume=candle.volume + 1.0) for candle in made]
    bars = desk.pull(first(desk))
    assert_whole(bars, made)
    assert bars["volume"].tolist() == [candle.volume for candle in made]


def test_another_start_or_interval_is_another_pull(desk):
    break_off(desk, after=10)
    later = at(book(desk)[700])
    assert_whole(desk.pull(later), book(desk)[700:])
    assert desk.told.lines == []


@pytest.mark.parametrize("spoil", ["old", "damaged"])
def test_what_is_old_or_damaged_is_not_gone_on_with(desk, spoil):
    break_off(desk, after=10)
    (path,) = left(desk)
    if spoil == "old":
        os.utime(path, (time.time() - 2 * 86_400,) * 2)
    else:
        path.write_bytes(path.read_bytes()[:100])
    assert_whole(desk.pull(first(desk)), book(desk))
    assert desk.told.lines == []


def test_a_folder_that_cannot_be_written_keeps_nothing_and_stops_no_pull(desk):
    desk.drafts.write_text("in the way")
    assert_whole(desk.pull(first(desk)), book(desk))


PULL = """
import sys
from pathlib import Path
import pandas as pd
from tests.data.sources.exchanges import Desk
from tests.servers.local import Served
desk = Desk("binance", Served(None, sys.argv[1]), timeout_s=60.0, drafts=Path(sys.argv[2]))
desk.pull(pd.Timestamp(sys.argv[3]))
"""


@pytest.mark.slow
def test_a_pull_that_was_killed_goes_on_where_it_last_wrote(desk):
    answer = desk.market.answer

    def hanging(path, query):
        if len(hourly(desk)) > 26:
            time.sleep(2)
        return answer(path, query)

    desk.market.answer = hanging
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            PULL,
            desk.served.url,
            str(desk.drafts),
            first(desk).isoformat(),
        ],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
    )
    end = time.monotonic() + 60
    while len(hourly(desk)) <= 26 and time.monotonic() < end:
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    assert process.wait() == -signal.SIGKILL
    desk.market.answer = answer
    desk.served.log.clear()
    assert_whole(desk.pull(first(desk), now=NOON), book(desk))
    assert len(hourly(desk)) <= COUNT // PAGE - 20 + 2
