"""Any trouble at any moment of a paper account: no decision twice, none lost, none another."""

from __future__ import annotations

import random
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pandas as pd
import pytest

from engine.live.clock import SystemClock
from engine.live.feeds import PollFeedSpec
from engine.live.journal.file import journal_path
from engine.live.journal.journal import Journal
from engine.live.paper.journal_check import check_journal
from engine.strategy import load_strategy
from tests.faults.commands import Command, Disk
from tests.faults.faulty_disk import ALL, Fault, Operation, Plan, count_operations
from tests.faults.jobs import copy_disk
from tests.faults.laboratory import kind_of, seeds
from tests.faults.trouble import DOCUMENTED, KILLED, draw_trouble
from tests.live.paper.accounts import make_bars, start_lenient, write_history
from tests.pipeline.markets import write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.laboratory import Laboratory
    from tests.faults.trouble import Counts

pytestmark = pytest.mark.slow

NAME, HISTORY, COMING = "small", 450, 12
RUN = Command(("paper", "run", NAME, "--once"))


@dataclass(frozen=True)
class PaperJob:
    """A disk with an account whose next bars are there, and what it makes of them undisturbed."""

    disk: Disk
    journal: dict[str, list[Any]]
    operations: Counts


@pytest.fixture(scope="module")
def job(laboratory: Laboratory, module_folder: Path) -> PaperJob:
    disk = Disk(laboratory.place / "account").make()
    start_small_account(module_folder, disk)
    laboratory.server.warm(RUN, copy_disk(disk, laboratory.place / "warm"))
    undisturbed = copy_disk(disk, laboratory.place / "undisturbed")
    (ended,) = laboratory.server.run(undisturbed, [RUN])
    assert ended.code == 0, ended.stderr
    journal = read_journal(undisturbed)
    assert len(journal["decisions"]) == COMING
    assert journal["fills"]
    return PaperJob(disk, journal, count_operations(ended.plan))


def start_small_account(folder: Path, disk: Disk) -> None:
    """Bars of a minute, the last of them an hour ago; a grace time of a day makes none late."""
    now = pd.Timestamp.now("UTC").floor("min")
    first = now - pd.Timedelta(minutes=HISTORY + COMING + 60)
    bars = make_bars(interval="1m", count=HISTORY + COMING)
    shift = first - bars.labels[0]
    bars = replace(bars, table=bars.table.assign(timestamp=bars.table["timestamp"] + shift))
    file = write_strategy(folder, write_history(folder / "market", bars, HISTORY))
    spec = load_strategy(file)
    start_lenient(folder, disk.home, spec, SystemClock(), PollFeedSpec())
    write_history(folder / "market", bars, HISTORY + COMING)


def read_journal(disk: Disk) -> dict[str, list[Any]]:
    """All rows that an undisturbed account has too, from a journal that follows from itself."""
    with closing(Journal(journal_path(disk.home))) as journal:
        account = journal.account(NAME)
        assert check_journal(journal, account, disk.home) == ()
        return {
            "decisions": [
                (row.bar, row.row, row.targets, row.state) for row in journal.decisions(NAME)
            ],
            "bars": [replace(row, received_at=None) for row in journal.bars(NAME)],
            "orders": list(journal.orders(NAME)),
            "fills": list(journal.fills(NAME)),
            "equity": list(journal.equity(NAME)),
        }


def assert_prefix(found: dict[str, list[Any]], whole: dict[str, list[Any]]) -> None:
    """The rows of whole bars, in order, and no others."""
    for table, rows in found.items():
        assert rows == whole[table][: len(rows)], table
    assert len(found["equity"]) == len(found["decisions"])


def run_again(laboratory: Laboratory, disk: Disk) -> dict[str, list[Any]]:
    (again,) = laboratory.server.run(disk, [RUN])
    assert again.code == 0, again.stderr
    return read_journal(disk)


@seeds(24)
def test_a_kill_at_any_moment_loses_no_decision_and_repeats_none(laboratory, job, seed) -> None:
    """Half of the kills are at a random operation, half at a write or a sync of the journal."""
    rng = random.Random(seed)
    affected = (ALL, Operation.WRITE | Operation.SYNC)[seed % 2]
    count = sum(job.operations[each] for each in affected)
    fault = (Fault.KILL, Fault.TEAR_AND_KILL)[seed % 4 == 3]
    plan = Plan(affected, rng.randint(1, count), fault)
    disk = copy_disk(job.disk, laboratory.place / f"killed-{seed}")
    (ended,) = laboratory.server.run(disk, [RUN], [plan])
    assert ended.code in {KILLED, 0}, ended.stderr
    assert_prefix(read_journal(disk), job.journal)
    assert run_again(laboratory, disk) == job.journal


@seeds(40)
def test_any_trouble_leaves_a_journal_that_goes_on_as_if_nothing_had_happened(
    laboratory, job, seed
) -> None:
    trouble = draw_trouble(random.Random(seed), kind_of(seed), job.operations)
    steps = any(plan.fault == Fault.STEP for plan in trouble.plans)
    disk = copy_disk(job.disk, laboratory.place / f"trouble-{seed}")
    ended = laboratory.server.run(disk, [RUN] * len(trouble.plans), trouble.plans)
    for each in ended:
        assert each.orphans == ()
        assert each.code in {*DOCUMENTED, KILLED}, each.stderr
        assert "Traceback" not in each.stderr, each.stderr
        assert "fault of the engine" not in each.stderr, each.stderr
    if len(ended) > 1:
        assert sum(each.code == 2 for each in ended) <= 1
    if steps:
        assert_same_decisions(run_again(laboratory, disk), job.journal)
    else:
        assert_prefix(read_journal(disk), job.journal)
        assert run_again(laboratory, disk) == job.journal


def assert_same_decisions(found: dict[str, list[Any]], whole: dict[str, list[Any]]) -> None:
    """Under a clock that is ahead orders are missed; forecasts and targets stay what they are."""
    assert [row[:3] for row in found["decisions"]] == [row[:3] for row in whole["decisions"]]
    if {row.status for row in found["orders"]} == {"placed"}:
        assert found == whole
