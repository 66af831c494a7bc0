"""Which rows of a pooled training set are those of a symbol."""

from __future__ import annotations

import copy
from dataclasses import replace

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from engine.models.dataset import TrainingSet
from engine.training.pooling import Pool, pool_training_sets
from tests.hypothesis_examples import examples


def arrays_of(count: int, bars: int, seed: int) -> TrainingSet:
    rng = np.random.default_rng(seed)
    rows = np.flatnonzero(rng.random(bars) < 0.7)
    train, validation = np.split(rows, [count])
    values = rng.standard_normal(bars)
    return TrainingSet(
        inputs=values[:, None].astype(np.float32),
        target=values,
        trailing=values,
        groups=((0,),),
        train=train,
        validation=validation,
    )


@examples(25)
@given(st.lists(st.integers(0, 2**16), min_size=1, max_size=5), st.integers(5, 20))
def test_each_symbol_gets_its_own_arrays_back(seeds: list[int], count: int) -> None:
    parts = [(f"S{place}", arrays_of(count, 60, seed), None) for place, seed in enumerate(seeds)]
    pooled, pool = pool_training_sets(parts)
    for made in (pool, copy.deepcopy(pool)):
        for _ in range(2):  # the second time from what the first one found
            for (symbol, own, _), (name, again) in zip(parts, made.split(pooled), strict=True):
                assert name == symbol
                np.testing.assert_array_equal(again.train, own.train)
                np.testing.assert_array_equal(again.validation, own.validation)
                np.testing.assert_array_equal(again.inputs, own.inputs)


def test_rows_of_another_array_are_other_rows() -> None:
    pooled, pool = pool_training_sets(
        [("A", arrays_of(9, 40, 1), None), ("B", arrays_of(9, 40, 2), None)]
    )
    assert isinstance(pool, Pool)
    fewer = replace(pooled, train=pooled.train[::2].copy())
    for (_, whole), (_, half) in zip(pool.split(pooled), pool.split(fewer), strict=True):
        assert set(half.train) <= set(whole.train)
    split = [own.train for _, own in pool.split(fewer)]
    assert sum(map(len, split)) == len(fewer.train)
