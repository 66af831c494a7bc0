"""A tuning study inside one window."""

from __future__ import annotations

import json
import os
import pickle
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.errors import TrainingError, UsageError
from engine.models import (
    Ensemble,
    FittedForecaster,
    GradientBoosting,
    Mlp,
    Prediction,
    Ridge,
    TrainingHistory,
    TrainingSpec,
    TunedForecaster,
    TuningSpec,
)
from engine.models.tuning.metrics import compute_score
from engine.models.tuning.search_space import apply_params
from engine.splits.purged import PurgedKFold
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.hypothesis_examples import examples
from tests.models.inspection import OnExample, to_forecast
from tests.models.planted_data import change, fit_and_predict, planted

if TYPE_CHECKING:
    from engine.models import Forecaster
    from engine.testing.models import ModelExample

LOOKBACK = {"kind": "integer", "low": 1, "high": 8}
PENALTY = {"kind": "choice", "values": [[1.0], [100.0], [10_000.0]]}
SPACE = {"model.lookback": LOOKBACK, "model.alphas": PENALTY}
LONGEST = 8


def tuned(
    space: dict[str, Any] = SPACE, model: Forecaster | None = None, **tune: Any
) -> TunedForecaster:
    tune = {"trials": 8, "space": space, **tune}
    return TunedForecaster(model=model or Ridge(), tune=TuningSpec.model_validate(tune))


def chosen(model: TunedForecaster, window: ModelExample, seed: int = 3) -> dict[str, Any]:
    return dict(model.fit(window.training_set, TrainingSpec(), seed).history.chosen)


def changed_outside_train(window: ModelExample, seed: int) -> ModelExample:
    """Other numbers outside the train rows and their sequences."""
    rng = np.random.default_rng(seed)
    train = window.training_set.train
    first, stop = int(train[0]), int(train[-1]) + 1
    inputs, target = window.inputs.inputs.copy(), window.target.copy()
    trailing = window.inputs.trailing.copy()
    for rows in (slice(0, first - LONGEST + 1), slice(stop, None)):
        inputs[rows] = 9 * rng.normal(size=inputs[rows].shape)
        trailing[rows] = rng.normal(size=trailing[rows].shape)
    for rows in (slice(0, first), slice(stop, None)):
        target[rows] = rng.normal(size=target[rows].shape)
    return change(window, inputs=inputs, target=target, trailing=trailing)


# Ridge chooses its penalty on the early-stopping rows, and with a weak signal every row can
# change the choice between two lookbacks.
TIPPING = {"model.lookback": LOOKBACK}


@pytest.mark.parametrize("metric", ["mse", "sharpe"])
@examples(8)
@given(seed=st.integers(0, 2**31))
def test_the_choice_depends_on_the_train_rows_only(metric: str, seed: int) -> None:
    model = tuned(TIPPING, metric=metric)
    window = planted(seed % 5, edge=0.05)
    # The number of rows outside must not affect the study either.
    shorter = change(window, validation=window.training_set.validation[: 20 + seed % 9])
    other = changed_outside_train(shorter, seed)
    assert chosen(model, other) == chosen(model, window)


@pytest.mark.parametrize("metric", ["mse", "mae", "directional_accuracy", "sharpe"])
def test_the_choice_equals_the_best_of_an_exhaustive_search(metric) -> None:
    spec = {"kind": "purged_kfold", "folds": 3, "embargo": 2}
    for seed in range(4):
        window = change(planted(seed, edge=0.1), horizons=(2,))
        known = window.training_set
        means = {}
        for lookback in range(1, 9):
            scores = []
            for split in PurgedKFold(folds=3, embargo=2).split(len(known.train), horizon=2):
                held_out = known.train[split.train[-round(0.2 * len(split.train)) :]]
                fit = known.train[split.train]
                fit = fit[fit < held_out[0] - 2]
                test = known.train[split.test]
                part = replace(known, train=fit, validation=held_out)
                fitted = Ridge(lookback=lookback).fit(part, TrainingSpec(), 0)
                predicted = fitted.predict(known, test).returns
                scores.append(compute_score(metric, known, test, predicted))
            means[lookback] = np.mean(scores)
        better = min if metric in {"mse", "mae"} else max
        model = tuned(TIPPING, metric=metric, trials=60, pruner=None, splits=spec)
        assert chosen(model, window) == {"model.lookback": better(means, key=means.__getitem__)}


def test_the_choice_depends_on_the_train_rows() -> None:
    choices = {json.dumps(chosen(tuned(), planted(seed, edge=0.1))) for seed in range(6)}
    assert len(choices) > 1


