"""A training set of several symbols: the rows of each, in time, and no sequence across two."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.features.build import FeatureMatrix
from engine.features.config import TargetSpec
from engine.features.target import forward_returns
from engine.models import Ridge, TrainingSpec
from engine.models.model_file import decode_model, encode_model
from engine.training.datasets import build_training_set
from engine.training.jobs import make_fit_tasks
from engine.training.results import run_fits
from engine.training.store import FitStore
from engine.training.worker import fit_task
from tests.training.histories import STAMPS, WINDOWS, history_of
from tests.training.in_process import InProcess

if TYPE_CHECKING:
    from engine.models.fitted_model import FittedModel
    from engine.training.feature_history import FeatureHistory

SYMBOLS = ("X", "Y", "Z")


def history() -> FeatureHistory:
    """Three symbols with two features each; a value says its symbol, feature and bar."""
    bars = np.arange(40.0)
    values = np.column_stack(
        [bars + 100 * place + 1_000 * k for place in range(3) for k in (0, 1)]
    )
    names = tuple(f"{symbol}:{name}" for symbol in SYMBOLS for name in "ab")
    rng = np.random.default_rng(5)
    close = pd.DataFrame(
        np.exp(0.02 * rng.standard_normal((40, 3)).cumsum(axis=0)), STAMPS, list(SYMBOLS)
    )
    columns = tuple((symbol, (2 * k, 2 * k + 1)) for k, symbol in enumerate(SYMBOLS))
    return replace(
        history_of(),
        features=FeatureMatrix(STAMPS, values, names, columns, warmup=0),
        forward_returns={1: forward_returns(close, 1)},
        trailing_returns={1: close.pct_change(1)},
        target=TargetSpec(),
        own_inputs=True,
    )


def tasks(*, pooled: bool = True, seeds: int = 1):
    return make_fit_tasks(
        {"strategy": Ridge(lookback=3), "ridge": Ridge(lookback=2)},
        history(),
        WINDOWS,
        SYMBOLS,
        training=TrainingSpec(),
        seeds=seeds,
        seed=7,
        pooled=pooled,
    )


def own(*, pooled: bool = True):
    return [task for task in tasks(pooled=pooled) if task.book == "strategy" and not task.window]


def test_without_a_pool_each_model_sees_the_features_of_its_symbol_alone() -> None:
    for task in own(pooled=False):
        assert task.transform.columns.names == (f"{task.symbol}:a", f"{task.symbol}:b")
        alone, _ = build_training_set(history().seen_by(task.symbol), task.symbol, WINDOWS[0], 3)
        assert task.training_set.inputs.tobytes() == alone.inputs.tobytes()


def test_a_pool_holds_the_rows_of_every_symbol_by_bar_then_by_symbol() -> None:
    arrays, alone = own()[0].training_set, own(pooled=False)
    for part in ("train", "validation"):
        expected = np.stack([getattr(task.training_set, part) for task in alone], axis=1)
        found = getattr(arrays, part).reshape(-1, 3)
        lengths = [len(task.training_set.inputs) for task in alone]
        assert (found == expected + np.cumsum([0, *lengths[:-1]])).all()


def test_no_sequence_goes_from_one_symbol_into_the_next() -> None:
    arrays, pool = own()[0].training_set, own()[0].pool
    rows = np.concatenate([arrays.train, arrays.validation])
    symbol = np.searchsorted(pool.edges, rows, side="right")
    first = np.searchsorted(pool.edges, rows - 2, side="right")
    assert (symbol == first).all()


def test_a_pool_splits_into_the_arrays_that_it_was_made_of() -> None:
    pooled = own()[0]
    for (symbol, found), task in zip(
        pooled.pool.split(pooled.training_set), own(pooled=False), strict=True
    ):
        assert symbol == task.symbol
        for name in ("inputs", "trailing", "target", "train", "validation"):
            whole = getattr(task.training_set, name)
            np.testing.assert_array_equal(getattr(found, name), whole)


def test_the_tasks_of_a_pool_have_one_key_and_one_seed_and_others_have_their_own() -> None:
    assert len({task.key("jax", {}) for task in own()}) == 1
    assert len({task.seed for task in own()}) == 1
    assert len({task.key("jax", {}) for task in own(pooled=False)}) == 3


def fits_of(planned, store: FitStore) -> tuple[list[FittedModel], list[str]]:
    executor = InProcess()
    results = run_fits(planned, executor, store, NULL)
    return results.outcomes, executor.fitted


class _Costly(Ridge):
    """Ridge as a model that is stored."""

    costly = True


class _Silent:
    def __getattr__(self, _):
        return lambda *_, **__: None


NULL = _Silent()


def test_a_pool_is_fitted_once_and_each_symbol_has_its_own_scaling_and_rows(tmp_path) -> None:
    planned = [replace(task, model=_Costly(lookback=3)) for task in own()]
    store = FitStore(tmp_path)
    outcomes, fitted = fits_of(planned, store)
    assert fitted == ["strategy 3 symbols window 0 seed 0"]
    whole = fit_task(planned[0])
    for place, (task, outcome) in enumerate(zip(planned, outcomes, strict=True)):
        assert outcome.transform.symbol == task.symbol
        assert outcome.train.tobytes() == whole.train[place::3].tobytes()
        assert outcome.realised.tobytes() == whole.realised[place::3].tobytes()
    again, fitted = fits_of(planned, store)
    assert fitted == []
    for first, second in zip(outcomes, again, strict=True):
        assert first.train.tobytes() == second.train.tobytes()


def test_the_file_of_a_pooled_model_holds_the_scaling_of_every_symbol() -> None:
    fitted = fit_task(own()[0])
    read = decode_model(encode_model("pooled", fitted))
    assert [each.symbol for each in read.pooled] == list(SYMBOLS)
    for one, two in zip(fitted.pooled, read.pooled, strict=True):
        np.testing.assert_array_equal(one.columns.quantiles, two.columns.quantiles)


@pytest.mark.parametrize("changed", ["X", "Z"])
def test_a_pooled_model_learns_from_every_symbol(changed: str) -> None:
    before = fit_task(own()[0])
    arrays = own()[0].training_set
    rows = slice(*own()[0].pool.edges[SYMBOLS.index(changed) :][:2])
    target = arrays.target.copy()
    target[rows] *= 2
    after = fit_task(replace(own()[0], training_set=replace(arrays, target=target)))
    assert not np.allclose(before.train, after.train)
