"""Every network keeps one contract, on both backends, in the very workers that train them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.errors import RefitError
from engine.models import CnnLstm, EarlyStopping, Forecast, Lstm, Micdl, Problem, Training
from engine.refit.local import Local
from engine.refit.task import Task
from tests.models.problems import planted

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

NETWORKS = {
    "lstm": Lstm(lookback=8, units=(12,)),
    "lstm stacked bidirectional": Lstm(lookback=8, units=(8, 6), bidirectional=True),
    "cnn_lstm model1": CnnLstm(preset="model1"),
    "cnn_lstm model2": CnnLstm(preset="model2"),
    "micdl": Micdl(lookback=8),
}
TRAINING = Training(epochs=20, batch_size=32, learning_rate=0.005)


def task(model, problem, seed: int = 1, training: Training = TRAINING) -> Task:
    return Task("strategy", "X", 0, 0, seed, model, training, problem)


@dataclass(frozen=True)
class Bench:
    """One backend and what every network gave: seed 1, seed 2, seed 1 again, in one worker."""

    backend: str
    programs: Path
    problem: Problem
    rounds: list[dict[str, Forecast]]

    def fit(self, *tasks: Task, workers: int = 1) -> list[Forecast]:
        finished = dict(Local(workers, self.backend, self.programs).fit(tasks))
        for outcome in finished.values():
            if isinstance(outcome, RefitError):
                raise outcome
        return [finished[place] for place in range(len(tasks))]


@pytest.fixture(scope="module", params=["tensorflow", "jax"])
def bench(request, tmp_path_factory) -> Bench:
    bench = Bench(request.param, tmp_path_factory.mktemp("programs"), planted(edge=0.8), [])
    tasks = [task(m, bench.problem, seed) for seed in (1, 2, 1) for m in NETWORKS.values()]
    forecasts = bench.fit(*tasks)
    for start in range(0, len(tasks), len(NETWORKS)):
        bench.rounds.append(dict(zip(NETWORKS, forecasts[start:], strict=False)))
    return bench


@pytest.mark.parametrize("name", NETWORKS)
def test_forecasts_one_finite_return_a_row(bench: Bench, name: str) -> None:
    forecast = bench.rounds[0][name]
    assert forecast.train.shape == bench.problem.train.shape
    assert forecast.test.shape == bench.problem.test.shape
    assert np.isfinite(forecast.train).all()
    assert np.isfinite(forecast.test).all()


@pytest.mark.parametrize("name", NETWORKS)
def test_a_reused_worker_gives_the_bytes_of_the_first_fit(bench: Bench, name: str) -> None:
    first, _, again = (fits[name] for fits in bench.rounds)
    assert first.test.tobytes() == again.test.tobytes()
    assert first.history == again.history


@pytest.mark.parametrize("name", NETWORKS)
def test_another_seed_gives_another_fit(bench: Bench, name: str) -> None:
    first, other, _ = (fits[name] for fits in bench.rounds)
    assert not np.isclose(first.test, other.test, rtol=1e-6).any()


@pytest.mark.parametrize("name", NETWORKS)
def test_learns_a_planted_edge(bench: Bench, name: str) -> None:
    mean = np.mean([fits[name].test for fits in bench.rounds[:2]], axis=0)
    assert np.corrcoef(mean, bench.problem.target[bench.problem.test])[0, 1] > 0.3


def test_order_and_workers_change_no_byte(bench: Bench) -> None:
    names = list(reversed(NETWORKS))
    forecasts = bench.fit(*(task(NETWORKS[n], bench.problem) for n in names), workers=2)
    for name, forecast in zip(names, forecasts, strict=True):
        assert forecast.test.tobytes() == bench.rounds[0][name].test.tobytes()


def test_what_comes_after_a_row_does_not_change_its_forecast(bench: Bench) -> None:
    problem = bench.problem
    later = np.arange(len(problem.target)) > problem.test[40]
    noise = np.random.default_rng(9).normal(size=problem.inputs.shape).astype(np.float32)
    changed = replace(
        problem,
        inputs=np.where(later[:, None], noise, problem.inputs),
        target=np.where(later, 7.0, problem.target),
    )
    names = ("micdl", "lstm")
    forecasts = bench.fit(*(task(NETWORKS[n], changed) for n in names))
    for name, forecast in zip(names, forecasts, strict=True):
        assert forecast.train.tobytes() == bench.rounds[0][name].train.tobytes()
        assert forecast.test[:41].tobytes() == bench.rounds[0][name].test[:41].tobytes()


def test_test_rows_never_reach_the_training(bench: Bench) -> None:
    target = bench.problem.target.copy()
    target[bench.problem.test] = np.nan
    (forecast,) = bench.fit(task(NETWORKS["micdl"], replace(bench.problem, target=target)))
    assert forecast.test.tobytes() == bench.rounds[0]["micdl"].test.tobytes()


def test_early_stopping_keeps_the_best_epoch_and_stops_after_its_patience(bench: Bench) -> None:
    impatient = Training(
        epochs=60, batch_size=32, learning_rate=0.02, early_stopping=EarlyStopping(patience=3)
    )
    (forecast,) = bench.fit(task(NETWORKS["cnn_lstm model1"], bench.problem, training=impatient))
    history = forecast.history
    assert len(history.validation_loss) == history.best_epoch + 4
    assert min(history.validation_loss) == history.validation_loss[history.best_epoch]


def test_a_loss_that_is_no_number_fails_loudly_and_names_the_fit(bench: Bench) -> None:
    inputs = bench.problem.inputs.copy()
    inputs[bench.problem.train[100]] = np.inf
    with pytest.raises(RefitError, match="loss is not a number") as caught:
        bench.fit(task(NETWORKS["lstm"], replace(bench.problem, inputs=inputs)))
    assert "window 0" in str(caught.value)


def test_a_network_whose_weights_never_move_fails_loudly(bench: Bench) -> None:
    frozen = Training(epochs=1, batch_size=32, learning_rate=1e-60)
    with pytest.raises(RefitError, match="moved none of its weights"):
        bench.fit(task(NETWORKS["lstm"], bench.problem, training=frozen))