def test_the_chosen_configuration_is_fitted_like_an_untuned_one() -> None:
    window = planted()
    forecast = fit_and_predict(tuned(), window, seed=3)
    history = forecast.fitted.history
    values = history.chosen
    plain = Ridge(lookback=values["model.lookback"], alphas=tuple(values["model.alphas"]))
    untuned = fit_and_predict(plain, window, seed=3)
    assert forecast.fitted.model == plain
    for part in ("train", "validation", "test"):
        np.testing.assert_array_equal(getattr(forecast, part), getattr(untuned, part))
    assert history.trials == 8
    assert json.loads(json.dumps(values)) == values


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize(
    "splits",
    [
        {"kind": "purged_kfold", "folds": 2},
        {"kind": "combinatorial_purged", "groups": 4, "test_groups": 2, "embargo": 3},
    ],
)
def test_a_planted_lag_is_chosen(sampler: str, splits: dict[str, Any]) -> None:
    window = planted(edge=0.9)
    moved = change(window, target=np.roll(window.target, 3))  # the signal is three bars back
    space = {"model.lookback": {"kind": "choice", "values": [1, 2, 3, 4]}}
    model = tuned(space, sampler=sampler, splits=splits, trials=12)
    assert chosen(model, moved) == {"model.lookback": 4}


def test_a_ridge_penalty_with_a_worse_forecast_is_not_chosen() -> None:
    space = {"model.alphas": {"kind": "choice", "values": [[1.0], [1e12]]}}
    for metric in ("mse", "mae"):
        assert chosen(tuned(space, metric=metric), planted()) == {"model.alphas": [1.0]}


def test_the_order_in_the_file_changes_nothing() -> None:
    backwards = dict(reversed(SPACE.items()))
    assert tuned(backwards) == tuned()
    for seed in range(4):
        assert chosen(tuned(backwards), planted(1, edge=0.1), seed) == chosen(
            tuned(), planted(1, edge=0.1), seed
        )


def test_the_purge_is_as_long_as_the_longest_horizon() -> None:
    # Ridge forecasts one of the horizons; the splits depend on the longest.
    near, far = (change(planted(), horizons=(1, horizon)) for horizon in (20, 190))
    with pytest.raises(UsageError, match="190 purged on each side"):
        chosen(tuned(), far)
    assert chosen(tuned(), near)


def test_a_failed_configuration_counts_as_tried_and_is_not_chosen() -> None:
    # A forecast of zero has no position, and therefore no Sharpe ratio.
    models = [{"kind": "persistence", "of": "price"}, {"kind": "ridge"}]
    model = tuned({"model": {"kind": "choice", "values": models}}, metric="sharpe")
    history = model.fit(planted().training_set, TrainingSpec(), 3).history
    assert history.chosen == {"model": {"kind": "ridge"}}
    assert history.trials == 8


def test_conflicting_values_in_a_trial_count_as_failed() -> None:
    # A strategy would be an error; a range may contain values that were not validated.
    lookbacks = {"model.lookback": {"kind": "choice", "values": [0, 3]}}
    assert chosen(tuned(lookbacks), planted()) == {"model.lookback": 3}
    nothing = {"model.lookback": {"kind": "choice", "values": [0]}}
    with pytest.raises(TrainingError, match="no configuration"):
        chosen(TunedForecaster(model=Ridge(), tune=tuned(nothing).tune), planted())


def test_a_study_prints_nothing_and_leaves_no_file(tmp_path, monkeypatch, capfd) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.logging.set_verbosity(optuna.logging.INFO)
    chosen(tuned(), planted())
    assert capfd.readouterr() == ("", "")
    assert not list(tmp_path.iterdir())
    assert optuna.logging.get_verbosity() == optuna.logging.INFO  # the caller's level is unchanged


def test_a_study_without_a_successful_trial_is_an_error() -> None:
    still = change(planted(), target=np.zeros(len(planted().target)))
    with pytest.raises(TrainingError, match="no configuration") as caught:
        chosen(tuned(metric="sharpe"), still)
    assert "at least one of 8 trials" in str(caught.value)
    assert "sharpe" in caught.value.found


@dataclass(frozen=True)
class FailsOnce:
    """Takes the place of a tuned model; its first fit fails after all its trials."""

    stochastic: bool = True
    kind: ClassVar[str] = "fails_once"

    def fit(self, training_set, training, seed) -> FittedForecaster:
        if seed == 5:
            raise TrainingError("the network is dead")
        return FittedForecaster(self, history=TrainingHistory(trials=8))

    def predict(self, fitted, inputs, rows) -> Prediction:
        return Prediction(np.ones(len(rows)))


def test_trials_of_a_failed_first_attempt_are_counted() -> None:
    known = planted().training_set
    task = FitTask("strategy", "BTC", 0, 0, 5, FailsOnce(), TrainingSpec(), known)
    history = fit_task(task).forecaster.history
    assert (history.attempts, history.trials) == (2, 16)


