"""Multi-horizon networks, coarser intervals and warm starts."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.models import (
    Adam,
    AttentionLstm,
    ConstantSchedule,
    Ensemble,
    GradientBoosting,
    HuberLoss,
    Micdl,
    QuantileLoss,
    Ridge,
    TrainingSpec,
)
from engine.models.dataset import CoarseInputs
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.models.inspection import OnExample, ReadAttention, to_forecast
from tests.models.planted_data import ExampleForecast, change, fit_and_predict, planted
from tests.models.training.networks import Tiny

if TYPE_CHECKING:
    from pathlib import Path

    from engine.models.fitted_model import FittedModel
    from engine.testing.models import ModelExample

ONE = planted(edge=0.8)
ROWS = len(ONE.target)
TRAINING = TrainingSpec(epochs=15, batch_size=32, optimizer=Adam(learning_rate=0.01))
BRIEF = TRAINING.model_copy(update={"epochs": 2})
WARM = TRAINING.model_copy(update={"warm_start": "previous_window", "warm_epochs": 2})
STILL = TrainingSpec(
    warm_start="previous_window",
    warm_epochs=1,
    optimizer=Adam(learning_rate=1e-7),
    schedule=ConstantSchedule(),
)


def over_two_horizons() -> ModelExample:
    """The second horizon depends on another series than the first, with ten times the size."""
    rng = np.random.default_rng(1)
    second = 0.1 * (0.8 * ONE.inputs.inputs[:, 1] + 0.6 * rng.normal(size=ROWS))
    return change(ONE, target=np.column_stack([ONE.target, second]), horizons=(1, 4))


def autoregressive() -> ModelExample:
    """The first series is the return of the bar, with an autocorrelation of a half."""
    rng = np.random.default_rng(2)
    inputs = ONE.inputs.inputs.copy()
    for row in range(1, ROWS):
        inputs[row, 0] = 0.7 * inputs[row - 1, 0] + 0.7 * rng.normal()
    target = np.append(0.01 * inputs[1:, 0], np.nan).astype(np.float64)
    return change(ONE, inputs=inputs, target=target, horizons=(1, 3), recursive=True)


def with_a_coarser_interval(seed: int = 3) -> ModelExample:
    """The return depends on the newest complete coarse bar only."""
    rng = np.random.default_rng(seed)
    coarse = rng.normal(size=(ROWS // 5 + 40, 2)).astype(np.float32)
    latest = np.arange(ROWS) // 5 + 30
    target = 0.01 * (0.8 * coarse[latest, 1] + 0.6 * rng.normal(size=ROWS))
    return change(ONE, target=target, coarse=(CoarseInputs(coarse, latest, ((0,), (1,))),))


def later_coarse_bars_changed(example: ModelExample) -> ModelExample:
    (branch,) = example.inputs.coarse
    inputs = branch.inputs.copy()
    inputs[branch.latest[example.test[40]] + 1 :] = 9.0
    return change(example, coarse=(replace(branch, inputs=inputs),))


TWO, AGAIN, COARSE = over_two_horizons(), autoregressive(), with_a_coarser_interval()
MICDL = Micdl(lookback=4, filters=4, units=6, dense=(16, 8))
ATTENTION = AttentionLstm(lookback=4, units=6, attention_units=4)
PAIR = Ensemble.model_construct(members=(Tiny(), Tiny(l2=0.01)), combine="mean", seeds=1)
FITS = {
    "two": (Tiny(), TWO, TRAINING),
    "two by quantiles": (Tiny(), TWO, TRAINING.model_copy(update={"loss": QuantileLoss()})),
    "two by huber": (Tiny(), TWO, STILL.model_copy(update={"loss": HuberLoss()})),
    "two, micdl": (MICDL, TWO, TRAINING),
    "two again": (Tiny(), TWO, TRAINING),
    "recursive": (Tiny(), AGAIN, TRAINING),
    "recursive, coarse": (Tiny(), change(AGAIN, coarse=COARSE.inputs.coarse), BRIEF),
    "coarse": (Tiny(), COARSE, TRAINING),
    "coarse, changed later": (Tiny(), later_coarse_bars_changed(COARSE), TRAINING),
    "coarse, micdl": (MICDL, COARSE, TRAINING),
    "pair": (PAIR, TWO, TRAINING),
}


@dataclass(frozen=True)
class Bench:
    """One backend, and the forecasts of all fits in one worker."""

    backend: str
    programs: Path
    forecasts: dict[str, ExampleForecast]

    def fit(self, *fits) -> list[ExampleForecast]:
        return self.predict(
            [
                FitTask(
                    "strategy",
                    "X",
                    0,
                    0,
                    1,
                    OnExample(model, example),
                    training,
                    example.training_set,
                )
                for model, example, training in fits
            ]
        )

    def chain(self, model, example: ModelExample, training: TrainingSpec) -> list[ExampleForecast]:
        """Fits of two equal windows, from different seeds."""
        known, own = example.training_set, OnExample(model, example)
        return self.predict(
            [FitTask("strategy", "X", n, 0, n + 1, own, training, known) for n in (0, 1)]
        )

    def predict(self, tasks: list[FitTask]) -> list[ExampleForecast]:
        return [to_forecast(outcome) for outcome in self.run(tasks)]

    def run(self, tasks: list[FitTask]) -> list[FittedModel]:
        finished = dict(
            LocalExecutor(1, self.backend, self.programs).run_tasks(FitScheduler(tasks))
        )
        return [finished[index] for index in range(len(tasks))]


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def bench(request, tmp_path_factory) -> Bench:
    bench = Bench(request.param, tmp_path_factory.mktemp("programs"), {})
    bench.forecasts.update(zip(FITS, bench.fit(*FITS.values()), strict=True))
    return bench


def skill(predicted: np.ndarray, actual: np.ndarray) -> float:
    return float(np.corrcoef(predicted, actual)[0, 1])


def tiny_by_hand(weights, x: np.ndarray) -> np.ndarray:
    """(n, columns) of Tiny on (n, lookback, k) sequences, in plain NumPy."""
    first, first_bias, second, second_bias = weights
    return np.tanh(x.reshape(len(x), -1) @ first + first_bias) @ second + second_bias


def scale_of(example: ModelExample) -> tuple[np.ndarray, np.ndarray]:
    truth = example.target[example.training_set.train]
    return truth.mean(axis=0), truth.std(axis=0)


def returns_by_hand(weights, example: ModelExample) -> np.ndarray:
    """The test rows' returns of Tiny, in plain NumPy."""
    mean, deviation = scale_of(example)
    return mean + deviation * tiny_by_hand(weights, example.inputs.sequences(example.test, 2))


