"""The self-test as a whole: rows, progress and seeds."""

from __future__ import annotations

import json

import pytest

from engine.selftest import run_selftest
from engine.selftest.significance_check import PowerCheck, SizeCheck

FEW = (SizeCheck(markets=2), SizeCheck(markets=1, noise="GARCH"))


class RecordedProgress:
    def __init__(self) -> None:
        self.advanced: list[tuple[object, ...]] = []

    def stage(self, name: str) -> None:
        self.named = name

    def notice(self, text: str) -> None:
        raise AssertionError(text)

    def line(self, text: str) -> None:
        pass

    def advance(self, *units: object) -> None:
        self.advanced.append(units[:2])


@pytest.mark.slow
def test_rows_do_not_depend_on_the_workers() -> None:
    progress = RecordedProgress()
    one_worker = run_selftest(checks=FEW, workers=1, progress=progress)
    two_workers = run_selftest(checks=FEW, workers=2)

    assert one_worker.rows == two_workers.rows
    assert progress.named == "selftest"
    assert progress.advanced == [(done, 3) for done in range(1, 4)]
    assert json.loads(json.dumps(one_worker.as_json(), allow_nan=False))["markets"] == 3


@pytest.mark.slow
def test_another_seed_generates_other_markets() -> None:
    one, other = (
        run_selftest(checks=[PowerCheck(markets=1)], workers=1, seed=seed) for seed in (0, 1)
    )

    assert one.rows[0].figures["mean_sharpe"] != other.rows[0].figures["mean_sharpe"]
    assert other.seed == 1
