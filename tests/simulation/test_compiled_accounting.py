from __future__ import annotations

import importlib
import inspect
import pkgutil

import numpy as np

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


def test_the_compiled_fold_is_kept_by_the_digest_of_the_sources():
    fold = compiled.compile_fold(5)
    assert inspect.getclosurevars(fold.py_func).nonlocals == {"sources": 5}


def test_numba_finds_compiled_closures_by_their_variables(tmp_path, monkeypatch):
    (tmp_path / "closures.py").write_text(
        "from numba import njit\n"
        "def add(number):\n"
        "    def added(value):\n"
        "        return value + number\n"
        "    return njit(cache=True)(added)\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    closures = importlib.import_module("closures")
    found = [(add(0), len(add.stats.cache_hits)) for add in map(closures.add, (1, 2, 1))]
    assert found == [(1, 0), (2, 0), (1, 1)]
