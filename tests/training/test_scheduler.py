"""The scheduler: a task waits for the fit that it starts from; chains run in parallel."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Ridge
from engine.training.scheduler import FitScheduler
from tests.training.chained import COLD, chain, chained, fitted_model


def taken(scheduler: FitScheduler) -> list[int]:
    """Indices of all ready tasks, in their order."""
    return [scheduler.next_ready()[0] for _ in range(scheduler.ready_count)]


def test_cold_tasks_are_ready_at_once_in_their_order() -> None:
    scheduler = FitScheduler([chained(window, training=COLD) for window in range(4)])
    assert scheduler.ready_count == 4
    assert taken(scheduler) == [0, 1, 2, 3]
    assert scheduler.next_ready() is None


def test_a_deterministic_model_has_no_warm_start() -> None:
    scheduler = FitScheduler([replace(task, model=Ridge()) for task in chain(3)])
    assert taken(scheduler) == [0, 1, 2]


def test_a_warm_task_is_ready_when_the_previous_is_finished() -> None:
    scheduler = FitScheduler(chain(3))
    assert scheduler.next_ready() == (0, None)
    assert scheduler.next_ready() is None
    scheduler.mark_finished(0, fitted_model(1.5))
    index, start = scheduler.next_ready()
    assert (index, start.weights[0].tolist()) == (1, [1.5])
    assert scheduler.next_ready() is None


def test_only_the_forecaster_is_sent_to_a_worker() -> None:
    scheduler = FitScheduler(chain(2))
    scheduler.next_ready()
    finished = fitted_model(1.0)
    scheduler.mark_finished(0, finished)
    _, start = scheduler.next_ready()
    assert start is finished.forecaster


def test_chains_of_other_books_symbols_and_seeds_run_in_parallel() -> None:
    far = replace(chained(0).training_set, horizons=(5,))
    tasks = [
        *(chained(0), chained(0, member=1), chained(0, symbol="Y"), chained(0, book="rival")),
        replace(chained(0), training_set=far),
        *(chained(1), chained(1, member=1), chained(1, symbol="Y"), chained(1, book="rival")),
        replace(chained(1), training_set=far),
    ]
    scheduler = FitScheduler(tasks)
    assert taken(scheduler) == [0, 1, 2, 3, 4]
    for index in (4, 0, 3, 1, 2):
        scheduler.mark_finished(index, fitted_model(float(index)))
        follower, start = scheduler.next_ready()
        assert (follower, start.weights[0][0]) == (index + 5, index)


def test_windows_run_in_time_order_for_any_order_of_tasks() -> None:
    scheduler = FitScheduler([chained(2), chained(0), chained(1)])
    order = []
    while scheduler.ready_count:
        index, _ = scheduler.next_ready()
        order.append(index)
        scheduler.mark_finished(index, fitted_model(0.0))
    assert order == [1, 2, 0]


def test_after_a_failure_the_next_task_starts_cold_and_the_following_warm() -> None:
    scheduler = FitScheduler(chain(3))
    scheduler.next_ready()
    scheduler.mark_finished(0, TrainingError("dead"))
    assert scheduler.next_ready() == (1, None)
    scheduler.mark_finished(1, fitted_model(1.0))
    assert scheduler.next_ready()[1] is not None


def test_the_oldest_ready_window_comes_first() -> None:
    scheduler = FitScheduler(
        [task for pair in zip(chain(2), chain(2, member=1), strict=True) for task in pair]
    )
    scheduler.next_ready(), scheduler.next_ready()
    scheduler.mark_finished(1, fitted_model(0.0))
    scheduler.mark_finished(0, fitted_model(0.0))
    assert taken(scheduler) == [2, 3]


def test_stored_fits_are_returned_once_and_the_chain_continues() -> None:
    stored = {0: fitted_model(7.0), 1: fitted_model(8.0)}
    scheduler = FitScheduler(chain(4), lambda index, _: stored.get(index))
    assert [index for index, _ in scheduler.pop_stored()] == [0, 1]
    assert scheduler.pop_stored() == []
    index, start = scheduler.next_ready()
    assert (index, start.weights[0][0]) == (2, 8.0)


def test_a_fully_stored_chain_leaves_no_task() -> None:
    scheduler = FitScheduler(chain(3), lambda *_: fitted_model(0.0))
    assert scheduler.ready_count == 0
    assert len(scheduler.pop_stored()) == 3


def test_a_task_is_looked_up_once_with_the_fit_it_starts_from() -> None:
    lookups = []
    scheduler = FitScheduler(chain(4), lambda index, before: lookups.append((index, before)))
    assert lookups == [(0, None)]
    outcomes = {
        0: fitted_model(0.0),
        1: TrainingError("dead"),
        2: fitted_model(0.0),
        3: fitted_model(0.0),
    }
    while scheduler.ready_count:
        index, _ = scheduler.next_ready()
        scheduler.mark_finished(index, outcomes[index])
    assert lookups == [(0, None), (1, 0), (2, None), (3, 2)]


@pytest.mark.parametrize("seed", range(5))
def test_every_warm_fit_starts_from_the_previous_window(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [chained(window, member) for window in range(6) for member in range(3)]
    tasks = [tasks[index] for index in rng.permutation(len(tasks))]
    scheduler = FitScheduler(tasks)
    started, at_work = {}, []
    while scheduler.ready_count or at_work:
        while scheduler.ready_count and rng.random() < 0.7:
            index, start = scheduler.next_ready()
            started[index] = start
            at_work.append(index)
        if at_work:
            index = at_work.pop(rng.integers(len(at_work)))
            scheduler.mark_finished(
                index, fitted_model(tasks[index].window + tasks[index].seed_index / 10)
            )
    for index, task in enumerate(tasks):
        start_weight = None if started[index] is None else started[index].weights[0][0]
        assert start_weight == (task.window - 1 + task.seed_index / 10 if task.window else None)
