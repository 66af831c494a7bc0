"""Models over several symbols: cross-sectional features and targets, joint networks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from tests.pipeline.markets import bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
RANKED = {
    "features": [
        {"kind": "log_return"},
        {"kind": "cross_sectional_rank", "of": {"kind": "volatility", "window": 5}},
        {"kind": "cross_sectional_zscore"},
    ],
    "target": {"transform": "rank"},
    "signal": {"kind": "threshold"},
    "sizing": {"kind": "fixed"},
    "portfolio": {"allocation": {"kind": "long_short", "quantile": 0.5}},
}
TRUNK = {"kind": "lstm", "units": [4]}
ATTENTION = {"kind": "asset_attention", "lookback": 3, "trunk": TRUNK, "width": 4, "heads": 2}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    return write_strategy(module_folder, write_market(module_folder / "market", tables))


def run(strategy: Path, **overrides: object) -> engine.Run:
    folder = strategy.parent
    given = {"inputs": "target", "data__targets": "all", "costs": {}, "benchmarks": []}
    chosen = given | overrides
    return engine.run(
        strategy,
        overrides={key.replace("__", "."): value for key, value in chosen.items()},
        out=folder / "reports",
        home=folder / "home",
        pages=False,
    )


@pytest.mark.slow
@pytest.mark.parametrize("transform", ["demeaned", "rank"])
def test_a_cross_sectional_target_finds_an_edge_live_and_certified(
    strategy: Path, transform: str
) -> None:
    found = run(strategy, scope="pooled", **{**RANKED, "target": {"transform": transform}})
    assert found.certificate["result"] == "passed"
    assert found.metrics.live_path.first_difference is None
    by_bar = found.predictions.query("horizon == 1").dropna()
    actual = by_bar.pivot(index="timestamp", columns="symbol", values="actual")
    np.testing.assert_allclose(actual.sum(axis=1), 0.0, atol=1e-12)
    if transform == "rank":
        assert set(np.round(6 * actual.to_numpy().ravel(), 9)) == {-3.0, -1.0, 1.0, 3.0}
    assert found.significance["cross_section"]["rank_ic"]["mean"] > 0.1
    assert found.metrics["books"]["strategy"]["sharpe"] > 1


@pytest.mark.slow
def test_one_network_forecasts_all_symbols_live_and_certified(strategy: Path) -> None:
    settings = {"training__epochs": 2, "model": ATTENTION, "scope": "joint", **RANKED}
    found = run(strategy, **settings)
    assert found.certificate["result"] == "passed"
    assert found.metrics.live_path.first_difference is None
    assert set(found.predictions["symbol"]) == set(SYMBOLS)
    assert found.manifest["fits"]["trained"] == len(found.manifest["windows"])
    again = run(strategy, **settings)
    assert again.manifest["fits"] == {
        "trained": 0,
        "stored": len(found.manifest["windows"]),
    }
