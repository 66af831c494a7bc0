from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference.stationary_bootstrap import (
    circular_cell_edges,
    circular_cumsum,
    draw_blocks,
)

BARS = 50


@pytest.mark.parametrize("block_length", [1.0, 1.3, 4.0, 30.0, 400.0])
def test_every_resample_has_as_many_rows_as_the_data(block_length: float) -> None:
    blocks = draw_blocks(np.random.default_rng(0), BARS, block_length, 200)
    assert (blocks.resample_totals(blocks.stop - blocks.start) == BARS).all()


def test_a_value_is_spread_over_the_blocks_of_its_own_resample() -> None:
    blocks = draw_blocks(np.random.default_rng(2), BARS, 4.0, 3)
    spread = blocks.repeat_by_block(np.array([1.0, 2.0, 3.0]))
    lengths = [(blocks.stop - blocks.start)[spread == number].sum() for number in (1, 2, 3)]
    assert lengths == [BARS, BARS, BARS]


def test_the_same_generator_draws_the_same_blocks() -> None:
    one, two = (draw_blocks(np.random.default_rng(7), BARS, 4.0, 9) for _ in range(2))
    np.testing.assert_array_equal(one.start, two.start)
    np.testing.assert_array_equal(one.stop, two.stop)


def test_cells_hold_every_row_once_and_as_many_as_each_other() -> None:
    edges = circular_cell_edges(1_003, 100)
    sizes = np.diff(edges)
    assert (edges[0], edges[100], edges[200]) == (0, 1_003, 2_006)
    assert set(sizes) == {10, 11}
    np.testing.assert_array_equal(sizes[:100], sizes[100:])


def test_blocks_of_cells_are_blocks_of_their_rows() -> None:
    blocks = draw_blocks(np.random.default_rng(1), 100, 3.0, 50)
    values = np.random.default_rng(2).standard_normal(1_000)
    by_cell = values.reshape(100, 10).sum(axis=1)
    rows = blocks.to_rows(circular_cell_edges(1_000, 100))
    np.testing.assert_array_equal(rows.lengths, 10 * blocks.lengths)
    np.testing.assert_allclose(
        rows.block_sums(circular_cumsum(values)), blocks.block_sums(circular_cumsum(by_cell))
    )
