"""The live path, bar by bar, equals the backtest, all bars at once, to the last bit."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

import engine
from engine.core.book_names import STRATEGY_BOOK
from engine.live.parity.strategy_replay import replay_result
from engine.selftest.random_strategies import draw_case
from engine.strategy import load_strategy
from tests.live.replays import assert_equal, backtest, drawn_backtest, replay_live
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.live import Replay
    from engine.pipeline.result import BacktestResult


@pytest.mark.parametrize("seed", [0, 3, 8])
def test_a_strategy_drawn_at_random_is_traded_live_as_it_is_tested(
    seed: int, tmp_path: Path
) -> None:
    result = drawn_backtest(seed, tmp_path)
    replay = replay_live(result, tmp_path, bars=60)
    assert_equal(replay)
    assert replay.bars == 60


@pytest.mark.slow
@pytest.mark.parametrize("block", range(8))
def test_hundreds_of_strategies_are_traded_live_as_they_are_tested(
    block: int, tmp_path: Path
) -> None:
    traded = 0
    for seed in range(1_000 + 25 * block, 1_025 + 25 * block):
        result = drawn_backtest(seed, tmp_path)
        whole, newest = replay_live(result, tmp_path), replay_live(result, tmp_path, bars=23)
        assert (seed, whole.first_difference) == (seed, None)
        assert (seed, newest.first_difference) == (seed, None)
        assert whole.bars == whole.out_of_sample_bars == len(result.prepared.span)
        assert whole.windows == len(result.prepared.windows)
        traded += whole.compared.fills
    assert traded > 1_000


def small_backtest(folder: Path, model: str, **changes: object) -> BacktestResult:
    file = write_strategy(folder, market(folder / "market", edge=0.3), model)
    spec = load_strategy(file, changes)
    return backtest(spec, engine.load_market(spec, home=folder), folder / "home")


RIDGE = "{kind: ridge}"
MLP = "{kind: mlp, dense: [4], lookback: 3}"
QUANTILES = {"kind": "quantile", "levels": [0.1, 0.5, 0.9]}
SHAPES = {
    "a fit for each of several horizons": (RIDGE, {"target.horizons": [1, 2, 5]}),
    "a network for several horizons": (
        MLP,
        {"target": {"horizon": 2, "horizons": [1, 2, 5], "strategy": "multi_output"}, "seeds": 2},
    ),
    "a network step by step": (
        MLP,
        {"target": {"horizon": 2, "horizons": [1, 2], "strategy": "recursive"}},
    ),
    "sizes by quantiles": (
        MLP,
        {"training.loss": QUANTILES, "sizing": {"kind": "interval"}, "seeds": 2},
    ),
    "windows that start warm": (MLP, {"training.warm_start": "previous_window"}),
    "a boosted model, stored": ("{kind: gradient_boosting, trees: 10, lookback: 2}", {}),
    "an ensemble": ("{kind: ensemble, members: [{kind: ridge}, {kind: drift}]}", {}),
    "coarser bars": (RIDGE, {"resolutions": ["1w"], "windows.train": 200}),
    "the trailing return": ("{kind: persistence}", {"target.horizon": 3}),
    "a delay, the close and a margin": (
        RIDGE,
        {"execution": {"delay": 3, "price": "close", "maintenance_margin": 0.9}},
    ),
    "interest on cash": (RIDGE, {"rates": {"risk_free": 0.03, "cash": "risk_free"}}),
    "a rolling scaling": (RIDGE, {"scaling": {"kind": "rolling_zscore", "window": 30}}),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_whatever_a_strategy_file_allows_is_traded_live_as_it_is_tested(
    shape: str, tmp_path: Path
) -> None:
    model, changes = SHAPES[shape]
    result = small_backtest(tmp_path, model, **changes)
    assert_equal(replay_live(result, tmp_path / "home"))


def first_differing(result: BacktestResult, changed: BacktestResult) -> Replay:
    """A replay of the one compared with the other."""
    honest = replay_result(result, bars=20)
    assert honest.is_equal
    return replay_result(changed, bars=20)


def test_a_weight_that_differs_in_its_last_bit_is_found_and_named(tmp_path: Path) -> None:
    result = drawn_backtest(4, tmp_path)
    weights = result.weights[STRATEGY_BOOK].copy()
    place = -7
    weights.iloc[place] = np.nextafter(weights.iloc[place].to_numpy(), 2.0)
    replay = first_differing(result, replace(result, weights={STRATEGY_BOOK: weights}))
    assert not replay.is_equal
    assert replay.differing.forecasts == replay.differing.levels == 0
    assert replay.differing.weights == 1
    assert replay.first_difference.kind == "weights"
    assert replay.first_difference.bar == weights.index[place].isoformat()
    assert replay.first_difference.backtest == weights.iloc[place].item()
    assert replay.first_difference.live == result.weights[STRATEGY_BOOK].iloc[place].item()
    assert replay.first_difference.compared_with == "backtest"


def test_a_book_that_knew_a_later_price_is_found(tmp_path: Path) -> None:
    result = drawn_backtest(1, tmp_path)
    book = result.books[STRATEGY_BOOK]
    richer = replace(book, returns=book.returns + 1e-16 * (book.returns != 0))
    changed = replace(result, books={STRATEGY_BOOK: richer})
    replay = replay_result(changed)
    assert replay.differing.equity > 0
    assert replay.differing.weights == replay.differing.fills == 0
    assert replay.first_difference.name == "return"


def test_no_bar_is_no_replay(tmp_path: Path) -> None:
    file = write_strategy(tmp_path, market(tmp_path / "market"))
    with pytest.raises(engine.core.errors.UsageError, match="nothing would be replayed"):
        engine.replay(file, bars=0, home=tmp_path)


def test_more_bars_than_there_are_is_all_of_them(tmp_path: Path) -> None:
    result = drawn_backtest(0, tmp_path)
    replay = replay_result(result, bars=10_000)
    assert replay.bars == replay.out_of_sample_bars == len(result.prepared.span)
    assert draw_case(0).spec.name == replay.strategy
