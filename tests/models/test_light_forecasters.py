"""Forecasters without Keras keep the contract."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.models import Persistence, Ridge, Training
from tests.models.problems import planted

LIGHT = [Ridge(), Ridge(lookback=1), Ridge(lookback=30), Persistence(), Persistence(of="price")]


@pytest.mark.parametrize("model", LIGHT, ids=repr)
def test_forecasts_one_finite_return_a_row(model) -> None:
    problem = planted()
    forecast = model.forecast(problem, Training(), seed=1)
    assert forecast.train.shape == problem.train.shape
    assert forecast.test.shape == problem.test.shape
    assert np.isfinite(forecast.train).all()
    assert np.isfinite(forecast.test).all()


@pytest.mark.parametrize("model", LIGHT, ids=repr)
def test_what_comes_after_a_row_does_not_change_its_forecast(model) -> None:
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
    before, after = (model.forecast(p, Training(), seed=1) for p in (problem, changed))
    assert (before.train == after.train).all()
    assert (before.test[:41] == after.test[:41]).all()


def test_ridge_finds_a_planted_edge() -> None:
    problem = planted(edge=0.6)
    forecast = Ridge().forecast(problem, Training(), seed=0)
    assert np.corrcoef(forecast.test, problem.target[problem.test])[0, 1] > 0.4


def test_ridge_takes_the_penalty_that_is_best_on_validation_rows() -> None:
    problem = planted(edge=0.0)
    fits = {a: Ridge(alphas=(a,)).forecast(problem, Training(), 0) for a in (0.01, 1e6)}
    chosen = Ridge(alphas=(0.01, 1e6)).forecast(problem, Training(), 0)
    assert np.array_equal(chosen.test, fits[1e6].test)


def test_persistence_of_return_repeats_the_trailing_return() -> None:
    problem = planted()
    forecast = Persistence().forecast(problem, Training(), seed=0)
    assert np.array_equal(forecast.test, problem.trailing[problem.test])


def test_persistence_of_price_forecasts_no_change() -> None:
    forecast = Persistence(of="price").forecast(planted(), Training(), seed=0)
    assert not forecast.test.any()
