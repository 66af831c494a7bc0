"""Real processes on a local exchange that plays minutes, killed on the way."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.core.progress import NullProgress
from engine.live.feeds import PollFeedSpec
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.journal.reader import JournalReader
from engine.live.paper.backtest_comparison import BacktestComparison
from engine.live.paper.journal_check import check_journal
from engine.strategy import load_strategy
from tests.live.paper.accounts import (
    NAME,
    Bars,
    journal_of,
    make_bars,
    problems_of,
    start_lenient,
    start_paper,
    write_history,
)
from tests.live.paper.fast_process import FastClock
from tests.pipeline.markets import write_strategy
from tests.servers.candles import candles
from tests.servers.local import serve
from tests.servers.player import Player, moved

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.local import Served

pytestmark = pytest.mark.slow

ROOT = __file__.rpartition("/tests/")[0]
HISTORY, COMING, SPEED, MINUTE = 450, 24, 60.0, 60
COMMAND_LINE = "from engine.cli.main import main; main()"
PAIRS = {"BTC": "BTC/USDT", "ETH": "ETH/USDT"}


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[tuple[Served, FastClock, float]]:
    """An exchange whose minutes last a second, and an account on it after 450 of them."""
    began = time.time()
    clock = FastClock(began, SPEED)
    books = {
        pair: candles(0, HISTORY + 5 * COMING, MINUTE, scale)
        for pair, scale in zip(PAIRS.values(), (100.0, 10.0), strict=True)
    }
    site = Player(moved(books, HISTORY, began), now=clock.seconds)
    write_market(tmp_path, site)
    spec = load_strategy(write_strategy(tmp_path, tmp_path / "market" / "market.yaml"))
    feed = PollFeedSpec(source="ccxt:binance")
    start_lenient(tmp_path, tmp_path / "home", spec, clock, feed)
    with serve(site) as served:
        yield served, clock, began


def write_market(folder: Path, site: Player) -> None:
    """The minutes so far as files, which the exchange continues."""
    rows = [
        {
            "timestamp": pd.Timestamp(candle.seconds, unit="s", tz="UTC"),
            "symbol": symbol,
            **{name: getattr(candle, name) for name in ("open", "high", "low", "close", "volume")},
        }
        for symbol, pair in PAIRS.items()
        for candle in site.books[pair]
    ]
    table = pd.DataFrame(rows).sort_values(["timestamp", "symbol"], ignore_index=True)
    manifest = write_history(folder / "market", Bars(table, "1m", "24/7"), HISTORY)
    symbols = ", ".join(f"{symbol}: {pair}" for symbol, pair in PAIRS.items())
    source = f"  - {{kind: ccxt, exchange: binance, symbols: {{{symbols}}}}}\n"
    text = manifest.read_text().replace("sources: [{kind: files, path: .}]\n", "sources:\n")
    manifest.write_text(f"{text}  - {{kind: files, path: .}}\n{source}")


@contextmanager
def process(home: Path, exchange: tuple[Served, FastClock, float]) -> Iterator[subprocess.Popen]:
    served, _, began = exchange
    until = began + (HISTORY + COMING) * MINUTE * 10
    arguments = [str(home), served.url, str(began), str(SPEED), str(until)]
    with subprocess.Popen(
        [sys.executable, "-m", "tests.live.paper.fast_process", *arguments],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()


def wait_for_decisions(home: Path, count: int, running: subprocess.Popen) -> None:
    while True:
        with JournalReader(journal_path(home)) as reader:
            if reader.count(NAME)["decisions"] >= count:
                return
        assert running.poll() is None, running.communicate()
        time.sleep(0.05)


def test_killed_on_the_way_it_decides_every_minute_as_the_backtest_does(
    tmp_path, exchange
) -> None:
    home, rng = tmp_path / "home", random.Random(7)
    for kill in range(3):
        with process(home, exchange) as running:
            wait_for_decisions(home, 6 * (kill + 1), running)
            time.sleep(rng.random())
            running.send_signal(signal.SIGKILL)
            running.wait()
    with process(home, exchange) as running:
        wait_for_decisions(home, COMING, running)
        running.send_signal(signal.SIGTERM)
        running.wait()
    with Journal(journal_path(home)) as journal:
        account = journal.account(NAME)
        bars = [row.bar for row in journal.decisions(NAME)]
        assert bars == list(pd.date_range(bars[0], bars[-1], freq="min"))
        assert bars[0] == account.history_last + pd.Timedelta(minutes=1)
        assert check_journal(journal, account, home) == ()
        comparison = BacktestComparison(journal, account, home, progress=NullProgress())
        found = comparison.on_received_bars()
    assert (found.first, found.causes) == (None, {})
    assert found.bars >= COMING


def test_a_second_process_is_refused_and_names_the_first(tmp_path, exchange) -> None:
    home = tmp_path / "home"
    with process(home, exchange) as running:
        assert running.stdout
        assert running.stdout.readline() == "running\n"
        with process(home, exchange) as second:
            _, text = second.communicate(timeout=120)
        assert f"process {running.pid} runs the account {NAME}" in text
        wait_for_decisions(home, 2, running)


@contextmanager
def command(home: Path, *arguments: str) -> Iterator[subprocess.Popen]:
    """The command `backtest paper run`; stderr is read by line."""
    with subprocess.Popen(
        [sys.executable, "-c", COMMAND_LINE, "paper", "run", *arguments],
        cwd=ROOT,
        env={**os.environ, "BACKTEST_HOME": str(home), "PYTHONPATH": ROOT},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as running:
        yield running
        running.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_the_command_with_130_and_a_whole_journal(tmp_path, number) -> None:
    market = start_paper(tmp_path)
    write_history(tmp_path / "market", market.bars, 460)
    with command(market.home) as running:
        assert running.stderr
        wait_for_decisions(market.home, 10, running)
        running.send_signal(number)
        _, text = running.communicate(timeout=60)
    assert running.returncode == 130
    assert "every bar that was decided is in the journal" in text
    assert "Traceback" not in text
    assert problems_of(market) == ()


def test_once_decides_what_is_there_and_ends(tmp_path) -> None:
    """Days of which the last has ended: none is due before midnight."""
    yesterday = pd.Timestamp.now("UTC").normalize() - pd.Timedelta(days=1)
    bars = make_bars(interval="1d")
    age = yesterday - bars.labels[454]
    bars = replace(bars, table=bars.table.assign(timestamp=bars.table["timestamp"] + age))
    market = start_paper(tmp_path, bars)
    write_history(tmp_path / "market", market.bars, 455)
    with command(market.home, "--once") as running:
        _, text = running.communicate(timeout=120)
    assert running.returncode == 0, text
    assert len(journal_of(market)["decisions"]) == 5
    with command(market.home, "--once", "--quiet") as running:
        out, text = running.communicate(timeout=120)
    assert (running.returncode, out, text) == (0, "", "")
