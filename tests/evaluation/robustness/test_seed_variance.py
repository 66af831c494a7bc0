from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference import bootstrap
from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.seed_variance import decompose_seed_variance


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def books(generator, bars: int, drift: np.ndarray, own: float) -> np.ndarray:
    """What all seeds share of a bar, plus each one's own part and drift."""
    common = generator.standard_normal((bars, 1))
    return common + own * generator.standard_normal((bars, len(drift))) + drift


def test_the_deviation_between_seeds_written_out() -> None:
    returns = books(rng(1), 200, np.array([0.0, 0.1, 0.3]), 0.5)
    variance = decompose_seed_variance(returns, 365.0)
    ratios = [sharpe(returns[:, seed], 365.0) for seed in range(3)]
    assert variance.count == 3
    assert variance.sharpe_by_seed == tuple(ratios)
    mean = sum(ratios) / 3
    assert variance.seed_deviation**2 == pytest.approx(sum((r - mean) ** 2 for r in ratios) / 2)
    assert variance.share == pytest.approx(
        variance.seed_deviation**2 / (variance.seed_deviation**2 + variance.sampling_deviation**2)
    )


def test_the_sampling_deviation_of_equal_seeds_is_the_bootstraps_standard_error() -> None:
    book = 0.02 * rng(2).standard_t(5, 300) + 0.002
    variance = decompose_seed_variance(np.column_stack([book, book]), 252.0)
    expected = bootstrap.StudentisedSharpe([book]).standard_error * np.sqrt(252.0)
    assert variance.sampling_deviation == pytest.approx(expected, rel=1e-9)
    assert variance.seed_deviation == variance.seed_deviation_high == 0.0
    assert variance.share == 0.0


def test_the_two_variances_add_up_to_that_of_a_single_seed() -> None:
    generator = rng(3)
    single, seeds, sampling = [], [], []
    for _ in range(600):
        variance = decompose_seed_variance(
            books(generator, 250, 0.08 * generator.standard_normal(6), 0.6), 1.0
        )
        single.append(variance.sharpe_by_seed[0])
        seeds.append(variance.seed_deviation**2)
        sampling.append(variance.sampling_deviation**2)
    assert np.mean(seeds) + np.mean(sampling) == pytest.approx(np.var(single), rel=0.15)


def test_the_interval_of_the_seeds_deviation_covers_it() -> None:
    generator = rng(4)
    covered = []
    for _ in range(200):
        # So many bars, and so little of each seed's own, that drifts alone set seeds apart.
        drifts = 0.5 * generator.standard_normal(4)
        variance = decompose_seed_variance(books(generator, 400, drifts, 1e-3), 1.0)
        covered.append(variance.seed_deviation_low <= 0.5 <= variance.seed_deviation_high)
    assert 0.91 < np.mean(covered) < 0.99


def test_the_interval_of_two_seeds_is_wide() -> None:
    variance = decompose_seed_variance(books(rng(5), 100, np.array([0.0, 0.1]), 0.5), 1.0)
    assert variance.seed_deviation_low / variance.seed_deviation == pytest.approx(0.446, abs=1e-3)
    assert variance.seed_deviation_high / variance.seed_deviation == pytest.approx(31.9, abs=0.1)


def test_a_seed_that_never_trades_has_no_sharpe_ratio_and_is_not_counted() -> None:
    returns = books(rng(6), 100, np.array([0.0, 0.1, 0.2]), 0.5)
    idle = returns.copy()
    idle[:, 1] = 0.0
    variance = decompose_seed_variance(idle, 1.0)
    assert (variance.count, variance.sharpe_by_seed[1]) == (2, None)
    rest = decompose_seed_variance(returns[:, [0, 2]], 1.0)
    assert (variance.seed_deviation, variance.share) == (rest.seed_deviation, rest.share)


def test_below_two_seeds_there_is_no_seed_variance() -> None:
    returns = books(rng(7), 100, np.array([0.0, 0.1]), 0.5)
    assert decompose_seed_variance(returns[:, :1], 1.0) is None
    assert decompose_seed_variance(returns[:, :0], 1.0) is None
    assert decompose_seed_variance(returns * [1.0, 0.0], 1.0) is None
    assert decompose_seed_variance(np.empty((0, 3)), 1.0) is None


def test_with_few_bars_there_is_no_sampling_deviation() -> None:
    variance = decompose_seed_variance(books(rng(8), 29, np.array([0.0, 0.1]), 0.5), 1.0)
    assert variance.seed_deviation > 0
    assert (variance.sampling_deviation, variance.share) == (None, None)
