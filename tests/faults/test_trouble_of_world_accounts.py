"""A kill at any moment of an account on several exchanges: no bar is lost or comes twice."""

from __future__ import annotations

import random
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from engine.live.clock import SystemClock
from engine.live.feeds import PollFeedSpec
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from tests.data.exchanges import daily_bars, write_dataset
from tests.faults.commands import Disk
from tests.faults.faulty_disk import ALL, Fault, Operation, Plan, count_operations
from tests.faults.jobs import copy_disk
from tests.faults.laboratory import seeds
from tests.faults.test_trouble_of_paper import (
    NAME,
    RUN,
    PaperJob,
    assert_prefix,
    read_journal,
    run_again,
)
from tests.faults.trouble import KILLED
from tests.live.paper.accounts import start_lenient
from tests.live.paper.world_accounts import strategy_of

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.laboratory import Laboratory

pytestmark = pytest.mark.slow

CALENDARS = {"NY": "XNYS", "TOKYO": "XTKS", "COIN": "24/7", "JPYUSD": "24/5"}
KEYS = "currency: USD\ncurrencies: {TOKYO: JPY}\nfx: {JPY: JPYUSD}\n"
COUNT, COMING_DAYS = 150, 9


def start_world_account(folder: Path, disk: Disk) -> None:
    """Daily bars up to yesterday, those of the last days to come."""
    yesterday = pd.Timestamp.now("UTC").normalize() - pd.Timedelta(days=2)
    first = str((yesterday - pd.Timedelta(days=COUNT - 1)).date())
    manifest = write_dataset(folder, CALENDARS, COUNT, first=first, keys=KEYS)
    cut = yesterday - pd.Timedelta(days=COMING_DAYS)
    whole = {symbol: _rows(symbol, first, yesterday) for symbol in CALENDARS}
    for symbol, rows in whole.items():
        _write(folder, symbol, rows[rows["timestamp"] <= cut])
    spec = strategy_of(str(manifest), "panel", "NY", {})
    start_lenient(folder, disk.home, spec, SystemClock(), PollFeedSpec())
    for symbol, rows in whole.items():
        _write(folder, symbol, rows)


def _rows(symbol: str, first: str, last: pd.Timestamp) -> pd.DataFrame:
    bars = daily_bars(symbol, CALENDARS[symbol], COUNT, first=first)
    return bars[bars["timestamp"] <= last].drop(columns="symbol")


def _write(folder: Path, symbol: str, rows: pd.DataFrame) -> None:
    days = rows["timestamp"].dt.strftime("%Y-%m-%d")
    rows.assign(timestamp=days).to_csv(folder / f"{symbol}.csv", index=False)


def arrivals_of(disk: Disk) -> list[Any]:
    with closing(Journal(journal_path(disk.home))) as journal:
        return [(row.symbol, row.bar, row.close, row.after_bar) for row in journal.arrivals(NAME)]


@pytest.fixture(scope="module")
def job(laboratory: Laboratory, module_folder: Path) -> PaperJob:
    disk = Disk(laboratory.place / "world").make()
    start_world_account(module_folder, disk)
    laboratory.server.warm(RUN, copy_disk(disk, laboratory.place / "warm-world"))
    undisturbed = copy_disk(disk, laboratory.place / "undisturbed-world")
    (ended,) = laboratory.server.run(undisturbed, [RUN])
    assert ended.code == 0, ended.stderr
    journal = read_journal(undisturbed)
    assert len(journal["decisions"]) == COMING_DAYS
    return PaperJob(disk, journal, count_operations(ended.plan))


@seeds(6)
def test_a_kill_at_any_moment_loses_no_bar_and_repeats_none(laboratory, job, seed) -> None:
    rng = random.Random(seed)
    affected = (ALL, Operation.WRITE | Operation.SYNC)[seed % 2]
    count = sum(job.operations[each] for each in affected)
    fault = (Fault.KILL, Fault.TEAR_AND_KILL)[seed % 4 == 3]
    plan = Plan(affected, rng.randint(1, count), fault)
    disk = copy_disk(job.disk, laboratory.place / f"killed-world-{seed}")
    (ended,) = laboratory.server.run(disk, [RUN], [plan])
    assert ended.code in {KILLED, 0}, ended.stderr
    assert_prefix(read_journal(disk), job.journal)
    assert run_again(laboratory, disk) == job.journal
    came = arrivals_of(disk)
    assert len({row[:2] for row in came}) == len(came)
