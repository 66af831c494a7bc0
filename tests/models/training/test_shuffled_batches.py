"""An epoch's batches: every row once; where order matters, stretches of consecutive rows."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.training.batches import make_shuffled_batches

counts = st.tuples(st.integers(1, 400), st.integers(2, 90), st.integers(0, 99))


@pytest.mark.parametrize("ordered", [False, True])
@given(counts)
def test_every_row_is_in_exactly_one_batch(ordered: bool, given_) -> None:
    count, size, seed = given_
    rows = np.arange(7, 7 + count)
    batches = make_shuffled_batches(rows, size, np.random.default_rng(seed), consecutive=ordered)
    assert sorted(batches.rows[batches.mask]) == rows.tolist()


@given(counts)
def test_an_ordered_batch_is_a_stretch_of_consecutive_rows_before_its_padding(given_) -> None:
    count, size, seed = given_
    rows = np.arange(7, 7 + count)
    batches = make_shuffled_batches(rows, size, np.random.default_rng(seed), consecutive=True)
    for row, real in zip(batches.rows, batches.mask, strict=True):
        assert (np.diff(row[real]) == 1).all()
        assert real[: real.sum()].all()


def test_the_order_comes_from_the_generator_alone() -> None:
    rows = np.arange(300)
    first, same, other = (
        make_shuffled_batches(rows, 16, np.random.default_rng(seed), consecutive=True).rows
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
