"""All fits of a run: the store first, then the executor, each finished fit kept at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Forecast, Micdl, Ridge, TrainingSpec
from engine.training.executors.base import Executor
from engine.training.results import run_fits
from engine.training.store import FitStore
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.models.planted_data import planted

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.training.scheduler import FitScheduler


@dataclass
class Fake(Executor):
    """Fits at once, of all that are ready the newest first; fails at the window it is told to."""

    fails_at: int | None = None
    backend: str = "tensorflow"
    workers: int = 1
    fitted: list[int] = field(default_factory=list)

    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, Forecast | TrainingError]]:
        while scheduler.ready_count:
            for place, start in reversed(
                [scheduler.next_ready() for _ in range(scheduler.ready_count)]
            ):
                outcome = self.outcome(scheduler.tasks[place].with_previous_fit(start))
                scheduler.mark_finished(place, outcome)
                yield place, outcome

    def outcome(self, task: FitTask) -> Forecast | TrainingError:
        if task.window == self.fails_at:
            return TrainingError("failed", where=str(task))
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
def store(tmp_path) -> FitStore:
    return FitStore(tmp_path / "fits")


def tasks_of(count: int = 4) -> list[FitTask]:
    model, training = Micdl(), TrainingSpec()
    return [
        FitTask("strategy", "X", n, 0, n, model, training, planted(rows=420)) for n in range(count)
    ]


def test_forecasts_come_in_the_order_of_the_tasks_whatever_was_finished_first(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), planted(rows=420))
    heavy = tasks_of(3)
    fits = run_fits([heavy[0], light, *heavy[1:]], Fake(), store, Told())
    assert [fits.outcomes[place].test[0] for place in (0, 2, 3)] == [0.0, 1.0, 2.0]
    assert np.array_equal(fits.outcomes[1].test, fit_task(light).test)


def test_a_second_run_trains_nothing(store) -> None:
    first = run_fits(tasks_of(), Fake(), store, Told())
    idle = Fake()
    second = run_fits(tasks_of(), idle, store, Told())
    assert idle.fitted == []
    assert (first.trained, first.stored) == (4, 0)
    assert (second.trained, second.stored) == (0, 4)
    assert [f.test.tolist() for f in first.outcomes] == [f.test.tolist() for f in second.outcomes]


def test_every_costly_fit_tells_its_key_in_the_store_and_a_cheap_one_has_none(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), planted(rows=420))
    heavy = tasks_of(3)
    for fits in (run_fits([heavy[0], light, *heavy[1:]], Fake(), store, Told()) for _ in range(2)):
        assert sorted(fits.keys) == [0, 2, 3]
        labels = {entry.key: entry.label for entry in store.entries()}
        assert [labels[fits.keys[place]] for place in (0, 2, 3)] == [str(task) for task in heavy]
        assert fits.for_book("ridge")[2] == [None]
        assert fits.for_book("strategy", 0)[2] == [fits.keys[place] for place in (0, 2, 3)]


def test_a_run_that_failed_goes_on_where_it_stopped(store) -> None:
    with pytest.raises(TrainingError, match="window 1"):
        run_fits(tasks_of(), Fake(fails_at=1), store, Told())
    resumed = Fake()
    run_fits(tasks_of(), resumed, store, Told())
    assert resumed.fitted == [1, 0]


def test_a_failure_that_may_be_skipped_is_told_and_left_out(store) -> None:
    told = Told()
    fits = run_fits(tasks_of(), Fake(fails_at=1), store, told, skip_failures=True)
    assert [isinstance(outcome, TrainingError) for outcome in fits.outcomes] == [
        *(False, True, False, False)
    ]
    assert told.notices == ["strategy X window 1 seed 0 is left out: failed"]
    assert len(store.entries()) == 3


def test_only_what_changed_is_trained(store) -> None:
    tasks = tasks_of()
    run_fits(tasks, Fake(), store, Told())
    changed = Fake()
    run_fits([*tasks[:2], replace(tasks[2], seed=99), tasks[3]], changed, store, Told())
    assert changed.fitted == [2]


def test_fresh_trains_everything_and_replaces_what_is_stored(store) -> None:
    run_fits(tasks_of(), Fake(), store, Told())
    again = Fake()
    run_fits(tasks_of(), again, store, Told(), ignore_stored=True)
    assert sorted(again.fitted) == [0, 1, 2, 3]
    assert len(store.entries()) == 4


def test_a_damaged_entry_is_told_and_fitted_again(store) -> None:
    run_fits(tasks_of(), Fake(), store, Told())
    damaged = store.entries()[0]
    (file,) = store.folder.glob(f"*/{damaged.key}.fit")
    file.write_bytes(file.read_bytes()[:-1])
    told, again = Told(), Fake()
    run_fits(tasks_of(), again, store, told)
    assert len(again.fitted) == 1
    assert told.notices == [f"the stored fit of {damaged.label} is damaged and is trained again"]
    store.get(damaged.key)


def test_progress_counts_networks_and_begins_with_what_is_stored(store) -> None:
    run_fits(tasks_of(2), Fake(), store, Told())
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), planted(rows=420))
    told = Told()
    run_fits([light, *tasks_of(4)], Fake(), store, told)
    assert told.counts == [(2, 4), (3, 4), (4, 4)]
    assert told.last == "4 of 4 windows, 2 cached, 2 trained"


def test_progress_of_one_window_counts_no_windows(store) -> None:
    told = Told()
    run_fits(tasks_of(1), Fake(), store, told)
    assert told.last == "0 cached, 1 trained"


def test_cheap_fits_are_not_stored(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), planted(rows=420))
    fits = run_fits([light], Fake(), store, Told())
    assert (fits.trained, fits.stored) == (0, 0)
    assert store.entries() == []


def test_stored_fits_of_an_earlier_format_are_reported_in_one_line_once(store) -> None:
    tasks, first, second = tasks_of(3), Told(), Told()
    run_fits(tasks, Fake(), store, Told())
    for file in list(store.folder.glob("*/*.fit"))[:2]:
        file.write_bytes(file.read_bytes().replace(b"backtest fit 3", b"backtest fit 2", 1))
    (store.folder / "format").unlink(missing_ok=True)
    refitted = Fake()
    run_fits(tasks, refitted, store, first)
    run_fits(tasks, Fake(), store, second)
    assert len(refitted.fitted) == 2
    assert first.notices == [
        "2 stored fits are of an earlier key format and not used; "
        "`backtest fits prune --earlier-formats` removes what is of no use"
    ]
    assert second.notices == []
