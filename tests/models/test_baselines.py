"""The contract of forecasters without Keras."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from engine.models import (
    AlwaysUp,
    Drift,
    Ensemble,
    GradientBoosting,
    Persistence,
    Ridge,
    TrainingSpec,
)
from tests.models.planted_data import planted

LIGHT = [
    Ridge(),
    Ridge(lookback=1),
    Ridge(lookback=30),
    GradientBoosting(trees=30),
    Persistence(),
    Persistence(of="price"),
    Drift(),
    AlwaysUp(),
    Ensemble(members=(Ridge(), Drift(), Persistence()), combine="median"),
    Ensemble(members=(Ridge(), Drift()), combine="validation_weighted"),
]


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """One thread, as in a worker; more threads are slower for so few trees."""
    with threadpool_limits(1):
        yield


def with_target(problem, rows, value):
    target = problem.target.copy()
    target[rows] = value
    return replace(problem, target=target)


@pytest.mark.parametrize("model", LIGHT, ids=repr)
def test_forecasts_one_finite_return_per_row(model) -> None:
    problem = planted()
    forecast = model.fit_predict(problem, TrainingSpec(), seed=1)
    for part in ("train", "validation", "test"):
        predicted = getattr(forecast, part)
        assert predicted.shape == getattr(problem, part).shape
        assert predicted.dtype == np.float64
        assert np.isfinite(predicted).all()


@pytest.mark.parametrize("model", LIGHT, ids=repr)
def test_later_rows_do_not_change_a_forecast(model) -> None:
    problem = planted()
    cut = problem.test[40]
    later = np.arange(len(problem.target)) > cut
    noise = np.random.default_rng(9).normal(size=problem.inputs.shape).astype(np.float32)
    changed = replace(
        problem,
        inputs=np.where(later[:, None], noise, problem.inputs),
        target=np.where(later, 7.0, problem.target),
        trailing=np.where(later, 7.0, problem.trailing),
    )
    before, after = (model.fit_predict(p, TrainingSpec(), seed=1) for p in (problem, changed))
    assert (before.train == after.train).all()
    assert (before.validation == after.validation).all()
    assert (before.test[:41] == after.test[:41]).all()


@pytest.mark.parametrize("model", LIGHT, ids=repr)
def test_targets_of_test_rows_are_never_read(model) -> None:
    problem = planted()
    unknown = with_target(problem, problem.test, np.nan)
    before, after = (model.fit_predict(p, TrainingSpec(), seed=1) for p in (problem, unknown))
    assert before.test.tobytes() == after.test.tobytes()


@pytest.mark.parametrize("model", [model for model in LIGHT if not model.stochastic], ids=repr)
def test_a_deterministic_model_has_one_forecast_for_all_seeds(model) -> None:
    first, other = (model.fit_predict(planted(), TrainingSpec(), seed=seed) for seed in (1, 2))
    assert first.test.tobytes() == other.test.tobytes()


@pytest.mark.parametrize("model", [Ridge(), GradientBoosting()], ids=repr)
def test_finds_a_planted_signal(model) -> None:
    problem = planted(edge=0.6)
    forecast = model.fit_predict(problem, TrainingSpec(), seed=0)
    assert np.corrcoef(forecast.test, problem.target[problem.test])[0, 1] > 0.4


def test_ridge_chooses_the_best_penalty_on_validation_rows() -> None:
    problem = planted(edge=0.0)
    fits = {a: Ridge(alphas=(a,)).fit_predict(problem, TrainingSpec(), 0) for a in (0.01, 1e6)}
    chosen = Ridge(alphas=(0.01, 1e6)).fit_predict(problem, TrainingSpec(), 0)
    assert np.array_equal(chosen.test, fits[1e6].test)


def test_boosting_learns_a_nonlinear_signal() -> None:
    problem = planted(edge=0.0, rows=1400)
    product = problem.inputs[:, 0] * problem.inputs[:, 1]
    problem = replace(
        problem,
        target=problem.target + 0.02 * product,
        train=np.arange(29, 1000),
        validation=np.arange(1001, 1200),
        test=np.arange(1201, 1400),
    )
    truth = problem.target[problem.test]
    linear, boosted = (
        np.corrcoef(model.fit_predict(problem, TrainingSpec(), 0).test, truth)[0, 1]
        for model in (Ridge(lookback=2), GradientBoosting(lookback=2))
    )
    assert linear < 0.2
    assert boosted > 0.5


def test_boosting_keeps_the_trees_that_are_best_on_validation_rows() -> None:
    problem = planted(edge=0.6)
    chosen = GradientBoosting(trees=100).fit_predict(problem, TrainingSpec(), 0)
    losses = chosen.history.validation_loss
    best = chosen.history.best_epoch
    assert len(losses) == len(chosen.history.train_loss) == 100
    assert losses[best] == min(losses)
    assert 0 < best < 99
    fewer = GradientBoosting(trees=best + 1).fit_predict(problem, TrainingSpec(), 0)
    assert fewer.test.tobytes() == chosen.test.tobytes()


def test_boosting_uses_validation_rows_only_for_the_number_of_trees() -> None:
    problem = planted(edge=0.6)
    backwards = with_target(
        problem, problem.validation, problem.target[problem.validation][::-1].copy()
    )
    all_trees = [
        GradientBoosting(trees=40).fit_predict(p, TrainingSpec(), 0).history.train_loss
        for p in (problem, backwards)
    ]
    assert all_trees[0] == all_trees[1]


def test_persistence_of_return_repeats_the_trailing_return() -> None:
    problem = planted()
    forecast = Persistence().fit_predict(problem, TrainingSpec(), seed=0)
    assert np.array_equal(forecast.test, problem.trailing[problem.test])


def test_persistence_of_price_forecasts_no_change() -> None:
    forecast = Persistence(of="price").fit_predict(planted(), TrainingSpec(), seed=0)
    assert not forecast.test.any()


def test_drift_is_the_mean_return_of_the_train_rows() -> None:
    problem = planted()
    problem = with_target(problem, problem.train[:2], [0.5, -0.1])
    forecast = Drift().fit_predict(problem, TrainingSpec(), seed=0)
    mean = problem.target[problem.train].mean()
    for part in (forecast.train, forecast.validation, forecast.test):
        assert (part == mean).all()


def test_always_up_predicts_the_mean_absolute_return() -> None:
    problem = planted()
    falling = replace(problem, target=-0.01 - np.abs(problem.target))
    forecast = AlwaysUp().fit_predict(falling, TrainingSpec(), seed=0)
    assert (forecast.test == np.abs(falling.target[falling.train]).mean()).all()
    assert (forecast.test > 0).all()