def test_the_lookback_is_the_longest_of_the_candidates() -> None:
    assert tuned().lookback == LONGEST
    assert tuned({"model.alphas": PENALTY}).lookback == Ridge().lookback
    shorter = {"model.lookback": {"kind": "choice", "values": [2, 3]}}
    assert tuned(shorter, model=Ridge(lookback=400)).lookback == 3
    wide = {f"model.members.{n}.lookback": {**LOOKBACK, "high": 40 + n} for n in range(5)}
    assert tuned(wide, model=Ensemble(members=(Ridge(),) * 5)).lookback == 44


def test_costly_and_stochastic_follow_the_candidates() -> None:
    assert (tuned().costly, tuned().stochastic, tuned().multi_output) == (False, False, False)
    mlp = tuned({"model.dropout": {"kind": "uniform", "low": 0, "high": 0.5}}, model=Mlp())
    assert (mlp.costly, mlp.stochastic, mlp.multi_output) == (True, True, True)
    either = {"model": {"kind": "choice", "values": [{"kind": "ridge"}, {"kind": "mlp"}]}}
    both = tuned(either, model=GradientBoosting())
    assert (both.costly, both.stochastic, both.multi_output) == (True, True, False)


def test_it_is_sent_to_a_worker_and_back() -> None:
    model = tuned()
    assert model.lookback == LONGEST
    assert pickle.loads(pickle.dumps(model)) == model  # noqa: S301 - our own


PRINTS = """
from engine.models import *
from tests.models.inspection import OnExample, to_forecast
from tests.models.planted_data import change, fit_and_predict, planted
from tests.models.tuning.test_tuned_forecaster import chosen, tuned
print([chosen(tuned(), planted(2, edge=0.1), seed) for seed in range(3)])
"""


@pytest.mark.slow
def test_every_process_chooses_the_same_parameters() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINTS],
            check=True,
            capture_output=True,
            text=True,
            env={**os.environ, "PYTHONHASHSEED": salt},
        ).stdout
        for salt in ("1", "2")
    }
    assert outputs == {f"{[chosen(tuned(), planted(2, edge=0.1), seed) for seed in range(3)]}\n"}


RATE = {"training.optimizer.learning_rate": 1e-2}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["tensorflow", "jax"])
def test_a_network_is_tuned_with_its_training_and_a_dead_one_is_not_chosen(
    backend, tmp_path
) -> None:
    space = {
        "training.optimizer.learning_rate": {"kind": "choice", "values": [1e-30, 1e-2]},
    }
    model = tuned(space, model=Mlp(lookback=2, dense=(4,)), trials=4, sampler="random")
    training = TrainingSpec(epochs=2, batch_size=64)
    window = planted()
    task = FitTask(
        "strategy", "BTC", 0, 0, 5, OnExample(model, window), training, window.training_set
    )
    with closing(
        LocalExecutor(1, backend, tmp_path).run_tasks(FitScheduler([task, task]))
    ) as finished:
        first, again = (to_forecast(outcome) for _, outcome in finished)
    history = first.fitted.history
    assert history.chosen["training.optimizer.learning_rate"] == 1e-2
    assert (history.trials, history.attempts) == (4, 1)
    assert len(history.train_loss) == 2
    assert history == again.fitted.history
    np.testing.assert_array_equal(first.test, again.test)
    # Trials with other learning rates share compiled steps, which keep no state of a trial.
    mlp = Mlp(lookback=2, dense=(4,))
    plain = replace(
        task, model=OnExample(mlp, window), training=apply_params(mlp, training, RATE).training
    )
    with closing(LocalExecutor(1, backend, tmp_path).run_tasks(FitScheduler([plain]))) as finished:
        ((_, outcome),) = finished
    np.testing.assert_array_equal(first.test, to_forecast(outcome).test)


@pytest.mark.slow
def test_a_recursive_network_is_tuned_over_its_horizons(tmp_path) -> None:
    rates = {"kind": "log_uniform", "low": 1e-3, "high": 1e-2}
    model = tuned({"training.optimizer.learning_rate": rates}, model=Mlp(lookback=2, dense=(4,)))
    window = change(planted(), horizons=(1, 3), recursive=True)
    # The bar after the last train row is part of its label.
    cut = int(window.training_set.train[-1]) + 2
    inputs = window.inputs.inputs.copy()
    inputs[cut:] = 1.0
    tasks = [
        FitTask(
            "strategy",
            "BTC",
            0,
            0,
            5,
            OnExample(model, each),
            TrainingSpec(epochs=1),
            each.training_set,
        )
        for each in (window, change(window, inputs=inputs))
    ]
    with closing(LocalExecutor(1, "jax", tmp_path).run_tasks(FitScheduler(tasks))) as finished:
        first, second = (to_forecast(outcome) for _, outcome in finished)
    assert first.test.shape == (len(window.test), 2)
    assert first.fitted.history.chosen == second.fitted.history.chosen
    assert not np.array_equal(first.test, second.test)
