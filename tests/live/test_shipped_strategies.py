"""Every shipped strategy, run once: its live path gives what the run gave, to the last bit."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import engine
from engine.strategy import Strategy, load_strategy
from tests.live.replays import assert_equal

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = pytest.mark.slow

BRIEF = {
    "benchmarks": [],
    "evaluation.resamples": 200,
    "windows": {"kind": "rolling", "train": "16y", "validation": "6mo", "test": "6mo"},
}
"""The newest three years, in seven windows."""

FEW_FITS = BRIEF | {
    "training.epochs": 1,
    "windows": {"kind": "rolling", "train": "16y", "validation": "6mo", "test": "2y"},
}
"""Two windows of a network that is trained for one epoch: enough to begin one and to continue in
one."""

FEW_TRIALS = {"tune.trials": 4}

FEW_SYMBOLS = {
    "data.targets": ["AAPL", "GE", "XOM"],
    "windows": {"kind": "rolling", "train": "28y", "validation": "6mo", "test": "3y"},
}
"""Two windows of three of the stocks that a universe has."""

SHIPPED = {file.stem: file for file in sorted(Path("strategies").resolve().glob("*.yaml"))}
NETWORKS = {name for name, file in SHIPPED.items() if load_strategy(file).model.kind != "ridge"}


class ShippedRun(NamedTuple):
    """A run, and the folders of its fits and results."""

    spec: Strategy
    run: engine.Run
    home: Path
    reports: Path


@pytest.fixture(scope="module")
def run_once(module_folder: Path) -> Callable[[str], ShippedRun]:
    """Runs a shipped strategy, or returns the run that was made before."""

    @cache
    def run(name: str) -> ShippedRun:
        shipped = load_strategy(SHIPPED[name])
        changes = FEW_FITS if name in NETWORKS else BRIEF
        if shipped.data.targets == "all":
            changes = {**changes, **FEW_SYMBOLS}
        if shipped.tune is not None:
            changes = {**changes, **FEW_TRIALS}
        spec = load_strategy(SHIPPED[name], changes)
        home, reports = module_folder / name / "home", module_folder / name / "out"
        made = engine.run(spec, offline=True, home=home, out=reports, pages=False, workers=1)
        return ShippedRun(spec, made, home, reports)

    return run


def test_the_networks_are_found() -> None:
    single = {"cnn_lstm", "lstm", "micdl", "multi_resolution"}
    assert single | {"universe_lstm", "asset_attention"} == NETWORKS


@pytest.mark.parametrize("name", SHIPPED)
def test_every_shipped_strategy_is_traded_live_as_it_is_run(run_once, name: str) -> None:
    shipped = run_once(name)
    replay = engine.replay(
        shipped.spec, offline=True, home=shipped.home, reports=shipped.reports, workers=1
    )
    assert_equal(replay)
    assert replay.run_id == shipped.run.run_id
    assert replay.bars == len(shipped.run.returns)


@pytest.mark.parametrize("name", sorted(NETWORKS))
def test_a_stored_network_forecasts_a_bar_as_the_run_did(run_once, name: str) -> None:
    shipped = run_once(name)
    predictions = shipped.run.predictions.groupby(["timestamp", "symbol"])["predicted"].mean()
    starts = shipped.run.predictions.groupby("window")["timestamp"].min()
    bars = engine.load_market(shipped.spec, home=shipped.home, offline=True)
    assert len(starts) == 2
    for day in (starts[0], starts[1], shipped.run.predictions["timestamp"].iloc[-1]):
        known = bars.until(day)
        fitted = engine.fit(shipped.spec, known, home=shipped.home, workers=1)
        assert fitted.trained == 0
        row = engine.predict(fitted, known)
        assert row.timestamp == day
        assert row.predicted == predictions[day].to_dict()
