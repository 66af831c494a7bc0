"""Any trouble at any moment of a run: nothing is lost, and run again it gives the same bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.faults.commands import Disk
from tests.faults.jobs import Job, write_strategies
from tests.faults.laboratory import round_of, seeds, try_job

if TYPE_CHECKING:
    from pathlib import Path

    from tests.faults.laboratory import Laboratory

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def strategies(laboratory: Laboratory, module_folder: Path) -> dict[str, Path]:
    files = write_strategies(module_folder)
    disk = Disk(module_folder / "warm").make()
    laboratory.server.warm(Job("warm", ("run", str(files["ridge"]))).command(disk), disk)
    return files


@pytest.fixture(scope="module")
def used(laboratory: Laboratory, strategies: dict[str, Path]) -> Disk:
    """A disk with the run of another idea."""
    disk = Disk(laboratory.place / "used").make()
    other = Job("other", ("run", str(strategies["ridge"]), "--set", "signal.enter_bps=20"))
    (ended,) = laboratory.server.run(disk, [other.command(disk)])
    assert ended.code == 0, ended.stderr
    return disk


@seeds(40)
def test_run(laboratory, strategies, empty, used, seed) -> None:
    job = Job("run", ("run", str(strategies["ridge"])), rows=1)
    start = (empty, used)[round_of(seed) % 2]
    try_job(laboratory, laboratory.reference(job, start), seed)


@seeds(8)
def test_run_with_workers(laboratory, strategies, empty, seed) -> None:
    arguments = ("run", str(strategies["boosting"]), "--workers", str(1 + seed % 2))
    job = Job("workers", arguments, rows=1)
    try_job(laboratory, laboratory.reference(job, empty), seed)


@seeds(8)
def test_grid(laboratory, strategies, empty, seed) -> None:
    arguments = ("run", str(strategies["ridge"]), "--grid", "signal.enter_bps=1,9")
    # Later runs count earlier ones as trials, and which were finished depends on the trouble.
    job = Job("grid", arguments, rows=2, varying=("significance",))
    try_job(laboratory, laboratory.reference(job, empty), seed)
