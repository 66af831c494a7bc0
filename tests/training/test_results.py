"""All fits of a run: stored ones first, then the executor; each finished fit is stored at once."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.core.errors import TrainingError
from engine.models import Micdl, Ridge, TrainingSpec
from engine.testing import make_example
from engine.training.results import report_refused_fits, run_fits
from engine.training.store import FitStore
from engine.training.task import FitTask
from engine.training.worker import fit_task
from tests.training.chained import WARM, Chained, fitted_model
from tests.training.in_process import NewestFirst

if TYPE_CHECKING:
    from engine.models.fitted_model import FittedModel


ARRAYS = make_example().training_set


@dataclass
class Fake(NewestFirst):
    """Fits ready tasks at once, the newest first; fails at the window `fails_at`."""

    fails_at: int | None = None
    backend: str = "tensorflow"
    workers: int = 1
    fitted: list[int] = field(default_factory=list)

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


class TestFitsThatCannotBeStored:
    @pytest.fixture
    def refusing(self, store) -> FitStore:
        """A store that can be read, and in which nothing can be written."""
        store.folder.mkdir()
        for number in range(256):
            (store.folder / f"{number:02x}").touch()
        return store

    def test_they_end_no_run_and_are_told_once_with_number_reason_and_fix(self, refusing) -> None:
        progress = RecordedProgress()
        with report_refused_fits(refusing, progress):
            fits = run_fits(tasks_of(), Fake(), refusing, progress)
            run_fits(tasks_of(2), Fake(), refusing, progress)
        assert [fit.train[0] for fit in fits.outcomes] == [0.0, 1.0, 2.0, 3.0]
        (notice,) = progress.notices
        assert notice.startswith("6 fits could not be stored and will be trained again")
        assert "ENOTDIR" in notice
        assert "set BACKTEST_HOME to another folder" in notice

    def test_a_failure_that_cannot_be_stored_is_left_out_all_the_same(self, refusing) -> None:
        progress = RecordedProgress()
        with report_refused_fits(refusing, progress):
            fits = run_fits(
                tasks_of(), FailingAgain(fails_at=1), refusing, progress, skip_failures=True
            )
        assert len(fits.failures) == 1
        assert progress.notices[-1].startswith("4 fits could not be stored")

    def test_they_are_told_however_the_run_ends(self, refusing) -> None:
        progress = RecordedProgress()
        with (
            pytest.raises(TrainingError),
            report_refused_fits(refusing, progress),
        ):
            run_fits(tasks_of(), Fake(fails_at=0), refusing, progress)
        (notice,) = progress.notices
        assert notice.startswith("3 fits could not be stored")

    def test_where_all_are_stored_nothing_is_told(self, store) -> None:
        progress = RecordedProgress()
        with report_refused_fits(store, progress):
            run_fits(tasks_of(), Fake(), store, progress)
        assert progress.notices == []


@dataclass
class FailingAgain(Fake):
    """As `Fake`, with failures that would come again."""

    tried: list[int] = field(default_factory=list)

    def outcome(self, task: FitTask) -> FittedModel | TrainingError:
        self.tried.append(task.window)
        outcome = super().outcome(task)
        if isinstance(outcome, TrainingError):
            outcome.is_reproducible = True
        return outcome


class TestFailuresBefore:
    def run(self, store: FitStore, *, fails_at: int | None = 1, **chosen):
        executor, progress = FailingAgain(fails_at=fails_at), RecordedProgress()
        fits = run_fits(tasks_of(), executor, store, progress, **{"skip_failures": True, **chosen})
        return fits, executor.tried, progress

    def test_a_fit_that_would_fail_again_is_told_and_not_tried_again(self, store) -> None:
        first, _, _ = self.run(store)
        again, tried, progress = self.run(store)
        assert tried == []
        assert [str(error) for error in again.failures] == [str(e) for e in first.failures]
        assert [isinstance(outcome, TrainingError) for outcome in again.outcomes] == [
            *(False, True, False, False)
        ]
        (notice,) = progress.notices
        assert notice.startswith("strategy X window 1 seed 0 is left out: failed, as before")
        assert "backtest fits prune --failed" in notice
        assert progress.counts[-1] == (4, 4)

    def test_it_is_tried_again_once_forgotten(self, store) -> None:
        self.run(store)
        assert (store.count_failures(), store.remove_failures()) == (1, 1)
        _, tried, _ = self.run(store, fails_at=None)
        assert tried == [1]
        assert store.count_failures() == 0

    def test_a_fresh_run_tries_it_again_and_forgets_it_where_it_succeeds(self, store) -> None:
        self.run(store)
        fits, tried, _ = self.run(store, fails_at=None, ignore_stored=True)
        assert sorted(tried) == [0, 1, 2, 3]
        assert (fits.failures, store.count_failures()) == ([], 0)
        assert self.run(store)[1] == []

    def test_where_failures_end_the_run_it_is_tried_again(self, store) -> None:
        self.run(store)
        with pytest.raises(TrainingError, match="window 1"):
            self.run(store, skip_failures=False)

    def test_the_failure_of_other_arrays_is_another_one(self, store) -> None:
        self.run(store)
        tasks = [replace(task, seed=task.seed + 10) for task in tasks_of()]
        executor = FailingAgain()
        run_fits(tasks, executor, store, RecordedProgress(), skip_failures=True)
        assert sorted(executor.tried) == [0, 1, 2, 3]

    @pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"problem": "x"}'])
    def test_a_damaged_record_is_as_none(self, store, damage: bytes) -> None:
        self.run(store)
        (file,) = store.folder.glob("*/*.failed")
        file.write_bytes(damage)
        assert self.run(store)[1] == [1]

    def test_a_failure_that_may_not_come_again_is_tried_each_time(self, store) -> None:
        for _ in range(2):
            executor = Fake(fails_at=1)
            fits = run_fits(tasks_of(), executor, store, RecordedProgress(), skip_failures=True)
            assert len(fits.failures) == 1
        assert store.count_failures() == 0

    def test_the_next_of_a_chain_starts_from_random_weights_as_it_did(self, store) -> None:
        chained = [replace(task, training=WARM) for task in tasks_of()]
        first, again = FailingAgain(fails_at=1), FailingAgain(fails_at=1)
        one, two = (
            run_fits(chained, executor, store, RecordedProgress(), skip_failures=True)
            for executor in (first, again)
        )
        assert (first.tried, again.tried) == ([0, 1, 2, 3], [])
        assert one.keys == two.keys


def test_an_error_of_the_model_comes_again_and_one_of_the_machine_may_not() -> None:
    failing = FitTask("strategy", "X", 0, 0, 0, Chained(fails="always"), TrainingSpec(), ARRAYS)
    with pytest.raises(TrainingError) as caught:
        fit_task(failing)
    assert caught.value.is_reproducible
    assert copy.copy(caught.value).is_reproducible  # as between processes
    broken = replace(failing, model=Chained(), training_set=replace(ARRAYS, inputs=None))
    with pytest.raises(TrainingError, match="raised an error") as caught:
        fit_task(broken)
    assert not caught.value.is_reproducible


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
