"""The contract of forecasters without Keras."""

from __future__ import annotations

from itertools import islice

import numpy as np
import pytest
from sklearn.ensemble import HistGradientBoostingRegressor
from sklearn.linear_model import Ridge as Regression

from engine.models import (
    AlwaysUp,
    Drift,
    GradientBoosting,
    Persistence,
    Ridge,
    TrainingSpec,
    dataset,
)
from engine.models.baselines import ridge
from tests.models.planted_data import WITHOUT_KERAS, change, fit_and_predict, planted

pytestmark = pytest.mark.usefixtures("one_thread")


def with_target(window, rows, value):
    target = window.target.copy()
    target[rows] = value
    return change(window, target=target)


@pytest.mark.parametrize("model", WITHOUT_KERAS, ids=repr)
def test_forecasts_one_finite_return_per_row(model) -> None:
    window = planted()
    forecast = fit_and_predict(model, window)
    rows = (window.training_set.train, window.training_set.validation, window.test)
    for predicted, part in zip(
        (forecast.train, forecast.validation, forecast.test), rows, strict=True
    ):
        assert predicted.shape == part.shape
        assert predicted.dtype == np.float64
        assert np.isfinite(predicted).all()


@pytest.mark.parametrize(
    "model", [model for model in WITHOUT_KERAS if not model.stochastic], ids=repr
)
def test_a_deterministic_model_has_one_forecast_for_all_seeds(model) -> None:
    first, other = (fit_and_predict(model, planted(), seed=seed) for seed in (1, 2))
    assert first.test.tobytes() == other.test.tobytes()


@pytest.mark.parametrize("model", [Ridge(), GradientBoosting()], ids=repr)
def test_finds_a_planted_signal(model) -> None:
    window = planted(edge=0.6)
    forecast = fit_and_predict(model, window)
    assert np.corrcoef(forecast.test, window.target[window.test])[0, 1] > 0.4


def test_ridge_chooses_the_best_penalty_on_validation_rows() -> None:
    window = planted(edge=0.0)
    fits = {a: fit_and_predict(Ridge(alphas=(a,)), window) for a in (0.01, 1e6)}
    chosen = fit_and_predict(Ridge(alphas=(0.01, 1e6)), window)
    assert np.array_equal(chosen.test, fits[1e6].test)


def test_ridge_predicts_what_scikit_learn_does() -> None:
    window = planted()
    known = window.training_set
    model = Ridge(alphas=(10.0,))
    reference = Regression(alpha=10.0, solver="cholesky").fit(
        known.flat_sequences(known.train, 5), known.target[known.train]
    )
    expected = reference.predict(window.inputs.flat_sequences(window.test, 5))
    np.testing.assert_allclose(fit_and_predict(model, window).test, expected, rtol=0, atol=1e-15)


def test_boosting_learns_a_nonlinear_signal() -> None:
    window = planted(edge=0.0, rows=1400)
    product = window.inputs.inputs[:, 0] * window.inputs.inputs[:, 1]
    window = change(
        window,
        target=window.target + 0.02 * product,
        train=np.arange(29, 1000),
        validation=np.arange(1001, 1200),
        test=np.arange(1201, 1400),
    )
    truth = window.target[window.test]
    linear, boosted = (
        np.corrcoef(fit_and_predict(model, window).test, truth)[0, 1]
        for model in (Ridge(lookback=2), GradientBoosting(lookback=2))
    )
    assert linear < 0.2
    assert boosted > 0.5


@pytest.mark.parametrize("leaves", [4, 15])
def test_boosting_predicts_bit_for_bit_what_scikit_learn_does(leaves: int) -> None:
    window = planted(edge=0.6)
    known = window.training_set
    model = GradientBoosting(trees=40, learning_rate=0.2, leaves=leaves, min_leaf_rows=3)
    forecast = fit_and_predict(model, window)
    reference = HistGradientBoostingRegressor(
        max_iter=40,
        learning_rate=0.2,
        max_leaf_nodes=leaves,
        min_samples_leaf=3,
        early_stopping=False,
        random_state=0,
    ).fit(known.flat_sequences(known.train, 5), known.target[known.train])
    best = forecast.fitted.history.best_epoch
    staged = reference.staged_predict(window.inputs.flat_sequences(window.test, 5))
    expected = next(islice(staged, best, None))
    assert 0 < best < 39
    assert forecast.test.tobytes() == expected.tobytes()


def test_boosting_keeps_the_trees_that_are_best_on_validation_rows() -> None:
    window = planted(edge=0.6)
    chosen = fit_and_predict(GradientBoosting(trees=100), window)
    history = chosen.fitted.history
    best = history.best_epoch
    assert len(history.validation_loss) == len(history.train_loss) == 100
    assert history.validation_loss[best] == min(history.validation_loss)
    assert 0 < best < 99
    fewer = fit_and_predict(GradientBoosting(trees=best + 1), window)
    assert fewer.test.tobytes() == chosen.test.tobytes()


def test_boosting_uses_validation_rows_only_for_the_number_of_trees() -> None:
    window = planted(edge=0.6)
    rows = window.training_set.validation
    backwards = with_target(window, rows, window.target[rows][::-1])
    all_trees = [
        fit_and_predict(GradientBoosting(trees=40), w).fitted.history.train_loss
        for w in (window, backwards)
    ]
    assert all_trees[0] == all_trees[1]


def test_persistence_of_return_repeats_the_trailing_return() -> None:
    window = planted()
    forecast = fit_and_predict(Persistence(), window)
    assert np.array_equal(forecast.test, window.inputs.trailing[window.test])


def test_persistence_of_price_forecasts_no_change() -> None:
    assert not fit_and_predict(Persistence(of="price"), planted()).test.any()


def test_drift_is_the_mean_return_of_the_train_rows() -> None:
    window = planted()
    train = window.training_set.train
    window = with_target(window, train[:2], [0.5, -0.1])
    forecast = fit_and_predict(Drift(), window)
    for part in (forecast.train, forecast.validation, forecast.test):
        assert (part == window.target[train].mean()).all()


def test_always_up_predicts_the_mean_absolute_return() -> None:
    window = planted()
    falling = change(window, target=-0.01 - np.abs(window.target))
    forecast = fit_and_predict(AlwaysUp(), falling)
    train = falling.training_set.train
    assert (forecast.test == np.abs(falling.target[train]).mean()).all()
    assert (forecast.test > 0).all()


def test_flattened_sequences_are_the_same_in_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    given = planted().training_set
    whole = given.flat_sequences(given.train, 4)
    monkeypatch.setattr(dataset, "CHUNK_VALUES", 50)
    assert given.flat_sequences(given.train, 4).tobytes() == whole.tobytes()
    model = Ridge(lookback=4)
    fitted = model.fit(given, TrainingSpec(), seed=1)
    chunked = fitted.predict(given, given.train).returns
    monkeypatch.undo()
    assert fitted.predict(given, given.train).returns.tobytes() == chunked.tobytes()


def test_a_ridge_on_more_lags_than_fit_into_memory_is_the_same_but_for_rounding(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given, model = planted().training_set, Ridge(lookback=4)
    whole = model.fit(given, TrainingSpec(), seed=1)
    monkeypatch.setattr(dataset, "CHUNK_VALUES", 100)
    monkeypatch.setattr(ridge, "MAX_LAG_VALUES", 100)
    summed = model.fit(given, TrainingSpec(), seed=1)
    assert summed.weights[0].tobytes() != whole.weights[0].tobytes()
    for one, two in zip(summed.weights, whole.weights, strict=True):
        np.testing.assert_allclose(one, two, rtol=1e-9, atol=1e-14)
