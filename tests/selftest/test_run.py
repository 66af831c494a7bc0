"""All checks together: the same rows, whoever did the work."""

from __future__ import annotations

import json

import pytest

from engine.selftest.power_check import PowerCheck
from engine.selftest.run import run_selftest
from engine.selftest.size_check import SizeCheck

FEW = (SizeCheck(markets=2), SizeCheck(markets=1, noise="GARCH"))


class Told:
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
def test_neither_workers_nor_their_order_change_a_row() -> None:
    told = Told()
    here = run_selftest(checks=FEW, workers=1, progress=told)
    there = run_selftest(checks=FEW, workers=2)

    assert here.rows == there.rows
    assert told.named == "selftest"
    assert told.advanced == [(done, 3) for done in range(1, 4)]
    assert json.loads(json.dumps(here.as_json(), allow_nan=False))["markets"] == 3


@pytest.mark.slow
def test_another_seed_draws_other_markets() -> None:
    one, other = (
        run_selftest(checks=[PowerCheck(markets=1)], workers=1, seed=seed) for seed in (0, 1)
    )

    assert one.rows[0].figures["mean_sharpe"] != other.rows[0].figures["mean_sharpe"]
    assert other.seed == 1
