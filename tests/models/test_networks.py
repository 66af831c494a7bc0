"""The contract of every network, on both backends, in the workers that train them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import (
    Adam,
    AttentionLstm,
    CnnLstm,
    EarlyStopping,
    Ensemble,
    Gru,
    Lstm,
    Micdl,
    Mlp,
    Ridge,
    Tcn,
    TrainingSpec,
    Transformer,
)
from engine.training.executors.local import LocalExecutor
from engine.training.scheduler import FitScheduler
from engine.training.task import FitTask
from tests.models.inspection import Inspect, OnExample, to_forecast
from tests.models.planted_data import ExampleForecast, change, planted

if TYPE_CHECKING:
    from pathlib import Path

    from engine.testing.models import ModelExample

pytestmark = pytest.mark.slow

GRU = Gru(lookback=8, units=(12,), l1=1e-4, l2=1e-4)
NETWORKS = {
    "lstm": Lstm(lookback=8, units=(12,)),
    "lstm penalised": Lstm(lookback=8, units=(12,), l2=0.05),
    "lstm stacked bidirectional": Lstm(lookback=8, units=(8, 6), bidirectional=True),
    "gru": GRU,
    "cnn_lstm": CnnLstm(lookback=9, filters=8, units=12, dense=16),
    "micdl": Micdl(lookback=8, filters=8, units=12, dense=(32, 16)),
    "attention_lstm": AttentionLstm(lookback=8, units=8, attention_units=6),
    "transformer": Transformer(lookback=8, width=8, heads=2, layers=2, feed_forward=16),
    "tcn": Tcn(lookback=8, filters=8),
    "mlp": Mlp(lookback=8, dense=(16, 8)),
}
FORECASTERS = {
    **NETWORKS,
    "ensemble": Ensemble(members=(GRU, Ridge()), seeds=2, combine="validation_weighted"),
}
TRAINING = TrainingSpec(epochs=20, batch_size=32, optimizer=Adam(learning_rate=0.005))
IMPATIENT = TrainingSpec(
    epochs=60,
    batch_size=32,
    optimizer=Adam(learning_rate=0.02),
    early_stopping=EarlyStopping(patience=3),
)
FROZEN = TrainingSpec(epochs=1, batch_size=32, optimizer=Adam(learning_rate=1e-60))
SEEN = 41
"""Test rows before the bars that one variation changes."""


def task(model, example, seed: int = 1, training: TrainingSpec = TRAINING) -> FitTask:
    return FitTask(
        "strategy",
        "X",
        0,
        0,
        seed,
        OnExample(model, example),
        training,
        example.training_set,
    )


def inspection(network, example) -> FitTask:
    model = Inspect(network, example)
    return FitTask("strategy", "X", 0, 0, 1, model, TRAINING, example.training_set)


def later_bars_changed(example: ModelExample) -> ModelExample:
    later = np.arange(len(example.target)) >= example.test[SEEN]
    noise = np.random.default_rng(9).normal(size=example.inputs.inputs.shape).astype(np.float32)
    return change(example, inputs=np.where(later[:, None], noise, example.inputs.inputs))


def with_an_infinite_input(example: ModelExample) -> ModelExample:
    inputs = example.inputs.inputs.copy()
    inputs[example.training_set.train[100]] = np.inf
    return change(example, inputs=inputs)


def jobs(name: str, example: ModelExample) -> dict[str, FitTask]:
    """All fits of one forecaster, run one after the other in one worker."""
    model = FORECASTERS[name]
    requested = {
        "seed 1": task(model, example),
        "seed 2": task(model, example, seed=2),
        "seed 1 again": task(model, example),
        "later bars changed": task(model, later_bars_changed(example)),
    }
    if name in NETWORKS:
        requested["inspection"] = inspection(model, example)
    if name == "mlp":
        requested["impatient"] = task(model, example, training=IMPATIENT)
        requested["never moves"] = task(model, example, training=FROZEN)
        requested["no number"] = task(model, with_an_infinite_input(example))
    return requested


@dataclass(frozen=True)
class Bench:
    """One backend, and the outcomes of every forecaster's fits; each half had one worker."""

    backend: str
    programs: Path
    example: ModelExample
    outcomes: dict[tuple[str, str], Any]

    def forecast(self, name: str, job: str = "seed 1") -> ExampleForecast:
        return to_forecast(self.outcomes[name, job])

    def inspection(self, name: str) -> Any:
        return self.outcomes[name, "inspection"].forecaster

    def fit(self, *tasks: FitTask, workers: int = 1) -> list[Any]:
        finished = dict(
            LocalExecutor(workers, self.backend, self.programs).run_tasks(FitScheduler(tasks))
        )
        return [finished[index] for index in range(len(tasks))]


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def bench(request, tmp_path_factory) -> Bench:
    bench = Bench(request.param, tmp_path_factory.mktemp("programs"), planted(edge=0.8), {})

    def work(names: list[str]) -> None:
        requested = {
            (name, job): t for name in names for job, t in jobs(name, bench.example).items()
        }
        bench.outcomes.update(zip(requested, bench.fit(*requested.values()), strict=True))

    with ThreadPoolExecutor(2) as pool:  # one core each
        list(pool.map(work, (list(FORECASTERS)[::2], list(FORECASTERS)[1::2])))
    return bench


every_forecaster = pytest.mark.parametrize("name", FORECASTERS)
every_network = pytest.mark.parametrize("name", NETWORKS)


