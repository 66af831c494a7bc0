"""Permutation importance: noise is not called important, a planted input is."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom

from engine.interpretation.permutation_importance import (
    added_correlation,
    permutation_changes,
    permute_blocks,
)
from tests.interpretation.functions import feature_groups, make_sequences, newest, of_newest

BARS = 300
STAMPS = np.datetime64("2020-01-01") + np.arange(BARS)


def draw_features(rng: np.random.Generator) -> np.ndarray:
    """Four inputs with a memory, the first two nearly the same."""
    noise = rng.standard_normal((BARS + 1, 4))
    for row in range(1, len(noise)):
        noise[row] += 0.8 * noise[row - 1]
    noise[:, 1] = noise[:, 0] + 0.1 * noise[:, 1]
    return noise


def p_values(seed: int, edge: float = 0.0) -> list[float]:
    """Of each input; the volatility has a memory, the third input maybe an edge."""
    rng = np.random.default_rng(seed)
    rows = make_sequences(BARS, 4, values=draw_features(rng))
    # Weights that cancel each other on the two inputs that are nearly the same.
    forecast = of_newest(lambda x: x @ np.array([3.0, -3.0, 1.0, 0.2]))
    volatility = np.exp(0.5 * newest(make_sequences(BARS, 4, values=draw_features(rng)))[:, 0])
    outcome = volatility * rng.standard_normal(BARS) + edge * newest(rows)[:, 2]
    changes = permutation_changes(
        forecast, rows, feature_groups(4), permutations=3, block=20, rng=rng
    )
    found = [
        added_correlation(changes[:, place], forecast(rows), outcome, STAMPS, 0.95)
        for place in range(4)
    ]
    return [each.p_value or 0.0 for each in found]


def test_noise_is_called_important_no_more_often_than_the_level() -> None:
    markets = 200
    rejected = np.sum([[p < 0.05 for p in p_values(seed)] for seed in range(markets)], axis=0)

    assert (rejected <= binom.ppf(0.999, markets, 0.05)).all()


def test_a_planted_input_is_found_and_no_other() -> None:
    found = np.array([p_values(seed, edge=0.5) for seed in range(20)])

    assert (found[:, 2] < 0.01).all()
    assert (found[:, 3] > 0.001).all()


def test_the_symbols_of_a_bar_are_one_observation() -> None:
    rng = np.random.default_rng(1)
    change, outcome = rng.standard_normal((2, BARS))

    one = added_correlation(change, change, outcome, STAMPS, 0.95)
    copies = added_correlation(*(np.repeat(x, 5) for x in (change, change, outcome, STAMPS)), 0.95)

    assert copies.p_value == pytest.approx(one.p_value)
    assert copies.estimate == pytest.approx(one.estimate)


@pytest.mark.parametrize("count", [1, 7, 20, 61])
def test_a_permutation_has_every_row_once_and_keeps_blocks(count: int) -> None:
    permuted = permute_blocks(count, 20, np.random.default_rng(3))

    assert sorted(permuted) == list(range(count))
    together = np.diff(permuted) % count == 1
    assert together.sum() >= count - 2 - count // 20
