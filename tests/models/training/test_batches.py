"""Mini-batches: fixed shapes, near-equal sizes, every row exactly once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.models.training.batches import make_even_batches, make_shuffled_batches

rows_and_size = st.tuples(st.integers(1, 500), st.integers(2, 130), st.integers(0, 10_000))


@given(rows_and_size)
def test_every_row_is_in_exactly_one_batch_in_its_order(given_) -> None:
    count, size, first = given_
    rows = np.arange(first, first + count)
    batches = make_even_batches(rows, size)
    assert batches.rows[batches.mask].tolist() == rows.tolist()


@given(rows_and_size)
def test_batches_are_fewest_and_differ_by_at_most_one_row(given_) -> None:
    count, size, _ = given_
    batches = make_even_batches(np.arange(count), size)
    sizes = batches.mask.sum(axis=1)
    assert len(sizes) == -(-count // size)
    assert sizes.max() - sizes.min() <= 1


@given(rows_and_size)
def test_padding_repeats_a_real_row_to_one_batch_shape(given_) -> None:
    count, size, first = given_
    rows = np.arange(first, first + count)
    batches = make_even_batches(rows, size)
    assert batches.rows.shape == batches.mask.shape == (len(batches.rows), size)
    assert set(batches.rows.ravel().tolist()) <= set(rows.tolist())


counts = st.tuples(st.integers(1, 400), st.integers(2, 90), st.integers(0, 99))


@pytest.mark.parametrize("ordered", [False, True])
@given(counts)
def test_every_row_is_in_exactly_one_batch(ordered: bool, given_) -> None:
    count, size, seed = given_
    rows = np.arange(7, 7 + count)
    batches = make_shuffled_batches(rows, size, np.random.default_rng(seed), consecutive=ordered)
    assert sorted(batches.rows[batches.mask]) == rows.tolist()


@given(counts)
def test_an_ordered_batch_is_a_block_of_consecutive_rows(given_) -> None:
    count, size, seed = given_
    rows = np.arange(7, 7 + count)
    batches = make_shuffled_batches(rows, size, np.random.default_rng(seed), consecutive=True)
    for row, real in zip(batches.rows, batches.mask, strict=True):
        assert (np.diff(row[real]) == 1).all()
        assert real[: real.sum()].all()


def test_the_order_depends_on_the_generator_only() -> None:
    rows = np.arange(300)
    first, same, other = (
        make_shuffled_batches(rows, 16, np.random.default_rng(seed), consecutive=True).rows
        for seed in (1, 1, 2)
    )
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
