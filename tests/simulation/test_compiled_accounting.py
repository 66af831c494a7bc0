from __future__ import annotations

import inspect
import pkgutil

import numpy as np
import pytest

from engine.simulation import accounting
from engine.simulation.accounting import compiled


def bought_and_held(fold) -> float:
    """Equity after three bars of one symbol without costs, half of it bought at the first."""
    rows, one = 3, lambda value: np.full((1, 1), value)
    prices = np.array([[1.0], [2.0], [4.0]])
    rates = (
        *(one(value) for value in (0.0, 0.0, 0.0, 0.0, np.inf, 0.0, np.inf)),
        *(np.zeros((1, 0, 3)), one(0.0), np.zeros(1), np.nan, one(0.0), one(0.0)),
    )
    kept = (
        *(np.zeros(rows), np.zeros(rows), np.zeros((rows, 1)), np.zeros(rows), np.zeros(rows)),
        *(np.zeros(rows), np.zeros(rows), np.zeros(rows, np.bool_)),
        *(np.full((rows, 1), np.nan), np.zeros((rows, 1)), np.zeros(1, np.int64)),
    )
    due = np.array([[0.5], [np.nan], [np.nan]])
    fold(
        (due, np.ones((rows, 1), np.bool_), 1), (prices, prices, np.zeros(rows)), rates, 0.0, kept
    )
    return float(kept[0][-1])


def test_the_digest_is_over_every_module_of_the_arithmetic():
    names = {name for _, name, _ in pkgutil.iter_modules(accounting.__path__)}
    digested = {inspect.getmodulename(module.__file__) for module in compiled.CALLED}
    assert digested == names - {"compiled"}


def test_the_fold_computes_the_same_compiled():
    assert bought_and_held(compiled.fold_arrays) == bought_and_held(accounting.fold_arrays) == 2.5


@pytest.mark.slow
def test_code_that_was_compiled_for_other_sources_is_not_used():
    digest = compiled.digest_sources()
    for sources, expected in ((digest, 1), (digest ^ 1, 0)):
        fold = compiled.compile_fold(sources)
        bought_and_held(fold)
        assert sum(fold.stats.cache_hits.values()) == expected
