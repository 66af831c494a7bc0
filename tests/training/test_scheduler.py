"""The queue: nothing starts before what it goes on from is finished; chains run side by side."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Forecast, Ridge
from engine.training.scheduler import FitScheduler
from tests.training.chained import COLD, chain, chained


def made(weight: float, *members: Forecast) -> Forecast:
    parts = (np.ones(9), np.ones(5), np.ones(3))
    return Forecast(*parts, weights=(np.array([weight]),), members=members)


def taken(queue: FitScheduler) -> list[int]:
    """Places of all that is ready, in the order in which they are handed out."""
    return [queue.next_ready()[0] for _ in range(queue.ready_count)]


def test_cold_tasks_wait_for_nothing_and_keep_their_order() -> None:
    queue = FitScheduler([chained(window, training=COLD) for window in range(4)])
    assert queue.ready_count == 4
    assert taken(queue) == [0, 1, 2, 3]
    assert queue.next_ready() is None


def test_a_model_without_random_weights_has_nothing_to_go_on_from() -> None:
    queue = FitScheduler([replace(task, model=Ridge()) for task in chain(3)])
    assert taken(queue) == [0, 1, 2]


def test_a_warm_task_is_handed_out_when_the_one_before_is_finished() -> None:
    queue = FitScheduler(chain(3))
    assert queue.next_ready() == (0, None)
    assert queue.next_ready() is None
    queue.mark_finished(0, made(1.5))
    place, start = queue.next_ready()
    assert (place, start.weights[0].tolist()) == (1, [1.5])
    assert queue.next_ready() is None


def test_only_weights_travel_and_those_of_members_with_them() -> None:
    queue = FitScheduler(chain(2))
    queue.next_ready()
    queue.mark_finished(0, made(1.0, made(2.0), made(3.0, made(4.0))))
    _, start = queue.next_ready()
    whole = [start, *start.members, *start.members[1].members]
    assert [each.weights[0][0] for each in whole] == [1.0, 2.0, 3.0, 4.0]
    assert all(len(each.train) + len(each.validation) + len(each.test) == 0 for each in whole)


def test_chains_of_other_books_symbols_seeds_and_horizons_run_side_by_side() -> None:
    far = replace(chained(0).dataset, horizons=(5,))
    tasks = [
        *(chained(0), chained(0, member=1), chained(0, symbol="Y"), chained(0, book="rival")),
        replace(chained(0), dataset=far),
        *(chained(1), chained(1, member=1), chained(1, symbol="Y"), chained(1, book="rival")),
        replace(chained(1), dataset=far),
    ]
    queue = FitScheduler(tasks)
    assert taken(queue) == [0, 1, 2, 3, 4]
    for place in (4, 0, 3, 1, 2):
        queue.mark_finished(place, made(float(place)))
        follower, start = queue.next_ready()
        assert (follower, start.weights[0][0]) == (place + 5, place)


def test_windows_follow_each_other_in_time_whatever_order_the_tasks_are_in() -> None:
    queue = FitScheduler([chained(2), chained(0), chained(1)])
    order = []
    while queue.ready_count:
        place, _ = queue.next_ready()
        order.append(place)
        queue.mark_finished(place, made(0.0))
    assert order == [1, 2, 0]


def test_after_a_failure_the_next_starts_from_scratch_and_the_one_after_it_warm() -> None:
    queue = FitScheduler(chain(3))
    queue.next_ready()
    queue.mark_finished(0, TrainingError("dead"))
    assert queue.next_ready() == (1, None)
    queue.mark_finished(1, made(1.0))
    assert queue.next_ready()[1] is not None


def test_of_all_that_wait_the_oldest_window_comes_first() -> None:
    queue = FitScheduler(
        [task for pair in zip(chain(2), chain(2, member=1), strict=True) for task in pair]
    )
    queue.next_ready(), queue.next_ready()
    queue.mark_finished(1, made(0.0))
    queue.mark_finished(0, made(0.0))
    assert taken(queue) == [2, 3]


def test_what_is_found_is_told_once_and_the_chain_goes_on_behind_it() -> None:
    there = {0: made(7.0), 1: made(8.0)}
    queue = FitScheduler(chain(4), lambda place, _: there.get(place))
    assert [place for place, _ in queue.pop_stored()] == [0, 1]
    assert queue.pop_stored() == []
    place, start = queue.next_ready()
    assert (place, start.weights[0][0]) == (2, 8.0)


def test_a_chain_that_is_found_to_its_end_leaves_nothing_to_do() -> None:
    queue = FitScheduler(chain(3), lambda *_: made(0.0))
    assert queue.ready_count == 0
    assert len(queue.pop_stored()) == 3


def test_a_task_is_looked_for_once_with_what_it_goes_on_from() -> None:
    asked = []
    queue = FitScheduler(chain(4), lambda place, before: asked.append((place, before)))
    assert asked == [(0, None)]
    outcomes = {0: made(0.0), 1: TrainingError("dead"), 2: made(0.0), 3: made(0.0)}
    while queue.ready_count:
        place, _ = queue.next_ready()
        queue.mark_finished(place, outcomes[place])
    assert asked == [(0, None), (1, 0), (2, None), (3, 2)]


@pytest.mark.parametrize("seed", range(5))
def test_whatever_is_finished_first_every_fit_goes_on_from_the_window_before(seed: int) -> None:
    rng = np.random.default_rng(seed)
    tasks = [chained(window, member) for window in range(6) for member in range(3)]
    tasks = [tasks[place] for place in rng.permutation(len(tasks))]
    queue = FitScheduler(tasks)
    started, at_work = {}, []
    while queue.ready_count or at_work:
        while queue.ready_count and rng.random() < 0.7:
            place, start = queue.next_ready()
            started[place] = start
            at_work.append(place)
        if at_work:
            place = at_work.pop(rng.integers(len(at_work)))
            queue.mark_finished(place, made(tasks[place].window + tasks[place].seed_index / 10))
    for place, task in enumerate(tasks):
        told = None if started[place] is None else started[place].weights[0][0]
        assert told == (task.window - 1 + task.seed_index / 10 if task.window else None)
