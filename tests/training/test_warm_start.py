"""Warm starts through the store: the key of a fit covers the chain before it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from engine.core.errors import TrainingError
from engine.core.progress import NullProgress
from engine.models.fitted_model import FittedModel
from engine.training.executors.local import LocalExecutor
from engine.training.results import FitResults, run_fits
from engine.training.store import FitStore
from engine.training.worker import fit_task
from tests.training.chained import COLD, chain, chained
from tests.training.in_process import NewestFirst

if TYPE_CHECKING:
    from pathlib import Path

    from engine.training.task import FitTask


@dataclass
class Here(NewestFirst):
    """Fits in this process, the last ready task first; stops or fails on request."""

    backend: str = "tensorflow"
    workers: int = 1
    broken: tuple[int, ...] = ()
    dies_after: int = 10**9
    fitted: list[tuple[int, int]] = field(default_factory=list)

    def outcome(self, task: FitTask) -> FittedModel | TrainingError:
        if len(self.fitted) == self.dies_after:
            raise KeyboardInterrupt
        self.fitted.append((task.window, task.seed_index))
        if task.window in self.broken:
            return TrainingError("out of memory", where=str(task))
        return fit_task(task)


@pytest.fixture
def store(tmp_path: Path) -> FitStore:
    return FitStore(tmp_path / "fits")


def two_chains(windows: int = 4) -> list[FitTask]:
    return [chained(window, member) for window in range(windows) for member in (0, 1)]


def bytes_of(fits: FitResults) -> list[bytes]:
    return [outcome.train.tobytes() for outcome in fits.outcomes]


def warm(fits: FitResults) -> list[bool]:
    return [
        isinstance(fitted, FittedModel) and fitted.forecaster.history.warm
        for fitted in fits.outcomes
    ]


def test_every_window_after_the_first_starts_warm(store: FitStore) -> None:
    fits = run_fits(chain(3), Here(), store, NullProgress())
    assert warm(fits) == [False, True, True]
    start = None
    for task, outcome in zip(chain(3), fits.outcomes, strict=True):
        fitted = fit_task(task.with_previous_fit(start))
        assert outcome.train.tobytes() == fitted.train.tobytes()
        start = fitted.forecaster
    scratch = fit_task(chain(3)[2])
    assert scratch.train[0] != fits.outcomes[2].train[0]


def test_a_warm_fit_has_fewer_epochs(store: FitStore) -> None:
    fits = run_fits(chain(3), Here(), store, NullProgress())
    epochs = [len(fitted.forecaster.history.train_loss) for fitted in fits.outcomes]
    assert epochs == [20, 5, 5]


def test_without_warm_start_every_window_starts_from_scratch(store: FitStore) -> None:
    fits = run_fits([chained(n, training=COLD) for n in range(3)], Here(), store, NullProgress())
    assert warm(fits) == [False, False, False]


def test_a_second_run_trains_nothing_and_returns_the_same(store: FitStore) -> None:
    first = run_fits(two_chains(), Here(), store, NullProgress())
    idle = Here()
    second = run_fits(two_chains(), idle, store, NullProgress())
    assert idle.fitted == []
    assert (second.trained, second.stored) == (0, 8)
    assert bytes_of(second) == bytes_of(first)
    assert warm(second) == warm(first)


@pytest.mark.parametrize("dies_after", range(8))
def test_an_interrupted_chain_resumes_with_the_same_bytes(
    store: FitStore, tmp_path: Path, dies_after: int
) -> None:
    whole = run_fits(two_chains(), Here(), FitStore(tmp_path / "whole"), NullProgress())
    stopped = Here(dies_after=dies_after)
    with pytest.raises(KeyboardInterrupt):
        run_fits(two_chains(), stopped, store, NullProgress())
    again = Here()
    fits = run_fits(two_chains(), again, store, NullProgress())
    assert bytes_of(fits) == bytes_of(whole)
    assert sorted(stopped.fitted + again.fitted) == sorted(set(stopped.fitted + again.fitted))
    assert (fits.trained, fits.stored) == (8 - dies_after, dies_after)


def test_other_bars_in_the_first_window_change_the_whole_chain_only(
    store: FitStore,
) -> None:
    run_fits(two_chains(), Here(), store, NullProgress())
    changed = two_chains()
    changed[0] = chained(0, 0, bars=77)
    again = Here()
    run_fits(changed, again, store, NullProgress())
    assert sorted(again.fitted) == [(window, 0) for window in range(4)]


def test_other_bars_in_the_last_window_change_no_fit_before(store: FitStore) -> None:
    run_fits(chain(4), Here(), store, NullProgress())
    again = Here()
    run_fits([*chain(3), chained(3, bars=77)], again, store, NullProgress())
    assert again.fitted == [(3, 0)]


def test_only_a_pruned_fit_of_a_chain_is_trained_again(store: FitStore) -> None:
    first = run_fits(chain(4), Here(), store, NullProgress())
    (key,) = [entry.key for entry in store.entries() if "window 1" in entry.label]
    store.remove([key])
    again = Here()
    fits = run_fits(chain(4), again, store, NullProgress())
    assert again.fitted == [(1, 0)]
    assert (fits.trained, fits.stored) == (1, 3)
    assert bytes_of(fits) == bytes_of(first)


def test_fresh_trains_the_whole_chain(store: FitStore) -> None:
    run_fits(chain(3), Here(), store, NullProgress())
    again = Here()
    run_fits(chain(3), again, store, NullProgress(), ignore_stored=True)
    assert again.fitted == [(0, 0), (1, 0), (2, 0)]


def test_a_cold_start_after_a_failure_is_not_recorded_as_warm(
    store: FitStore, tmp_path: Path
) -> None:
    """After a failure of the machine the next run has the result of an uninterrupted one."""
    broken = run_fits(chain(4), Here(broken=(1,)), store, NullProgress(), skip_failures=True)
    assert warm(broken) == [False, False, False, True]
    mended = run_fits(chain(4), Here(), store, NullProgress())
    assert warm(mended) == [False, True, True, True]
    assert bytes_of(mended) == bytes_of(
        run_fits(chain(4), Here(), FitStore(tmp_path / "whole"), NullProgress())
    )


def test_the_same_failure_finds_the_same_stored_fits(store: FitStore) -> None:
    first = run_fits(chain(4), Here(broken=(1,)), store, NullProgress(), skip_failures=True)
    again = Here(broken=(1,))
    fits = run_fits(chain(4), again, store, NullProgress(), skip_failures=True)
    assert again.fitted == [(1, 0)]
    assert warm(fits) == warm(first)


def test_a_failed_warm_start_is_repeated_from_random_weights() -> None:
    start = fit_task(chained(0)).forecaster
    fitted = fit_task(chained(1, fails="warm").with_previous_fit(start))
    history = fitted.forecaster.history
    assert (history.attempts, history.warm) == (2, False)
    assert len(history.train_loss) == COLD.epochs
    assert fitted.train[0] != fit_task(chained(1)).train[0], (
        "a second attempt has a seed of its own"
    )


def test_a_fit_fails_if_warm_and_cold_start_fail() -> None:
    start = fit_task(chained(0)).forecaster
    with pytest.raises(TrainingError, match="not a number"):
        fit_task(chained(1, fails="always").with_previous_fit(start))


@pytest.mark.parametrize(
    "workers", [1, *(pytest.param(each, marks=pytest.mark.slow) for each in (2, 5))]
)
def test_the_number_of_workers_changes_no_byte(
    store: FitStore, tmp_path: Path, workers: int
) -> None:
    expected = run_fits(two_chains(), Here(), FitStore(tmp_path / "here"), NullProgress())
    fits = run_fits(two_chains(), LocalExecutor(workers, "tensorflow"), store, NullProgress())
    assert bytes_of(fits) == bytes_of(expected)
    assert warm(fits) == warm(expected)
