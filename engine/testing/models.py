"""The contract of models."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.models import Forecaster, ModelInputs, TrainingSet, TrainingSpec
from engine.models.contract import check_prediction
from engine.models.fitted import check_fitted
from engine.models.fitted_model import FittedModel
from engine.models.model_file import decode_model, encode_model
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector
    from engine.models import CoarseInputs, FittedForecaster

_KNOWN_TEST_ROWS = 40
"""Test rows before the bar from which everything is replaced."""

_ALONE = [0, 7]
"""Test rows that are also predicted alone."""


@dataclass(frozen=True, eq=False)
class ModelExample:
    """A window for tests of a model: what it learns from, and rows that it has not seen.

    Attributes:
        training_set: Arrays up to the last validation row.
        inputs: Inputs of all rows.
        test: Rows of `inputs` after the validation rows.
        target: (n,) or (n, m) returns of all rows.
    """

    training_set: TrainingSet
    inputs: ModelInputs
    test: IntVector
    target: Vector | Matrix


def make_example(
    seed: int = 0, *, edge: float = 0.6, rows: int = 460, noise: float = 0.01
) -> ModelExample:
    """A window of three series of one column each, with something to learn.

    The return of the next bar is `noise` x (`edge` x_1 + sqrt(1 - `edge`^2) e), x_1 the first
    series and e standard normal.

    Args:
        seed: Of the random numbers.
        edge: Correlation of the first series and the return.
        rows: Bars; the last of them, from 372 on, are the test part.
        noise: Standard deviation of the return.
    """
    rng = np.random.default_rng(seed)
    values = rng.normal(size=(rows, 3)).astype(np.float32)
    target = noise * (edge * values[:, 0] + np.sqrt(1 - edge**2) * rng.normal(size=rows))
    inputs = ModelInputs(
        inputs=values, trailing=np.roll(target, 1), groups=((0,), (1,), (2,)), horizons=(1,)
    )
    first = 29
    train, validation = np.arange(first, first + 281), np.arange(first + 282, first + 342)
    return ModelExample(
        cut_training_set(inputs, target, train, validation),
        inputs,
        np.arange(first + 343, rows),
        target,
    )


def cut_training_set(
    inputs: ModelInputs, target: Vector | Matrix, train: IntVector, validation: IntVector
) -> TrainingSet:
    """The training set of some inputs, which ends with the last validation row.

    The inputs of a recursive forecast have one row more, whose target is NaN.

    Args:
        inputs: Inputs of more rows.
        target: (n,) or (n, m) returns of the rows of `inputs`.
        train: Rows to fit on.
        validation: Rows for early stopping.
    """
    stop = int(validation[-1]) + 1
    rows = slice(0, stop + inputs.recursive)
    known_returns = target[rows].copy()
    known_returns[stop:] = np.nan
    known = {part.name: getattr(inputs, part.name) for part in fields(inputs)}
    changed = {
        "inputs": inputs.inputs[rows],
        "trailing": inputs.trailing[rows],
        "coarse": tuple(_cut_coarse_inputs(coarse, rows) for coarse in inputs.coarse),
    }
    return TrainingSet(
        **{**known, **changed}, target=known_returns, train=train, validation=validation
    )


def _cut_coarse_inputs(coarse: CoarseInputs, rows: slice) -> CoarseInputs:
    latest = coarse.latest[rows]
    return replace(coarse, inputs=coarse.inputs[: latest.max() + 1], latest=latest)


def check_model(
    model: Forecaster,
    *,
    training: TrainingSpec | None = None,
    example: ModelExample | None = None,
    seed: int = 1,
) -> None:
    """Fits a model several times, predicts, and compares.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; a fit of
    NumPy arrays and JSON; one finite return a row and horizon; the same bytes from the same seed;
    a row's prediction depends on its sequence alone, so on no later bar, on none before the
    `lookback` and on no other row of the call; the same predictions from the fit as read from a
    file; untouched inputs; for a model that says it is not stochastic, the same bytes from every
    seed; for one that says it is `multi_output`, one return a horizon.

    Args:
        model: The model.
        training: How it is trained; few epochs are enough.
        example: What it is fitted on; `make_example()` unless its features need another.
        seed: Of the fits.

    Raises:
        ContractError: The first rule that is broken.
    """
    check_part(model, (Forecaster,))
    settings = training or TrainingSpec(epochs=3)
    window = example or make_example()
    learnt_from, inputs = _copy_arrays(window.training_set), _copy_arrays(window.inputs)
    fitted = _fit(model, window, settings, seed)
    rule = "fit leaves the training set as it is"
    _require_untouched(model, rule, learnt_from, window.training_set)
    predicted = _predict(model, fitted, window.inputs, window.test)
    _require_untouched(model, "predict leaves the inputs as they are", inputs, window.inputs)
    again = _predict(model, _fit(model, window, settings, seed), window.inputs, window.test)
    _require_same(model, "the same seed gives the same bytes", predicted, again)
    _check_row_independence(model, fitted, window, predicted)
    _check_file(model, fitted, window, predicted)
    if not model.stochastic:
        other = _predict(
            model, _fit(model, window, settings, seed + 1), window.inputs, window.test
        )
        rule = "a model that is not stochastic predicts the same from every seed"
        _require_same(model, rule, predicted, other)
    if model.multi_output and example is None:
        joint = _with_two_horizons(window)
        _predict(model, _fit(model, joint, settings, seed), joint.inputs, joint.test)


def _fit(
    model: Forecaster, window: ModelExample, training: TrainingSpec, seed: int
) -> FittedForecaster:
    fitted = model.fit(window.training_set, training, seed)
    check_fitted(model, fitted)
    return fitted


def _predict(
    model: Forecaster, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
) -> np.ndarray:
    prediction = fitted.predict(inputs, rows)
    check_prediction(model.kind, inputs, rows, prediction)
    return prediction.returns


def _check_row_independence(
    model: Forecaster, fitted: FittedForecaster, window: ModelExample, predicted: np.ndarray
) -> None:
    rule = "the prediction of a row is the same alone and among others"
    alone = [_predict(model, fitted, window.inputs, row[None]) for row in window.test[_ALONE]]
    _require_same(model, rule, predicted[_ALONE], np.concatenate(alone))
    backwards = _predict(model, fitted, window.inputs, window.test[::-1])[::-1]
    _require_same(model, rule, predicted, backwards)
    known = slice(0, _KNOWN_TEST_ROWS)
    altered = _predict(model, fitted, _replace_later_bars(window), window.test)
    rule = "later bars do not change the prediction of a row"
    _require_same(model, rule, predicted[known], altered[known])
    rule = "the prediction of a row depends on no bar before its sequence"
    last = np.array([model.lookback - 1])
    cut = [
        _predict(model, fitted, _cut_sequence(window.inputs, row, model.lookback), last)
        for row in window.test[_ALONE]
    ]
    _require_same(model, rule, predicted[_ALONE], np.concatenate(cut))


def _check_file(
    model: Forecaster, fitted: FittedForecaster, window: ModelExample, predicted: np.ndarray
) -> None:
    none = np.empty(0)
    raw = encode_model("contract", FittedModel(fitted, none, none, none[:, None]))
    read = decode_model(raw, model).forecaster
    rule = "a fit that is written to a file and read predicts the same"
    _require_same(model, rule, predicted, _predict(model, read, window.inputs, window.test))


def _require_same(model: Forecaster, rule: str, one: np.ndarray, two: np.ndarray) -> None:
    require(model.kind, rule, kept=one.tobytes() == two.tobytes(), found="other predictions")


def _with_two_horizons(window: ModelExample) -> ModelExample:
    own = window.training_set
    target = np.column_stack([own.target, np.roll(own.target, -2)])
    return replace(
        window,
        training_set=replace(own, horizons=(1, 3), target=target),
        inputs=replace(window.inputs, horizons=(1, 3)),
    )


def _replace_later_bars(window: ModelExample) -> ModelInputs:
    """Other inputs and returns behind a test row."""
    inputs = window.inputs
    later = np.arange(len(inputs.inputs)) >= window.test[_KNOWN_TEST_ROWS]
    noise = np.random.default_rng(9).normal(size=inputs.inputs.shape).astype(np.float32)
    return replace(
        inputs,
        inputs=np.where(later[:, None], noise, inputs.inputs),
        trailing=np.where(later, 7.0, inputs.trailing),
    )


def _cut_sequence(inputs: ModelInputs, row: int, lookback: int) -> ModelInputs:
    """The inputs without the bars before a row's sequence and after the row."""
    rows = slice(row - lookback + 1, row + 1)
    return replace(
        inputs,
        inputs=inputs.inputs[rows],
        trailing=inputs.trailing[rows],
        coarse=tuple(replace(coarse, latest=coarse.latest[rows]) for coarse in inputs.coarse),
    )


def _copy_arrays(inputs: ModelInputs) -> dict[str, np.ndarray]:
    arrays = {part.name: getattr(inputs, part.name) for part in fields(inputs)}
    return {name: a.copy() for name, a in arrays.items() if isinstance(a, np.ndarray)}


def _require_untouched(
    model: Forecaster, rule: str, before: dict[str, np.ndarray], inputs: ModelInputs
) -> None:
    for name, array in before.items():
        require(
            model.kind,
            rule,
            kept=np.array_equal(array, getattr(inputs, name), equal_nan=True),
            found=f"another `{name}`",
        )
