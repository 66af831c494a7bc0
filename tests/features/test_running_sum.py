"""The running sum against pandas, whose bits it has to give."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.features.running_sum import RunningSum


def uneven_values(seed: int) -> np.ndarray:
    """Numbers of very different sizes, with zeros, equal ones, and some that are missing."""
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, rng.choice([0.1, 1, 20]), 300)
    values[40:80], values[120:160] = 0, values[120]
    values[rng.integers(160, 300, 3)] = (np.nan, np.inf, 1e300)
    return values


@pytest.mark.parametrize("window", [2, 3, 14, 39])
def test_a_sum_continued_from_its_state_gives_the_bits_of_pandas(window: int) -> None:
    for seed in range(20):
        values = uneven_values(seed)
        expected = pd.Series(values).rolling(window).sum()
        sums, state = [], np.empty(0)
        for part in np.split(values, [1, 2, 30, 130, 131, 200]):
            running = RunningSum.from_state(window, state)
            sums.append(running.extend(part))
            state = running.to_state()
        np.testing.assert_array_equal(np.concatenate(sums), expected)
        assert len(state) == 5 + window
