from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference.compiled_resampling import draw_blocks
from engine.evaluation.inference.stationary_bootstrap import circular_cell_edges, circular_cumsum

ROWS = 50


def draw(rng: np.random.Generator, mean_length: float) -> tuple[np.ndarray, np.ndarray]:
    """Starts and lengths of the blocks of one resample of `ROWS` rows."""
    starts, lengths = np.full((2, ROWS), -1)
    count = draw_blocks(rng, ROWS, 1 / mean_length, starts, lengths)
    return starts[:count], lengths[:count]


@pytest.mark.parametrize("mean_length", [1.0, 1.3, 4.0, 30.0, 400.0, 1e9])
def test_every_resample_has_as_many_rows_as_the_data(mean_length: float) -> None:
    rng = np.random.default_rng(0)
    for _ in range(200):
        starts, lengths = draw(rng, mean_length)
        assert lengths.sum() == ROWS
        assert lengths.min() >= 1
        assert starts.min() >= 0
        assert starts.max() < ROWS


def test_blocks_of_mean_length_one_have_one_row_each() -> None:
    _, lengths = draw(np.random.default_rng(1), 1.0)
    np.testing.assert_array_equal(lengths, np.ones(ROWS))


def test_the_same_generator_draws_the_same_blocks() -> None:
    one, two = (draw(np.random.default_rng(7), 4.0) for _ in range(2))
    np.testing.assert_array_equal(one, two)


def test_cells_hold_every_row_once_and_as_many_as_each_other() -> None:
    edges = circular_cell_edges(1_003, 100)
    sizes = np.diff(edges)
    assert (edges[0], edges[100], edges[200]) == (0, 1_003, 2_006)
    assert set(sizes) == {10, 11}
    np.testing.assert_array_equal(sizes[:100], sizes[100:])


def test_cumulative_sums_give_the_sum_of_a_block_that_wraps_around() -> None:
    values = np.random.default_rng(1).standard_normal((ROWS, 2))
    cumulative = circular_cumsum(values)
    assert cumulative.shape == (2 * ROWS + 1, 2)
    wrapped = values[np.arange(45, 57) % ROWS].sum(axis=0)
    np.testing.assert_allclose(cumulative[57] - cumulative[45], wrapped, atol=1e-12)
