"""All fits of a run: stored ones first, then the executor; each finished fit is stored at once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Micdl, Ridge, TrainingSpec
from engine.testing import make_example
from engine.training.executors.base import Executor
from engine.training.results import run_fits
from engine.training.store import FitStore
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.training.chained import fitted_model

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler


ARRAYS = make_example().training_set


@dataclass
class Fake(Executor):
    """Fits ready tasks at once, the newest first; fails at the window `fails_at`."""

    fails_at: int | None = None
    backend: str = "tensorflow"
    workers: int = 1
    fitted: list[int] = field(default_factory=list)

    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, FittedModel | TrainingError]]:
        while scheduler.ready_count:
            for index, start in reversed(
                [scheduler.next_ready() for _ in range(scheduler.ready_count)]
            ):
                outcome = self.outcome(scheduler.tasks[index].with_previous_fit(start))
                scheduler.mark_finished(index, outcome)
                yield index, outcome

    def outcome(self, task: FitTask) -> FittedModel | TrainingError:
        if task.window == self.fails_at:
            return TrainingError("failed", where=str(task))
        self.fitted.append(task.window)
        return fitted_model(float(task.window), task.model)


@dataclass
class RecordedProgress:
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
    return [
        FitTask("strategy", "X", n, 0, n, Micdl(), TrainingSpec(), ARRAYS) for n in range(count)
    ]


def test_models_are_in_the_order_of_the_tasks(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), ARRAYS)
    heavy = tasks_of(3)
    fits = run_fits([heavy[0], light, *heavy[1:]], Fake(), store, RecordedProgress())
    assert [fits.outcomes[index].train[0] for index in (0, 2, 3)] == [0.0, 1.0, 2.0]
    assert np.array_equal(fits.outcomes[1].train, fit_task(light).train)


def test_a_second_run_trains_nothing(store) -> None:
    first = run_fits(tasks_of(), Fake(), store, RecordedProgress())
    idle = Fake()
    second = run_fits(tasks_of(), idle, store, RecordedProgress())
    assert idle.fitted == []
    assert (first.trained, first.stored) == (4, 0)
    assert (second.trained, second.stored) == (0, 4)
    assert [f.train.tolist() for f in first.outcomes] == [
        f.train.tolist() for f in second.outcomes
    ]


def test_only_costly_fits_have_a_key(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), ARRAYS)
    heavy = tasks_of(3)
    for fits in (
        run_fits([heavy[0], light, *heavy[1:]], Fake(), store, RecordedProgress())
        for _ in range(2)
    ):
        assert sorted(fits.keys) == [0, 2, 3]
        labels = {entry.key: entry.label for entry in store.entries()}
        assert [labels[fits.keys[index]] for index in (0, 2, 3)] == [str(task) for task in heavy]
        forecast = replace(fits, forecasts=fits.outcomes)
        assert forecast.for_book("ridge")[2] == [None]
        assert forecast.for_book("strategy", 0)[2] == [fits.keys[index] for index in (0, 2, 3)]


def test_a_failed_run_resumes_from_its_stored_fits(store) -> None:
    with pytest.raises(TrainingError, match="window 1"):
        run_fits(tasks_of(), Fake(fails_at=1), store, RecordedProgress())
    resumed = Fake()
    run_fits(tasks_of(), resumed, store, RecordedProgress())
    assert resumed.fitted == [1, 0]


def test_a_skipped_failure_gives_a_notice_and_is_left_out(store) -> None:
    progress = RecordedProgress()
    fits = run_fits(tasks_of(), Fake(fails_at=1), store, progress, skip_failures=True)
    assert [isinstance(outcome, TrainingError) for outcome in fits.outcomes] == [
        *(False, True, False, False)
    ]
    assert progress.notices == ["strategy X window 1 seed 0 is left out: failed"]
    assert len(store.entries()) == 3


def test_only_what_changed_is_trained(store) -> None:
    tasks = tasks_of()
    run_fits(tasks, Fake(), store, RecordedProgress())
    changed = Fake()
    run_fits(
        [*tasks[:2], replace(tasks[2], seed=99), tasks[3]], changed, store, RecordedProgress()
    )
    assert changed.fitted == [2]


def test_fresh_trains_everything_and_replaces_what_is_stored(store) -> None:
    run_fits(tasks_of(), Fake(), store, RecordedProgress())
    again = Fake()
    run_fits(tasks_of(), again, store, RecordedProgress(), ignore_stored=True)
    assert sorted(again.fitted) == [0, 1, 2, 3]
    assert len(store.entries()) == 4


def test_a_damaged_entry_gives_a_notice_and_is_fitted_again(store) -> None:
    run_fits(tasks_of(), Fake(), store, RecordedProgress())
    damaged = store.entries()[0]
    (file,) = store.folder.glob(f"*/{damaged.key}.fit")
    file.write_bytes(file.read_bytes()[:-1])
    progress, again = RecordedProgress(), Fake()
    run_fits(tasks_of(), again, store, progress)
    assert len(again.fitted) == 1
    assert progress.notices == [
        f"the stored fit of {damaged.label} is damaged and is trained again"
    ]
    store.get(damaged.key)


def test_progress_counts_costly_fits_and_begins_with_stored_ones(store) -> None:
    run_fits(tasks_of(2), Fake(), store, RecordedProgress())
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), ARRAYS)
    progress = RecordedProgress()
    run_fits([light, *tasks_of(4)], Fake(), store, progress)
    assert progress.counts == [(2, 4), (3, 4), (4, 4)]
    assert progress.last == "4 of 4 windows, 2 cached, 2 trained"


def test_progress_of_one_window_counts_no_windows(store) -> None:
    progress = RecordedProgress()
    run_fits(tasks_of(1), Fake(), store, progress)
    assert progress.last == "0 cached, 1 trained"


def test_cheap_fits_are_not_stored(store) -> None:
    light = FitTask("ridge", "X", 9, 0, 0, Ridge(), TrainingSpec(), ARRAYS)
    fits = run_fits([light], Fake(), store, RecordedProgress())
    assert (fits.trained, fits.stored) == (0, 0)
    assert store.entries() == []


def test_stored_fits_of_an_earlier_format_are_reported_in_one_line_once(store) -> None:
    tasks, first, second = tasks_of(3), RecordedProgress(), RecordedProgress()
    run_fits(tasks, Fake(), store, RecordedProgress())
    for file in list(store.folder.glob("*/*.fit"))[:2]:
        file.write_bytes(file.read_bytes().replace(b"backtest fit 4", b"backtest fit 3", 1))
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
