"""A run that is killed at any moment, started again, ends as one that never was."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING

import pytest

import engine
from engine.training.store import FitStore
from tests.faults.runs import assert_same, ended, start, wait_for, workers_of
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

MODEL = "{kind: mlp, lookback: 6, dense: [16, 8]}"
SEEDS = 4
OVERRIDES = {"seeds": SEEDS, "training.epochs": 10}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market"), MODEL)


def run(folder: Path, strategy: Path, out: str, home: str) -> engine.Run:
    """On one worker: a second one takes as long to start as all fits."""
    return engine.run(
        strategy,
        overrides=OVERRIDES,
        out=folder / out,
        home=folder / f"home-{home}",
        workers=1,
        pages=False,
    )


@pytest.fixture(scope="module")
def whole(module_folder: Path, strategy: Path) -> engine.Run:
    """The run that nobody disturbs."""
    return run(module_folder, strategy, "whole", "whole")


def test_killed_outright_it_goes_on_where_it_was_and_ends_with_the_same_bytes(
    module_folder, strategy, whole
) -> None:
    store = FitStore(module_folder / "home-killed" / "fits")
    process = start(strategy, module_folder, "killed", OVERRIDES)
    wait_for(store, 3)
    workers = workers_of(process)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stored = len(store.entries())
    assert not list((module_folder / "killed").glob("small/*"))

    ends = time.monotonic() + 20
    while not all(ended(worker) for worker in workers):
        assert time.monotonic() < ends, "workers outlive the run"
        time.sleep(0.1)

    again = run(module_folder, strategy, "killed", "killed")
    total = SEEDS * len(whole.manifest["windows"])
    assert again.manifest["fits"] == {"trained": total - stored, "stored": stored}
    assert_same(again, whole)


def test_an_interrupt_ends_within_two_seconds_with_130_and_leaves_a_store_to_go_on_from(
    module_folder, strategy, whole
) -> None:
    store = FitStore(module_folder / "home-interrupted" / "fits")
    process = start(strategy, module_folder, "interrupted", OVERRIDES)
    wait_for(store, 2)
    workers = workers_of(process)
    began = time.monotonic()
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=30)
    assert time.monotonic() - began < 2
    assert process.returncode == 130
    assert told.splitlines()[-1].startswith("interrupted; finished fits are stored")
    assert all(ended(worker) for worker in workers)
    assert not list((module_folder / "interrupted").glob("small/*"))

    again = run(module_folder, strategy, "interrupted", "interrupted")
    assert again.manifest["fits"]["stored"] >= 2
    assert_same(again, whole)


def test_two_runs_at_once_share_a_store_and_both_end_alike(module_folder, strategy, whole) -> None:
    both = [
        start(strategy, module_folder, "shared", OVERRIDES, "--workers", "1") for _ in range(2)
    ]
    for process in both:
        _, told = process.communicate(timeout=120)
        assert process.returncode == 0, told
    shared, alone = (
        [entry.key for entry in FitStore(module_folder / f"home-{home}" / "fits").entries()]
        for home in ("shared", "whole")
    )
    assert sorted(shared) == sorted(alone)
    assert len(shared) == SEEDS * len(whole.manifest["windows"])
    assert_same(engine.Run.open(module_folder / "shared" / "small" / whole.run_id), whole)


def test_a_second_run_trains_nothing(strategy, module_folder, whole) -> None:
    again = run(module_folder, strategy, "second", "whole")
    assert again.manifest["fits"]["trained"] == 0
    assert_same(again, whole)
