"""A fit of several symbols together: its arrays, the model of each symbol, its file."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pytest

from engine.core.errors import DataError, UsageError
from engine.features.config import TargetSpec
from engine.features.target import forward_returns
from engine.models import FittedForecaster, Forecaster, Prediction, TrainingSpec
from engine.models.fitted_model import FeatureRows
from engine.models.model_file import decode_model, encode_model
from engine.training.datasets import select_feature_rows
from engine.training.jobs import make_fit_tasks
from engine.training.worker import fit_task
from tests.training.histories import WINDOWS
from tests.training.test_pooling import SYMBOLS, history

if TYPE_CHECKING:
    from engine.training.task import FitTask


class FirstColumns(Forecaster):
    """Forecasts the first input of each symbol, over every horizon alike."""

    lookback: ClassVar[int] = 2
    costly: ClassVar[bool] = False
    stochastic: ClassVar[bool] = False
    kind: Literal["first_columns"] = "first_columns"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        return FittedForecaster(self)

    def predict(self, fitted, inputs, rows) -> Prediction:
        first = inputs.inputs[rows][:, [group[0] for group in inputs.groups]]
        known = np.nan_to_num(first.astype(float))
        return Prediction(np.repeat(known, len(inputs.horizons), axis=1))


def tasks(target: TargetSpec | None = None, *, joint: bool = True) -> list[FitTask]:
    model, given = FirstColumns(), history()
    if target is not None:
        close = np.exp(given.trailing_returns[1].fillna(0).cumsum())
        ahead = {bars: forward_returns(close, bars) for bars in target.forecast_horizons}
        given = replace(given, target=target, forward_returns=ahead, trailing_returns=ahead)
    return make_fit_tasks(
        {"strategy": model, "own": model},
        given,
        WINDOWS[:1],
        SYMBOLS,
        training=TrainingSpec(),
        seeds=1,
        seed=7,
        joint=joint,
    )


def own(*, joint: bool = True) -> list[FitTask]:
    return [task for task in tasks(joint=joint) if task.book == "strategy"]


def test_a_joint_fit_sees_the_scaled_inputs_of_all_and_has_a_return_of_each() -> None:
    (first, *others), alone = own(), own(joint=False)
    arrays = first.training_set
    assert all(each.training_set is arrays for each in others)
    assert arrays.symbols == SYMBOLS
    for place, task in enumerate(alone):
        columns = list(arrays.groups[place])
        np.testing.assert_array_equal(arrays.inputs[:, columns], task.training_set.inputs)
        np.testing.assert_array_equal(arrays.target[:, place], task.training_set.target)
    assert arrays.train.tobytes() == alone[0].training_set.train.tobytes()


def test_benchmarks_beside_it_see_their_own_symbol() -> None:
    for task in tasks():
        width = 6 if task.book == "strategy" else 2
        assert task.training_set.inputs.shape[1] == width


def test_the_tasks_of_a_joint_fit_have_one_key_and_one_seed() -> None:
    assert len({task.key("jax", {}) for task in own()}) == 1
    assert len({task.fit_identity for task in own()}) == 1
    assert len({task.seed for task in own()}) == 1
    changed = replace(own()[0].training_set, symbols=("X", "Z", "Y"))
    assert replace(own()[0], training_set=changed).key("jax", {}) != own()[0].key("jax", {})


def test_several_horizons_have_a_column_each_symbol_by_symbol() -> None:
    both = TargetSpec(horizon=1, horizons=(1, 3), strategy="multi_output")
    first, second, *_ = (task for task in tasks(both) if task.book == "strategy")
    assert first.training_set.target.shape[1] == 6
    fitted = second.own_model(fit_task(first))
    assert fitted.train.shape == (len(first.training_set.train), 2)
    np.testing.assert_array_equal(
        fitted.realised, first.training_set.target[first.training_set.validation, 2:4]
    )


def test_each_symbol_has_its_own_column_of_the_forecasts() -> None:
    fitted = fit_task(own()[0])
    for place, task in enumerate(own()):
        model = task.own_model(fitted)
        assert model.input_transform.symbol == task.symbol
        rows, at = select_feature_rows(history(), model, task.symbol, WINDOWS[0].test)
        found = model.predict(rows, at).returns
        scaled = model.input_transform.columns.scale(history().features.values)
        np.testing.assert_array_equal(found, scaled[WINDOWS[0].test, 2 * place])
        np.testing.assert_array_equal(model.train, fitted.train[:, place])
        np.testing.assert_array_equal(
            model.of_symbol("Z").predict(rows, at).returns, scaled[21:30, 4]
        )


def test_a_row_without_the_return_of_a_symbol_is_none_of_its_rows() -> None:
    task = own()[1]
    arrays = task.training_set
    target = arrays.target.copy()
    target[arrays.train[3], 1] = np.nan
    task = replace(task, training_set=replace(arrays, target=target))
    fitted = task.own_model(fit_task(task))
    assert len(fitted.train) == len(arrays.train) - 1
    assert len(fitted.validation) == len(arrays.validation)


def test_an_absent_symbol_is_no_error_but_for_its_own_forecast() -> None:
    first, second, _ = own()
    whole = fit_task(first)
    rows, at = select_feature_rows(history(), second.own_model(whole), "Y", WINDOWS[0].test)
    features = rows.features.copy()
    features[3, 2:4] = np.nan  # Y
    absent = FeatureRows(features, rows.trailing)
    assert np.isfinite(first.own_model(whole).predict(absent, at).returns).all()
    with pytest.raises(DataError, match="not finite"):
        second.own_model(whole).predict(absent, at)
    features[3, 2] = 1.0  # one of two features alone is no absence
    with pytest.raises(DataError, match="not finite"):
        first.own_model(whole).predict(absent, at)


def test_the_file_of_a_joint_model_serves_every_symbol() -> None:
    task = own()[2]
    fitted = task.own_model(fit_task(own()[0]))
    read = decode_model(encode_model("joint", fitted), FirstColumns())
    assert read.input_transform.symbols == SYMBOLS
    rows, at = select_feature_rows(history(), fitted, "Z", WINDOWS[0].test)
    np.testing.assert_array_equal(read.predict(rows, at).returns, fitted.predict(rows, at).returns)
    with pytest.raises(UsageError, match="does not forecast this symbol"):
        read.of_symbol("W")
    with pytest.raises(UsageError, match="no attention over symbols"):
        read.attention_weights(rows, at)
