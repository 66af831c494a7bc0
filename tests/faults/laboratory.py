"""Jobs under random trouble, and again without: what a seed tries."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.faults.faulty_disk import Plan, count_operations
from tests.faults.jobs import copy_disk
from tests.faults.trouble import (
    KINDS,
    TRIALS_UNCOUNTED,
    assert_nothing_lost,
    assert_recorded,
    assert_same_results,
    assert_told,
    draw_trouble,
    find_leftovers,
    read_ledger,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.commands import Disk, Ended, ForkServer
    from tests.faults.jobs import Job
    from tests.faults.trouble import Counts, Trouble

UNCLEANED = (
    r"tmp/backtest-|tmp/[a-z0-9_]{8}$|home/fits/.*\.draft$|reports/\w+/\.[0-9a-f]{12}\.\d+(/|$)"
)
"""A later run removes drafts of runs that are a day old, `backtest fits prune` those of fits, and
the operating system temporary files: the engine's folders, and the file of eight characters with
which `tempfile` tries its folder."""


def seeds(count: int) -> pytest.MarkDecorator:
    """A test for each seed; a seed that fails is repeated alone by its number: `test_run[17]`."""
    return pytest.mark.parametrize("seed", range(count))


def kind_of(seed: int) -> str:
    """Each kind of trouble in turn."""
    return list(KINDS)[seed % len(KINDS)]


def round_of(seed: int) -> int:
    """How often each kind of trouble came before."""
    return seed // len(KINDS)


@dataclass
class Undisturbed:
    """A disk before a job, the job's results without trouble, and what it did to the disk."""

    job: Job
    before: Disk
    results: dict[str, Any]
    operations: Counts


@dataclass
class Laboratory:
    """The server, the disks that jobs begin from, and their undisturbed results."""

    place: Path
    server: ForkServer
    references: dict[tuple[str, str], Undisturbed] = field(default_factory=dict)

    def reference(self, job: Job, start: Disk) -> Undisturbed:
        """The job without trouble on a copy of a disk; made once."""
        key = (job.name, start.place.name)
        if key not in self.references:
            disk = copy_disk(start, self.place / "-".join(key), job.missing_fits)
            (ended,) = self.server.run(disk, [job.command(disk)])
            assert ended.code == 0, ended.stderr
            counts = count_operations(ended.plan)
            self.references[key] = Undisturbed(job, start, job.results(disk, ended), counts)
        return self.references[key]


def try_job(laboratory: Laboratory, undisturbed: Undisturbed, seed: int) -> None:
    """One seed: trouble, what has to hold at once, the same command again, what has to hold."""
    job, server = undisturbed.job, laboratory.server
    trouble = draw_trouble(random.Random(seed), kind_of(seed), undisturbed.operations)
    place = laboratory.place / f"{job.name}-seed-{seed}"
    disk = copy_disk(undisturbed.before, place, job.missing_fits)
    before = read_ledger(disk)
    ended = server.run(disk, [job.command(disk)] * len(trouble.plans), trouble.plans)
    try:
        _check_at_once(disk, undisturbed, trouble, ended, before)
        _check_again(disk, undisturbed, trouble, server)
    except Exception as error:
        codes = [each.code for each in ended]
        error.add_note(f"{job.name}, seed {seed}: {trouble}, exit codes {codes}, {place}")
        raise


def _check_at_once(
    disk: Disk,
    undisturbed: Undisturbed,
    trouble: Trouble,
    ended: list[Ended],
    before: dict[int, tuple[Any, ...]],
) -> None:
    job = undisturbed.job
    for each, plan in zip(ended, trouble.plans, strict=True):
        assert each.orphans == (), "processes outlive the command"
        assert_told(each, plan)
    alone = any(TRIALS_UNCOUNTED in each.stderr for each in ended)
    varying = (*job.varying, "significance") if alone else job.varying
    assert_nothing_lost(disk, before, undisturbed.results, varying)
    rows = {number: row for number, row in read_ledger(disk).items() if number not in before}
    assert_recorded(ended, rows, job.rows * len(ended))


def _check_again(
    disk: Disk, undisturbed: Undisturbed, trouble: Trouble, server: ForkServer
) -> None:
    job = undisturbed.job
    (again,) = server.run(disk, [job.command(disk)], (Plan(),))
    assert again.code == 0, again.stderr
    assert_same_results(job.results(disk, again), undisturbed.results, trouble)
    legal = UNCLEANED if trouble.hinders_cleaning else "nothing"
    left = [each for each in find_leftovers(disk) if not re.match(legal, each)]
    assert not left, left