@pytest.mark.slow
def test_one_network_learns_each_horizon(bench: Bench) -> None:
    for name in ("two", "two, micdl"):
        test = bench.forecasts[name].test
        assert test.shape == (len(TWO.test), 2)
        assert skill(test[:, 0], TWO.target[TWO.test, 0]) > 0.3
        assert skill(test[:, 1], TWO.target[TWO.test, 1]) > 0.3


@pytest.mark.slow
def test_each_horizon_is_rescaled_by_its_own_train_rows(bench: Bench) -> None:
    forecast = bench.forecasts["two"]
    by_hand = returns_by_hand(forecast.fitted.weights, TWO)
    np.testing.assert_allclose(forecast.test, by_hand, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_the_loss_of_several_horizons_is_the_mean_of_theirs(bench: Bench) -> None:
    fitted = bench.forecasts["two by huber"].fitted
    mean, deviation = scale_of(TWO)
    rows = TWO.training_set.validation
    error = tiny_by_hand(fitted.weights, TWO.inputs.sequences(rows, 2))
    error -= (TWO.target[rows] - mean) / deviation
    near = np.minimum(np.abs(error), 1.0)
    by_hand = np.mean(near**2 / 2 + (np.abs(error) - near))
    assert fitted.history.validation_loss[0] == pytest.approx(by_hand, rel=1e-4)


@pytest.mark.slow
def test_quantiles_of_each_horizon_ascend_around_the_forecast(bench: Bench) -> None:
    forecast = bench.forecasts["two by quantiles"]
    assert forecast.quantiles.shape == (len(TWO.test), 2, 3)
    assert (np.diff(forecast.quantiles, axis=2) >= 0).all()
    np.testing.assert_array_equal(forecast.quantiles[:, :, 1], forecast.test)
    assert forecast.quantiles[:, 1].std() > 3 * forecast.quantiles[:, 0].std()


@pytest.mark.slow
def test_a_reused_worker_gives_the_same_bytes(bench: Bench) -> None:
    assert bench.forecasts["two again"].test.tobytes() == bench.forecasts["two"].test.tobytes()


@pytest.mark.slow
def test_an_ensemble_of_multi_output_models_is_multi_output(bench: Bench) -> None:
    forecast = bench.forecasts["pair"]
    assert forecast.test.shape == (len(TWO.test), 2)
    members = forecast.fitted.members
    by_hand = np.mean([returns_by_hand(member.weights, TWO) for member in members], axis=0)
    np.testing.assert_allclose(forecast.test, by_hand, rtol=0, atol=1e-6)
    assert all(member.history.validation_loss for member in members)
    assert len(members[0].weights) == 4


def recursion_by_hand(example: ModelExample, outputs_of) -> np.ndarray:
    """Recursive forecasts row by row; `outputs_of` gives the outputs for a sequence."""
    mean, deviation = scale_of(example)
    reached = []
    for row in example.test:
        sequence = example.inputs.sequences(np.array([row]), 2)
        growth, path = 1.0, []
        for _ in range(example.inputs.horizons[-1]):
            outputs = outputs_of(row, sequence)
            growth *= 1 + mean + deviation * outputs[0, 0]
            path.append(growth - 1)
            sequence = np.concatenate([sequence[:, 1:], outputs[:, None, 1:]], axis=1)
        reached.append([path[horizon - 1] for horizon in example.inputs.horizons])
    return np.array(reached)


@pytest.mark.slow
def test_a_recursive_forecast_compounds_one_bar_forecasts(
    bench: Bench,
) -> None:
    forecast = bench.forecasts["recursive"]
    assert forecast.test.shape == (len(AGAIN.test), 2)
    by_hand = recursion_by_hand(AGAIN, lambda _, x: tiny_by_hand(forecast.fitted.weights, x))
    np.testing.assert_allclose(forecast.test, by_hand, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_recursive_forecast_equals_that_of_an_autoregression(bench: Bench) -> None:
    forecast = bench.forecasts["recursive"]
    assert skill(forecast.test[:, 1], AGAIN.inputs.inputs[AGAIN.test, 0]) > 0.5


@pytest.mark.slow
def test_a_recursive_forecast_keeps_the_coarse_bars_fixed(bench: Bench) -> None:
    forecast = bench.forecasts["recursive, coarse"]
    (branch,) = COARSE.inputs.coarse
    base, base_bias, own, own_bias, last, last_bias = forecast.fitted.weights

    def outputs_of(row: int, x: np.ndarray) -> np.ndarray:
        end = branch.latest[row]
        y = branch.inputs[[end - 1, end]].reshape(1, -1)
        hidden = [
            np.tanh(x.reshape(1, -1) @ base + base_bias),
            np.tanh(y @ own + own_bias),
        ]
        return np.concatenate(hidden, axis=1) @ last + last_bias

    by_hand = recursion_by_hand(AGAIN, outputs_of)
    np.testing.assert_allclose(forecast.test, by_hand, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_a_network_learns_a_signal_of_the_coarse_bars(bench: Bench) -> None:
    for name in ("coarse", "coarse, micdl"):
        assert skill(bench.forecasts[name].test, COARSE.target[COARSE.test]) > 0.3


@pytest.mark.slow
def test_each_interval_has_its_own_layers_and_newest_sequence(
    bench: Bench,
) -> None:
    forecast = bench.forecasts["coarse"]
    (branch,) = COARSE.inputs.coarse
    mean, deviation = scale_of(COARSE)
    base, base_bias, own, own_bias, last, last_bias = forecast.fitted.weights
    x = COARSE.inputs.sequences(COARSE.test, 2).reshape(len(COARSE.test), -1)
    ends = branch.latest[COARSE.test]
    y = np.concatenate([branch.inputs[ends - 1], branch.inputs[ends]], axis=1)
    hidden = [np.tanh(x @ base + base_bias), np.tanh(y @ own + own_bias)]
    outputs = (np.concatenate(hidden, axis=1) @ last + last_bias)[:, 0]
    np.testing.assert_allclose(forecast.test, mean + deviation * outputs, rtol=0, atol=1e-6)


@pytest.mark.slow
def test_later_coarse_bars_change_no_forecast_before_them(bench: Bench) -> None:
    first, changed = bench.forecasts["coarse"], bench.forecasts["coarse, changed later"]
    latest = COARSE.inputs.coarse[0].latest
    seen = np.flatnonzero(latest[COARSE.test] <= latest[COARSE.test[40]])
    assert changed.train.tobytes() == first.train.tobytes()
    assert changed.test[seen].tobytes() == first.test[seen].tobytes()
    assert not np.isclose(changed.test, first.test).all()


@pytest.mark.slow
def test_attention_weights_with_a_coarser_interval(bench: Bench) -> None:
    known, model = COARSE.training_set, ReadAttention(ATTENTION, COARSE)
    (outcome,) = bench.run([FitTask("strategy", "X", 0, 0, 1, model, BRIEF, known)])
    attention = outcome.forecaster.attention_weights
    assert attention.shape == (len(COARSE.test), 4)
    np.testing.assert_allclose(attention.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("model", [Ridge(), GradientBoosting(trees=50)], ids=lambda m: m.kind)
def test_ridge_and_boosting_use_coarser_bars(model) -> None:
    forecast = fit_and_predict(model, COARSE)
    assert skill(forecast.test, COARSE.target[COARSE.test]) > 0.3
    later = fit_and_predict(model, later_coarse_bars_changed(COARSE))
    assert later.train.tobytes() == forecast.train.tobytes()
    assert later.test[:40].tobytes() == forecast.test[:40].tobytes()


@pytest.mark.slow
def test_a_warm_start_begins_with_the_previous_weights(bench: Bench) -> None:
    first, held = bench.chain(Tiny(), TWO, STILL)
    cold, other = bench.chain(Tiny(), TWO, STILL.model_copy(update={"warm_start": None}))
    np.testing.assert_allclose(held.test, first.test, rtol=0, atol=1e-4)
    assert not np.allclose(other.test, cold.test, rtol=0, atol=1e-3)


@pytest.mark.slow
def test_a_warm_start_has_warm_epochs_and_repeats_byte_for_byte(bench: Bench) -> None:
    first, warm = bench.chain(MICDL, TWO, WARM)
    assert [len(f.fitted.history.train_loss) for f in (first, warm)] == [15, 2]
    assert not np.allclose(warm.test, first.test, atol=1e-4)
    assert bench.chain(MICDL, TWO, WARM)[1].test.tobytes() == warm.test.tobytes()


@pytest.mark.slow
def test_every_member_of_an_ensemble_starts_from_its_own_weights(bench: Bench) -> None:
    first, held = bench.chain(PAIR, TWO, STILL)
    for now, then in zip(held.fitted.members, first.fitted.members, strict=True):
        one, other = (returns_by_hand(member.weights, TWO) for member in (now, then))
        np.testing.assert_allclose(one, other, rtol=0, atol=1e-4)
