from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from scipy.stats import rankdata

from engine.core.errors import UsageError
from engine.evaluation.inference.pbo import (
    BacktestOverfitting,
    probability_of_backtest_overfitting,
)


def noise(seed: int, bars: int, configurations: int) -> np.ndarray:
    return 0.01 * np.random.default_rng(seed).standard_normal((bars, configurations))


def by_a_loop(returns: np.ndarray, blocks: int) -> BacktestOverfitting:
    """The paper's steps, one split at a time on the rows themselves."""
    parts = np.array_split(returns[len(returns) % blocks :], blocks)
    logits, losses = [], []
    for half in combinations(range(blocks), blocks // 2):
        inside = np.concatenate([parts[part] for part in half])
        outside = np.concatenate([parts[part] for part in range(blocks) if part not in half])
        best = np.argmax(inside.mean(axis=0) / inside.std(axis=0))
        ratios = outside.mean(axis=0) / outside.std(axis=0)
        rank = rankdata(ratios)[best] / (returns.shape[1] + 1)
        logits.append(np.log(rank / (1 - rank)))
        losses.append(ratios[best] < 0)
    signs = np.sign(logits)
    return BacktestOverfitting(
        probability=float(np.mean((1 - signs) / 2)),
        median_logit=float(np.median(logits)),
        loss_probability=float(np.mean(losses)),
        splits=len(logits),
        blocks=blocks,
        configurations=returns.shape[1],
    )


@pytest.mark.parametrize("configurations", [2, 3, 8])
@pytest.mark.parametrize("blocks", [2, 6, 8])
def test_block_sums_equal_a_loop_over_the_splits(blocks: int, configurations: int) -> None:
    returns = noise(blocks, 203, configurations) + 0.001 * np.arange(configurations)
    assert probability_of_backtest_overfitting(returns, blocks) == by_a_loop(returns, blocks)


def test_the_oldest_bars_are_left_out_where_the_blocks_do_not_fill_them() -> None:
    returns = noise(1, 165, 4)
    strange = np.vstack([np.full((5, 4), 9.0), returns[5:]])
    assert probability_of_backtest_overfitting(strange) == probability_of_backtest_overfitting(
        returns[5:]
    )


@pytest.mark.parametrize("configurations", [2, 3, 20])
def test_selection_among_noise_has_a_probability_of_one_half(configurations: int) -> None:
    result = [
        probability_of_backtest_overfitting(noise(seed, 320, configurations), 8).probability
        for seed in range(200)
    ]
    # A little above: what was luck in one half is missing in the other.
    assert 0.47 < np.mean(result) < 0.60


def test_one_truly_better_configuration_is_not_overfitting() -> None:
    returns = noise(2, 800, 12)
    returns[:, 7] += 0.003
    result = probability_of_backtest_overfitting(returns)
    assert result.splits == 12_870
    assert result.probability < 0.02
    assert result.median_logit > 2
    assert result.loss_probability < 0.02


def test_a_configuration_good_in_one_half_only_is_overfitting() -> None:
    # Each is good in a few parts of its own and worse than the plain one in all others.
    returns = noise(3, 800, 9)
    returns[:, :8] -= 0.002
    for configuration in range(8):
        returns[configuration * 100 : (configuration + 1) * 100, configuration] += 0.03
    result = probability_of_backtest_overfitting(returns)
    assert result.probability > 0.9
    assert result.loss_probability > 0.9


def test_equal_configurations_have_a_probability_of_one_half() -> None:
    same = np.repeat(noise(4, 160, 1), 3, axis=1)
    assert probability_of_backtest_overfitting(same).probability == 0.5
    assert probability_of_backtest_overfitting(same).median_logit == 0.0


def test_a_configuration_that_never_trades_earns_nothing() -> None:
    losing = np.column_stack([np.zeros(160), noise(5, 160, 1) - 0.02])
    result = probability_of_backtest_overfitting(losing)
    assert (result.probability, result.loss_probability) == (0.0, 0.0)


@pytest.mark.parametrize(("bars", "configurations"), [(63, 5), (0, 5), (200, 1), (200, 0)])
def test_no_result_without_a_choice_or_without_bars(bars: int, configurations: int) -> None:
    assert probability_of_backtest_overfitting(noise(6, bars, configurations)) is None


@pytest.mark.parametrize("blocks", [0, 1, 15, -2])
def test_an_odd_number_of_blocks_has_no_halves(blocks: int) -> None:
    with pytest.raises(UsageError, match=r"even number of blocks"):
        probability_of_backtest_overfitting(noise(7, 200, 3), blocks)
