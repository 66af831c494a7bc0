"""Deployed models: made from the stored fits of the run, from train and validation rows alone."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.core.progress import NullProgress
from engine.models import TrainingSpec
from engine.models.deployment import DeploySpec
from engine.models.fitted_model import FittedModel
from engine.testing import make_example
from engine.training.deployment import forecast_change
from engine.training.executors.base import Executor
from engine.training.jobs import make_fit_tasks
from engine.training.results import FitResults, run_fits
from engine.training.store import FitStore
from engine.training.task import FitTask
from tests.models.hand_networks import COLUMNS, NETWORK, make_network
from tests.training.histories import WINDOWS
from tests.training.test_pooling import SYMBOLS, history

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.training.scheduler import FitScheduler

ARRAYS = make_example().training_set
STUDENT = NETWORK.model_copy(update={"dense": (4,)})


@dataclass
class HandNetworks(Executor):
    """Gives each task a network with random weights of the task's seed.

    Attributes:
        columns: Inputs at a bar.
        fitted: The tasks.
    """

    backend: str = "tensorflow"
    workers: int = 1
    columns: int = COLUMNS
    fitted: list[FitTask] = field(default_factory=list)

    def run_tasks(self, scheduler: FitScheduler) -> Generator[tuple[int, FittedModel]]:
        while ready := scheduler.next_ready():
            index, _ = ready
            task = scheduler.tasks[index]
            self.fitted.append(task)
            network = make_network(task.seed, task.model, self.columns)
            arrays = task.training_set
            outcome = FittedModel(
                network,
                network.predict(arrays, arrays.train).returns,
                network.predict(arrays, arrays.validation).returns,
                np.zeros((len(arrays.validation), 1)),
            )
            scheduler.mark_finished(index, outcome)
            yield index, outcome


@pytest.fixture
def store(tmp_path) -> FitStore:
    return FitStore(tmp_path / "fits")


def task(deploy: DeploySpec | None, *, training: TrainingSpec | None = None) -> FitTask:
    return FitTask(
        "strategy", "X", 0, 0, 7, NETWORK, training or TrainingSpec(), ARRAYS, deploy=deploy
    )


def run(
    store: FitStore, deploy: DeploySpec | None, executor: Executor, *, skip: bool = False
) -> FitResults:
    return run_fits([task(deploy)], executor, store, NullProgress(), skip_failures=skip)


def any_change(**settings: object) -> DeploySpec:
    return DeploySpec(max_change=1e9, **settings)


def test_another_deployment_trains_no_model_again(store) -> None:
    executor = HandNetworks()
    full = run(store, None, executor)
    for deploy in (any_change(precision="int8"), any_change(prune=0.5)):
        deployed = run(store, deploy, executor)
        assert (deployed.trained, deployed.stored) == (0, 1)
        assert deployed.full[0].train.tobytes() == full.outcomes[0].train.tobytes()
    assert len(executor.fitted) == 1


def test_every_deployment_has_a_key_of_its_own(store) -> None:
    deployments = [
        None,
        any_change(precision="int8"),
        any_change(prune=0.5),
        any_change(precision="int8", prune=0.5),
        any_change(distil=STUDENT),
        any_change(distil=STUDENT, precision="int8"),
    ]
    keys = [run(store, deploy, HandNetworks()).keys[0] for deploy in deployments]
    assert len(set(keys)) == len(deployments)
    assert set(keys) == set(store.find_keys(""))


def test_what_is_stored_is_used_again_with_the_same_bits(store) -> None:
    deploy, executor = any_change(distil=STUDENT, precision="int8", prune=0.2), HandNetworks()
    one, two = (run(store, deploy, executor) for _ in range(2))
    assert (two.trained, two.stored) == (0, 2)
    assert one.outcomes[0].validation.tobytes() == two.outcomes[0].validation.tobytes()


def test_the_predictions_of_a_deployed_model_are_its_own(store) -> None:
    (deployed,) = run(store, any_change(prune=0.5), HandNetworks()).outcomes
    for name, rows in (("train", ARRAYS.train), ("validation", ARRAYS.validation)):
        own = deployed.forecaster.predict(ARRAYS, rows).returns
        assert getattr(deployed, name).tobytes() == own.tobytes()


def test_a_student_learns_the_forecasts_of_the_train_and_validation_rows_alone(store) -> None:
    executor = HandNetworks()
    fits = run(store, any_change(distil=STUDENT), executor)
    _, student = executor.fitted
    target, known = student.training_set.target, np.r_[ARRAYS.train, ARRAYS.validation]
    assert (student.model, student.training.loss.kind) == (STUDENT, "mse")
    assert target[ARRAYS.train].tobytes() == fits.full[0].train.tobytes()
    assert target[ARRAYS.validation].tobytes() == fits.full[0].validation.tobytes()
    assert np.isnan(np.delete(target, known)).all()


def test_a_student_has_the_lookback_of_its_teacher_unless_it_has_its_own() -> None:
    assert DeploySpec(distil={"kind": "lstm", "units": 4}).student_of(NETWORK).lookback == 2
    own = DeploySpec(distil={"kind": "lstm", "units": 4, "lookback": 5})
    assert own.student_of(NETWORK.model_copy(update={"lookback": 9})).lookback == 5


def test_too_large_a_change_is_an_error_with_its_figure(store) -> None:
    change = forecast_change(
        run(store, None, HandNetworks()).outcomes[0],
        run(store, any_change(prune=0.9), HandNetworks()).outcomes[0],
    )
    with pytest.raises(TrainingError, match="deployed model forecasts otherwise") as caught:
        run(store, DeploySpec(prune=0.9, max_change=0.99 * change), HandNetworks())
    error = caught.value
    assert error.exit_code == 5
    assert all((error.expected, error.found, error.where, error.fix))
    run(store, DeploySpec(prune=0.9, max_change=1.01 * change), HandNetworks())


def test_too_large_a_change_is_left_out_where_failures_are(store) -> None:
    fits = run(store, DeploySpec(prune=0.9, max_change=1e-9), HandNetworks(), skip=True)
    assert [error.where for error in fits.failures] == ["strategy X window 0 seed 0"]


def test_no_deployment_changes_nothing(store) -> None:
    (full,), (same,) = (
        run(store, deploy, HandNetworks()).outcomes for deploy in (None, DeploySpec())
    )
    assert full.validation.tobytes() == same.validation.tobytes()
    assert forecast_change(full, same) == 0


def test_the_change_is_measured_in_deviations_of_the_forecasts() -> None:
    full = FittedModel(
        make_network(), np.array([0.0, 2.0]), np.array([0.0, 2.0]), np.zeros((2, 1))
    )
    assert forecast_change(full, replace(full, validation=np.array([0.5, 2.5]))) == 0.5
    flat = replace(full, train=np.ones(2), validation=np.ones(2))
    assert forecast_change(flat, flat) == 0
    assert forecast_change(flat, full) == np.inf


def test_a_student_never_starts_warm(store) -> None:
    executor, training = HandNetworks(), TrainingSpec(warm_start="previous_window")
    tasks = [task(any_change(distil=STUDENT), training=training)]
    run_fits(tasks, executor, store, NullProgress())
    assert [each.starts_warm for each in executor.fitted] == [True, False]


def run_pool(store: FitStore, deploy: DeploySpec, executor: Executor) -> FitResults:
    """One window of a pooled network over three symbols of two features each."""
    tasks = make_fit_tasks(
        {"strategy": NETWORK},
        history(),
        WINDOWS[:1],
        SYMBOLS,
        training=TrainingSpec(),
        seeds=1,
        seed=7,
        deploy=deploy,
        pooled=True,
    )
    return run_fits(tasks, executor, store, NullProgress())


def test_a_pool_is_compressed_once_and_each_symbol_has_its_own_part(store) -> None:
    executor = HandNetworks(columns=2)
    deploy = any_change(precision="int8", prune=0.5)
    deployed, again = (run_pool(store, deploy, executor) for _ in range(2))
    assert len(executor.fitted) == 1
    assert len({id(model.forecaster) for model in deployed.outcomes}) == 1
    for number, task in enumerate(deployed.tasks):
        model, full = deployed.outcomes[number], deployed.full[number]
        assert model.input_transform.symbol == task.symbol
        every = model.forecaster.predict(task.training_set, task.training_set.train).returns
        own = every[number :: len(SYMBOLS)]
        np.testing.assert_array_equal(model.train, own)
        assert not np.array_equal(model.train, full.train)
        stored = again.outcomes[number]
        np.testing.assert_array_equal(stored.train, model.train)
        assert stored.input_transform.symbol == task.symbol


def test_a_pool_is_distilled_into_one_network_that_learns_the_forecasts_of_all_rows(store) -> None:
    executor = HandNetworks(columns=2)
    deployed = run_pool(store, any_change(distil=STUDENT), executor)
    teacher, student = executor.fitted
    assert student.model == STUDENT
    arrays = student.training_set
    for rows in (arrays.train, arrays.validation):
        expected = deployed.full[0].forecaster.predict(teacher.training_set, rows).returns
        np.testing.assert_array_equal(arrays.target[rows], expected)
    assert [model.forecaster.model for model in deployed.outcomes] == [STUDENT] * len(SYMBOLS)
    for number, symbol in enumerate(SYMBOLS):
        assert deployed.outcomes[number].input_transform.symbol == symbol
