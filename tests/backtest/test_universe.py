"""Several symbols as one book, from the file to the live path."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import LookaheadError
from tests.pipeline.markets import bars, write_market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SYMBOLS = ("AAA", "BBB", "CCC", "DDD")
LONG_SHORT = {
    "signal": {"kind": "threshold"},
    "sizing": {"kind": "fixed"},
    "portfolio": {"allocation": {"kind": "long_short", "quantile": 0.25}},
}


@pytest.fixture(scope="module")
def strategy(module_folder: Path) -> Path:
    tables = {symbol: bars(seed) for seed, symbol in enumerate(SYMBOLS)}
    return write_strategy(module_folder, write_market(module_folder / "market", tables))


def run(strategy: Path, **overrides: object) -> engine.Run:
    folder = strategy.parent
    return engine.run(
        strategy,
        overrides={"inputs": "target", **{k.replace("__", "."): v for k, v in overrides.items()}},
        out=folder / "reports",
        home=folder / "home",
        pages=False,
    )


@pytest.fixture(scope="module")
def universe(strategy: Path) -> engine.Run:
    return run(strategy, data__targets="all")


def test_a_universe_of_one_is_the_run_of_that_symbol(strategy: Path) -> None:
    one, alone = run(strategy, data__targets=["BBB"]), run(strategy, data__target="BBB")
    for table in ("predictions", "positions", "returns", "trades"):
        pd.testing.assert_frame_equal(getattr(one, table), getattr(alone, table), check_exact=True)
    assert one.metrics == alone.metrics
    assert one.significance == alone.significance


def test_each_symbol_is_forecast_as_if_it_were_traded_alone(
    strategy: Path, universe: engine.Run
) -> None:
    assert set(universe.predictions["symbol"]) == set(SYMBOLS)
    alone = run(strategy, data__target="CCC").predictions
    within = universe.predictions.query("symbol == 'CCC'").reset_index(drop=True)
    pd.testing.assert_frame_equal(within, alone.reset_index(drop=True), check_exact=True)


def test_the_book_is_one_and_no_more_than_the_equity(universe: engine.Run) -> None:
    weights = universe.positions.query("book == 'strategy'").pivot_table(
        index="timestamp", columns="symbol", values="weight"
    )
    assert list(weights) == list(SYMBOLS)
    assert weights.abs().sum(axis=1).max() <= 1 + 1e-12
    assert universe.certificate["result"] == "passed"
    assert universe.metrics.live_path.first_difference is None


def test_the_verdict_names_the_book_and_no_symbol(universe: engine.Run) -> None:
    sentence = universe.significance.verdict.sentence
    assert "the strategy" in sentence
    assert [symbol for symbol in SYMBOLS if symbol in sentence] == []


def test_the_analysis_of_the_book_adds_up_and_is_read_back(universe: engine.Run) -> None:
    figures = universe.analysis.universe
    growth = 100 * float(np.log1p(universe.returns["strategy"]).sum())
    assert sum(each.net_pct for each in figures.symbol_figures) == pytest.approx(growth)
    assert all(each.p_value_holm is not None for each in figures.symbol_figures)
    again = engine.open_run(universe.run_dir)
    assert again.analysis.universe == figures
    pd.testing.assert_frame_equal(again.universe, universe.universe)


def test_a_book_without_one_of_the_symbols_is_a_further_try(
    strategy: Path, universe: engine.Run
) -> None:
    before = universe.significance.trials.distinct
    without = run(strategy, data__targets=list(SYMBOLS[:-1])).significance.trials
    assert without.distinct > before
    assert without.idea.targets > 1


def test_a_pooled_long_short_book_finds_an_edge_over_the_cross_section(
    module_folder: Path,
) -> None:
    """A return of a symbol comes again; the market's own moves say nothing."""
    folder = module_folder / "edge"
    tables = {symbol: bars(seed, edge=0.3) for seed, symbol in enumerate(SYMBOLS)}
    folder.mkdir()
    strategy = write_strategy(folder, write_market(folder / "market", tables))
    found = run(strategy, data__targets="all", scope="pooled", costs={}, **LONG_SHORT)
    tests = found.significance["forecasts"]
    assert tests["clark_west"]["no_change"]["p_value"] < 0.01
    assert tests["pesaran_timmermann"]["p_value"] < 0.01
    assert found.metrics["books"]["strategy"]["sharpe"] > 1
    weights = found.positions.query("book == 'strategy'").groupby("timestamp")["weight"]
    np.testing.assert_allclose(weights.sum(), 0.0, atol=1e-12)
    assert found.metrics.live_path.first_difference is None


def test_a_second_run_of_a_pooled_network_trains_nothing(strategy: Path) -> None:
    model = {"kind": "mlp", "lookback": 2, "dense": [4]}
    pooled = {"data__targets": "all", "scope": "pooled", "model": model, "training__epochs": 1}
    first, second = (run(strategy, benchmarks=[], **pooled).manifest for _ in "12")
    assert first["fits"] == {"trained": len(first["windows"]), "stored": 0}
    assert second["fits"] == {"trained": 0, "stored": len(first["windows"])}


def test_shares_that_know_the_next_close_are_caught_as_positions(
    strategy: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from engine.signals import target_weights

    honest = target_weights.fold_portfolio

    def knowing(predicted, positions, sizes, close, spec):
        return honest(predicted, positions, sizes, close.shift(-1).ffill(), spec)

    monkeypatch.setattr(target_weights, "fold_portfolio", knowing)
    shares = {"allocation": {"kind": "inverse_volatility", "window": 10}}
    with pytest.raises(LookaheadError) as caught:
        run(strategy, data__targets="all", portfolio=shares)
    assert caught.value.where.startswith("positions")
