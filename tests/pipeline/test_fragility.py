"""The fragility surface of a run, against runs with `--set` of its cells."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import engine
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

CHEAP = {"evaluation.resamples": 200, "benchmarks": []}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    return write_strategy(module_folder, market(module_folder / "market", edge=0.4))


@pytest.fixture(scope="module")
def base(module_folder: Path, strategy: Path) -> engine.Run:
    return with_settings(module_folder, strategy, {})


def with_settings(module_folder: Path, strategy: Path, changes: dict[str, Any]) -> engine.Run:
    return engine.run(
        strategy,
        overrides=CHEAP | changes,
        out=module_folder,
        home=module_folder / "home",
        pages=False,
    )


@pytest.mark.slow
def test_the_chosen_cell_is_the_sharpe_ratio_of_the_run_itself(base: engine.Run) -> None:
    surface, own = base.significance["fragility"], base.metrics["books"]["strategy"]["sharpe"]
    assert surface["chosen"]["sharpe"] == surface["sharpe"][2][0][2] == own


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cell", "changes"),
    [
        ((0, 1, 2), {"costs.fee_bps": 0, "costs.slippage_bps": 0, "execution.delay": 2}),
        ((3, 3, 4), {"costs.fee_bps": 10, "costs.slippage_bps": 4, "execution.delay": 5,
                     "signal.enter": 0.9}),
        ((1, 0, 1), {"costs.fee_bps": 2.5, "costs.slippage_bps": 1, "signal.enter": 0.55}),
    ],
)  # fmt: skip
def test_a_cell_is_the_sharpe_ratio_of_a_run_with_its_settings(
    base: engine.Run,
    module_folder: Path,
    strategy: Path,
    cell: tuple[int, int, int],
    changes: dict[str, Any],
) -> None:
    surface, (cost, delay, threshold) = base.significance["fragility"], cell
    run = with_settings(module_folder, strategy, changes)
    # Forecasts are stored: what differs between the two runs is how they are traded on.
    assert run.manifest["fits"]["trained"] == 0
    signal = run.manifest["strategy"]["signal"]
    assert surface["threshold"][threshold] == pytest.approx(signal["enter"], rel=1e-12)
    found = surface["sharpe"][cost][delay][threshold]
    assert found == run.metrics["books"]["strategy"]["sharpe"]