@every_forecaster
def test_forecasts_one_finite_return_per_row(bench: Bench, name: str) -> None:
    forecast, known = bench.forecast(name), bench.example.training_set
    for predicted, rows in (
        (forecast.train, known.train),
        (forecast.validation, known.validation),
        (forecast.test, bench.example.test),
    ):
        assert predicted.shape == rows.shape
        assert np.isfinite(predicted).all()


@every_forecaster
def test_a_reused_worker_gives_the_bytes_of_the_first_fit(bench: Bench, name: str) -> None:
    first, again = bench.forecast(name), bench.forecast(name, "seed 1 again")
    assert first.test.tobytes() == again.test.tobytes()
    assert first.fitted.history == again.fitted.history


@every_forecaster
def test_another_seed_gives_another_fit(bench: Bench, name: str) -> None:
    first, other = bench.forecast(name), bench.forecast(name, "seed 2")
    assert not np.isclose(first.test, other.test, rtol=1e-6).any()


@every_forecaster
def test_learns_a_planted_signal(bench: Bench, name: str) -> None:
    mean = bench.forecast(name).test + bench.forecast(name, "seed 2").test
    assert np.corrcoef(mean, bench.example.target[bench.example.test])[0, 1] > 0.3


@every_forecaster
def test_later_rows_do_not_change_a_forecast(bench: Bench, name: str) -> None:
    first, changed = bench.forecast(name), bench.forecast(name, "later bars changed")
    assert changed.train.tobytes() == first.train.tobytes()
    assert changed.validation.tobytes() == first.validation.tobytes()
    assert changed.test[:SEEN].tobytes() == first.test[:SEEN].tobytes()
    assert not np.isclose(changed.test[SEEN:], first.test[SEEN:]).all()


def test_order_and_workers_change_no_byte(bench: Bench) -> None:
    names = list(reversed(FORECASTERS))
    outcomes = bench.fit(*(task(FORECASTERS[n], bench.example) for n in names), workers=2)
    for name, outcome in zip(names, outcomes, strict=True):
        assert to_forecast(outcome).test.tobytes() == bench.forecast(name).test.tobytes()


@every_network
def test_the_stored_weights_reproduce_the_forecast(bench: Bench, name: str) -> None:
    truth = bench.example.target[bench.example.training_set.train]
    expected = truth.mean() + truth.std() * bench.inspection(name).outputs
    np.testing.assert_allclose(bench.forecast(name).test, expected, rtol=0, atol=1e-6)


@every_network
def test_a_saved_network_loads_with_the_same_outputs(bench: Bench, name: str) -> None:
    inspection = bench.inspection(name)
    np.testing.assert_allclose(inspection.loaded, inspection.outputs, rtol=0, atol=1e-5)


@every_network
def test_every_trainable_weight_affects_the_output(bench: Bench, name: str) -> None:
    assert bench.inspection(name).without_effect == []


@pytest.mark.parametrize("name", ["transformer", "tcn"])
def test_a_step_changes_no_earlier_state_and_always_the_forecast(bench: Bench, name: str) -> None:
    inspection = bench.inspection(name)
    assert inspection.before == [0.0] * 8
    assert min(inspection.since) > 1e-4


def test_attention_weights_are_positive_and_sum_to_one(bench: Bench) -> None:
    attention = bench.inspection("attention_lstm").attention_weights
    assert attention.shape == (len(bench.example.test), 8)
    assert (attention > 0).all()
    np.testing.assert_allclose(attention.sum(axis=1), 1, rtol=1e-5)
    assert np.ptp(attention, axis=0).min() > 1e-6  # it depends on the bars


def test_a_penalty_is_in_the_loss_and_shrinks_the_input_weights_alone(bench: Bench) -> None:
    plain, penalised = (bench.forecast(name).fitted for name in ("lstm", "lstm penalised"))
    assert penalised.history.train_loss[0] > plain.history.train_loss[0] + 0.1
    (of_input, of_state), (plain_input, plain_state) = (
        [np.sum(fitted.weights[index] ** 2) for index in (0, 1)] for fitted in (penalised, plain)
    )
    assert of_input < 0.4 * plain_input
    assert of_state > 0.8 * plain_state


def test_only_networks_with_penalties_have_penalty_terms(bench: Bench) -> None:
    terms = {name: bench.inspection(name).penalties for name in NETWORKS}
    assert {name for name, count in terms.items() if count} == {"lstm penalised", "gru"}


def test_early_stopping_keeps_the_best_epoch_and_stops_on_patience(bench: Bench) -> None:
    history = bench.outcomes["mlp", "impatient"].forecaster.history
    assert len(history.validation_loss) == history.best_epoch + 4
    assert min(history.validation_loss) == history.validation_loss[history.best_epoch]


def test_a_network_whose_weights_never_move_is_an_error(bench: Bench) -> None:
    outcome = bench.outcomes["mlp", "never moves"]
    assert isinstance(outcome, TrainingError)
    assert "moved none of its weights" in outcome.problem


def test_a_loss_that_is_nan_is_an_error_that_names_the_fit(bench: Bench) -> None:
    outcome = bench.outcomes["mlp", "no number"]
    assert isinstance(outcome, TrainingError)
    assert outcome.problem == "the loss is not a number"
    assert "window 0" in outcome.where


def test_only_the_expected_fits_failed(bench: Bench) -> None:
    failed = {job for job, outcome in bench.outcomes.items() if isinstance(outcome, TrainingError)}
    assert failed == {("mlp", "never moves"), ("mlp", "no number")}
