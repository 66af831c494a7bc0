"""A run whose fits go on from each other, killed mid-chain: the chain goes on where it broke."""

from __future__ import annotations

import signal

import pytest

import engine
from engine.training.store import FitStore
from tests.faults.runs import assert_same, start, wait_for
from tests.pipeline.markets import market, write_strategy

pytestmark = pytest.mark.slow

SEEDS = 2
WARM = {"seeds": SEEDS, "training.warm_start": "previous_window", "training.warm_epochs": 2}
MODEL = """{kind: ensemble, combine: validation_weighted, members: [
    {kind: mlp, lookback: 6, dense: [8]}, {kind: ridge, lookback: 6}]}"""


def test_killed_mid_chain_it_ends_with_the_same_bytes_and_trains_nothing_twice(tmp_path) -> None:
    strategy = write_strategy(tmp_path, market(tmp_path / "market"), MODEL)

    def run(name: str, workers: int) -> engine.Run:
        """Chains on one worker take turns; on two they run side by side."""
        return engine.run(
            strategy,
            overrides=WARM,
            out=tmp_path / name,
            home=tmp_path / f"home-{name}",
            workers=workers,
            pages=False,
        )

    whole = run("whole", workers=1)
    windows = whole.manifest["windows"]
    starts = [[(f["warm"], f["members"][0]["epochs"]) for f in w["fits"]] for w in windows]
    assert starts == [[(False, 3)] * SEEDS, *[[(True, 2)] * SEEDS] * (len(windows) - 1)]

    store = FitStore(tmp_path / "home-killed" / "fits")
    process = start(strategy, tmp_path, "killed", WARM)
    wait_for(store, 3)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    stored, fits = len(store.entries()), SEEDS * len(windows)
    assert stored < fits

    again = run("killed", workers=2)
    assert again.manifest["fits"] == {"trained": fits - stored, "stored": stored}
    assert again.manifest["windows"] == windows
    assert_same(again, whole)
