"""All fits of a run: the store first, then the executor, each finished fit kept at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.errors import RefitError
from engine.models import Forecast, Micdl, Ridge, Training
from engine.refit.executor import Executor
from engine.refit.fits import fit_all
from engine.refit.store import Store
from engine.refit.task import Task
from engine.refit.worker import fit
from tests.models.problems import planted

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.refit.queue import Queue


@dataclass
class Fake(Executor):
    """Fits at once, of all that are ready the newest first; fails at the window it is told to."""

    fails_at: int | None = None
    backend: str = "tensorflow"
    workers: int = 1
    fitted: list[int] = field(default_factory=list)

    def fit(self, queue: Queue) -> Generator[tuple[int, Forecast | RefitError]]:
        while queue.ready:
            for place, start in reversed([queue.take() for _ in range(queue.ready)]):
                outcome = self.outcome(queue.tasks[place].starting_from(start))
                queue.finish(place, outcome)
                yield place, outcome

    def outcome(self, task: Task) -> Forecast | RefitError:
        if task.window == self.fails_at:
            return RefitError("failed", where=str(task))
        self.fitted.append(task.window)
        return Forecast(np.zeros(2), np.zeros(1), np.array([float(task.window)]))


@dataclass
class Told:
    notices: list[str] = field(default_factory=list)
    counts: list[tuple[int, int]] = field(default_factory=list)
    last: str = ""

    def stage(self, name: str) -> None: ...

    def notice(self, text: str) -> None:
        self.notices.append(text)

    def line(self, text: str) -> None:
        pass

    def advance(self, done: int, total: int, what: str) -> None:
        self.counts.append((done, total))
        self.last = what


@pytest.fixture
def store(tmp_path) -> Store:
    return Store(tmp_path / "fits")


def tasks_of(count: int = 4) -> list[Task]:
    model, training = Micdl(), Training()
    return [
        Task("strategy", "X", n, 0, n, model, training, planted(rows=420)) for n in range(count)
    ]


def test_forecasts_come_in_the_order_of_the_tasks_whatever_was_finished_first(store) -> None:
    light = Task("ridge", "X", 9, 0, 0, Ridge(), Training(), planted(rows=420))
    heavy = tasks_of(3)
    fits = fit_all([heavy[0], light, *heavy[1:]], Fake(), store, Told())
    assert [fits.outcomes[place].test[0] for place in (0, 2, 3)] == [0.0, 1.0, 2.0]
    assert np.array_equal(fits.outcomes[1].test, fit(light).test)


def test_a_second_run_trains_nothing(store) -> None:
    first = fit_all(tasks_of(), Fake(), store, Told())
    idle = Fake()
    second = fit_all(tasks_of(), idle, store, Told())
    assert idle.fitted == []
    assert (first.trained, first.stored) == (4, 0)
    assert (second.trained, second.stored) == (0, 4)
    assert [f.test.tolist() for f in first.outcomes] == [f.test.tolist() for f in second.outcomes]


def test_every_costly_fit_tells_its_key_in_the_store_and_a_cheap_one_has_none(store) -> None:
    light = Task("ridge", "X", 9, 0, 0, Ridge(), Training(), planted(rows=420))
    heavy = tasks_of(3)
    for fits in (fit_all([heavy[0], light, *heavy[1:]], Fake(), store, Told()) for _ in range(2)):
        assert sorted(fits.keys) == [0, 2, 3]
        labels = {entry.key: entry.label for entry in store.entries()}
        assert [labels[fits.keys[place]] for place in (0, 2, 3)] == [str(task) for task in heavy]
        assert fits.of("ridge")[2] == [None]
        assert fits.of("strategy", 0)[2] == [fits.keys[place] for place in (0, 2, 3)]


def test_a_run_that_failed_goes_on_where_it_stopped(store) -> None:
    with pytest.raises(RefitError, match="window 1"):
        fit_all(tasks_of(), Fake(fails_at=1), store, Told())
    resumed = Fake()
    fit_all(tasks_of(), resumed, store, Told())
    assert resumed.fitted == [1, 0]


def test_a_failure_that_may_be_skipped_is_told_and_left_out(store) -> None:
    told = Told()
    fits = fit_all(tasks_of(), Fake(fails_at=1), store, told, skip_failures=True)
    assert [isinstance(outcome, RefitError) for outcome in fits.outcomes] == [
        *(False, True, False, False)
    ]
    assert told.notices == ["strategy X window 1 seed 0 is left out: failed"]
    assert len(store.entries()) == 3


def test_only_what_changed_is_trained(store) -> None:
    tasks = tasks_of()
    fit_all(tasks, Fake(), store, Told())
    changed = Fake()
    fit_all([*tasks[:2], replace(tasks[2], seed=99), tasks[3]], changed, store, Told())
    assert changed.fitted == [2]


def test_fresh_trains_everything_and_replaces_what_is_stored(store) -> None:
    fit_all(tasks_of(), Fake(), store, Told())
    again = Fake()
    fit_all(tasks_of(), again, store, Told(), fresh=True)
    assert sorted(again.fitted) == [0, 1, 2, 3]
    assert len(store.entries()) == 4


def test_a_damaged_entry_is_told_and_fitted_again(store) -> None:
    fit_all(tasks_of(), Fake(), store, Told())
    damaged = store.entries()[0]
    (file,) = store.folder.glob(f"*/{damaged.key}.fit")
    file.write_bytes(file.read_bytes()[:-1])
    told, again = Told(), Fake()
    fit_all(tasks_of(), again, store, told)
    assert len(again.fitted) == 1
    assert told.notices == [f"the stored fit of {damaged.label} is damaged and is made anew"]
    store.get(damaged.key)


def test_progress_counts_networks_and_begins_with_what_is_stored(store) -> None:
    fit_all(tasks_of(2), Fake(), store, Told())
    light = Task("ridge", "X", 9, 0, 0, Ridge(), Training(), planted(rows=420))
    told = Told()
    fit_all([light, *tasks_of(4)], Fake(), store, told)
    assert told.counts == [(2, 4), (3, 4), (4, 4)]
    assert told.last == "4 of 4 windows, 2 cached, 2 trained"


def test_progress_of_one_window_counts_no_windows(store) -> None:
    told = Told()
    fit_all(tasks_of(1), Fake(), store, told)
    assert told.last == "0 cached, 1 trained"


def test_cheap_fits_are_not_stored(store) -> None:
    light = Task("ridge", "X", 9, 0, 0, Ridge(), Training(), planted(rows=420))
    fits = fit_all([light], Fake(), store, Told())
    assert (fits.trained, fits.stored) == (0, 0)
    assert store.entries() == []
