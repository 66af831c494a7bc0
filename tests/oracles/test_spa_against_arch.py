from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from arch.bootstrap import SPA, StationaryBootstrap, StepM

from engine.evaluation.inference.hac import sharpe_influence
from engine.evaluation.inference.spa import run_superiority_tests, spa_p_values, stepm_p_values

BARS, BOOKS, RESAMPLES, BLOCK = 200, 6, 500, 3


def performances(seed: int, lowest: float, highest: float) -> np.ndarray:
    """Above the benchmark, each scaled by what arch takes for its standard error."""
    generator = np.random.default_rng(seed)
    values = generator.standard_normal((BARS, BOOKS)) + generator.standard_normal((BARS, 1))
    values += np.linspace(lowest, highest, BOOKS)
    test = SPA(np.zeros(BARS), -values, block_size=BLOCK)
    test._compute_variance()
    return values / np.sqrt(test._loss_diff_var)


def own_resamples(values: np.ndarray, seed: int) -> np.ndarray:
    """Root n times the means of the resamples that arch draws with this seed, centred."""
    drawn = StationaryBootstrap(BLOCK, values, seed=np.random.default_rng(seed))
    means = np.array([data[0][0].mean(axis=0) for data in drawn.bootstrap(RESAMPLES)])
    return np.sqrt(BARS) * (means - values.mean(axis=0))


@pytest.mark.parametrize("seed", range(6))
def test_the_p_values_are_archs_on_archs_resamples(seed: int) -> None:
    values = performances(seed, -0.4, 0.2)
    test = SPA(np.zeros(BARS), -values, BLOCK, reps=RESAMPLES, seed=np.random.default_rng(seed))
    test.compute()
    observed = np.sqrt(BARS) * values.mean(axis=0)
    result = spa_p_values(observed, own_resamples(values, seed), BARS)
    # arch takes a share of the resamples, without the observed one.
    assert observed.max() > 0
    for name, p_value in test.pvalues.items():
        expected = (1 + p_value * RESAMPLES) / (1 + RESAMPLES)
        assert result[str(name)] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_the_books_selected_are_archs_on_archs_resamples(seed: int) -> None:
    # Above the benchmark all of them, where arch centres as Romano & Wolf do.
    values = performances(seed, 0.1, 0.4)
    assert (np.sqrt(BARS) * values.mean(axis=0) > -1.8).all()
    test = StepM(np.zeros(BARS), -values, 0.1, BLOCK, RESAMPLES, seed=np.random.default_rng(seed))
    test.compute()
    p_values = stepm_p_values(np.sqrt(BARS) * values.mean(axis=0), own_resamples(values, seed))
    assert [book for book in range(BOOKS) if p_values[book] <= 0.1] == test.superior_models


def test_the_stepwise_p_values_are_those_of_a_loop_over_the_steps() -> None:
    generator = np.random.default_rng(9)
    observed, drawn = 2 * generator.random(BOOKS), generator.standard_normal((RESAMPLES, BOOKS))
    left, expected, before = set(range(BOOKS)), {}, 0.0
    while left:
        best = max(left, key=lambda book: observed[book])
        highest = np.array([max(row[book] for book in left) for row in drawn])
        before = max(before, (1 + np.sum(highest >= observed[best])) / (1 + RESAMPLES))
        expected[best] = before
        left.remove(best)
    assert stepm_p_values(observed, drawn) == [expected[book] for book in range(BOOKS)]


@pytest.mark.slow
@pytest.mark.parametrize("edge", [0.0, 0.05])
def test_superiority_is_archs_on_sharpe_ratios_made_means(edge: float) -> None:
    generator = np.random.default_rng(10)
    market = generator.standard_normal(1_500)
    books = market[:, None] + generator.standard_normal((1_500, 4)) + [edge, 0.0, 0.0, -0.02]
    returns = pd.DataFrame({"market": market} | {f"{at}": books[:, at] for at in range(4)})
    result = run_superiority_tests(returns, "market", 4_000, 0.95, np.random.default_rng(1))
    # A Sharpe ratio and its influence values vary, to first order, as a mean and its bars do.
    linear = returns.apply(lambda book: book.mean() / book.std() + sharpe_influence(book))
    above = linear.drop(columns="market").sub(linear["market"], axis=0)
    scaled = (above / above.std()).to_numpy()
    length = max(1, round(result["block_length_bars"]))
    test = SPA(np.zeros(1_500), -scaled, length, 4_000, seed=np.random.default_rng(2))
    test.compute()
    for name, p_value in test.pvalues.items():
        assert result["spa"][str(name)] == pytest.approx(p_value, abs=0.05)
