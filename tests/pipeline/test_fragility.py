"""The surface of a run, against runs with `--set` of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import engine
from engine.data.load import load_market
from engine.pipeline import books
from engine.pipeline.ground import prepare
from engine.progress import Silent
from engine.refit.local import Local
from engine.refit.store import Store
from engine.strategy import load_strategy
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

CHEAP = {"evaluation.resamples": 200, "opponents": []}


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("fragile")


@pytest.fixture(scope="module")
def strategy(place: Path) -> Path:
    return write_strategy(place, market(place / "market", edge=0.4))


@pytest.fixture(scope="module")
def surface(place: Path, strategy: Path) -> dict[str, Any]:
    """From stored fits: the executor is one that trains nothing."""
    engine.run(strategy, overrides=CHEAP, out=place, home=place / "home", pages=False)
    spec = load_strategy(strategy, CHEAP)
    home = place / "home"
    bars = load_market(spec.data, home=home, offline=False, override=None, progress=Silent())
    ground = prepare(spec, bars)
    executor, store = Local(1, "tensorflow", place / "programs"), Store(home / "fits")
    made, fits = books.refit(spec, ground, executor, store, Silent(), fresh=False)
    executor.close()
    assert fits.trained == 0
    return books.fragility(spec, ground, made)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "changes"),
    [
        ((2, 0, 2), {}),
        ((0, 1, 2), {"costs.fee_bps": 0, "costs.slippage_bps": 0, "execution.delay": 2}),
        ((4, 2, 2), {"costs.fee_bps": 20, "costs.slippage_bps": 8, "execution.delay": 3}),
        ((3, 3, 4), {"costs.fee_bps": 10, "costs.slippage_bps": 4, "execution.delay": 5,
                     "signal.enter": 0.9}),
        ((1, 0, 1), {"costs.fee_bps": 2.5, "costs.slippage_bps": 1, "signal.enter": 0.55}),
    ],
)  # fmt: skip
def test_a_cell_is_the_sharpe_ratio_of_a_run_with_its_settings(
    surface: dict[str, Any],
    place: Path,
    strategy: Path,
    cell: tuple[int, int, int],
    changes: dict[str, Any],
) -> None:
    run = engine.run(
        strategy, overrides=CHEAP | changes, out=place, home=place / "home", pages=False
    )
    cost, delay, threshold = cell
    signal = run.manifest["strategy"]["signal"]
    assert surface["threshold"][threshold] == pytest.approx(signal["enter"], rel=1e-12)
    ours = surface["sharpe"][cost][delay][threshold]
    assert ours == run.metrics["books"]["strategy"]["sharpe"]
    if not changes:
        assert surface["chosen"]["sharpe"] == ours
