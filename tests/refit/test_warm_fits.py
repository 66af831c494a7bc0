"""Warm starts through the store: each fit under a key that covers the chain it goes on from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from engine.errors import RefitError
from engine.models import Forecast
from engine.progress import Silent
from engine.refit.executor import Executor
from engine.refit.fits import Fits, fit_all
from engine.refit.local import Local
from engine.refit.store import Store
from engine.refit.worker import fit
from tests.refit.chained import COLD, chain, chained

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from engine.refit.queue import Queue
    from engine.refit.task import Task


@dataclass
class Here(Executor):
    """Fits in this process, what is ready last first; stops or fails where it is told to."""

    backend: str = "tensorflow"
    workers: int = 1
    broken: tuple[int, ...] = ()
    dies_after: int = 10**9
    fitted: list[tuple[int, int]] = field(default_factory=list)

    def fit(self, queue: Queue) -> Generator[tuple[int, Forecast | RefitError]]:
        while queue.ready:
            for place, start in reversed([queue.take() for _ in range(queue.ready)]):
                outcome = self._outcome(queue.tasks[place].starting_from(start))
                queue.finish(place, outcome)
                yield place, outcome

    def _outcome(self, task: Task) -> Forecast | RefitError:
        if len(self.fitted) == self.dies_after:
            raise KeyboardInterrupt
        self.fitted.append((task.window, task.member))
        if task.window in self.broken:
            return RefitError("out of memory", where=str(task))
        return fit(task)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "fits")


def two_chains(windows: int = 4) -> list[Task]:
    return [chained(window, member) for window in range(windows) for member in (0, 1)]


def bytes_of(fits: Fits) -> list[bytes]:
    return [outcome.test.tobytes() for outcome in fits.outcomes]


def warm(fits: Fits) -> list[bool]:
    return [isinstance(made, Forecast) and made.history.warm for made in fits.outcomes]


def test_every_window_but_the_first_goes_on_from_the_one_before(store: Store) -> None:
    fits = fit_all(chain(3), Here(), store, Silent())
    assert warm(fits) == [False, True, True]
    made = None
    for task, outcome in zip(chain(3), fits.outcomes, strict=True):
        made = fit(task.starting_from(made))
        assert outcome.test.tobytes() == made.test.tobytes()
    scratch = fit(chain(3)[2])
    assert scratch.test[0] != fits.outcomes[2].test[0]


def test_a_warm_fit_has_fewer_epochs(store: Store) -> None:
    fits = fit_all(chain(3), Here(), store, Silent())
    assert [len(made.history.train_loss) for made in fits.outcomes] == [20, 5, 5]


def test_without_warm_start_every_window_starts_from_scratch(store: Store) -> None:
    fits = fit_all([chained(n, training=COLD) for n in range(3)], Here(), store, Silent())
    assert warm(fits) == [False, False, False]


def test_a_second_run_trains_nothing_and_says_the_same(store: Store) -> None:
    first = fit_all(two_chains(), Here(), store, Silent())
    idle = Here()
    second = fit_all(two_chains(), idle, store, Silent())
    assert idle.fitted == []
    assert (second.trained, second.stored) == (0, 8)
    assert bytes_of(second) == bytes_of(first)
    assert warm(second) == warm(first)


@pytest.mark.parametrize("dies_after", range(8))
def test_stopped_anywhere_it_goes_on_there_and_ends_with_the_same_bytes(
    store: Store, tmp_path: Path, dies_after: int
) -> None:
    whole = fit_all(two_chains(), Here(), Store(tmp_path / "whole"), Silent())
    stopped = Here(dies_after=dies_after)
    with pytest.raises(KeyboardInterrupt):
        fit_all(two_chains(), stopped, store, Silent())
    again = Here()
    fits = fit_all(two_chains(), again, store, Silent())
    assert bytes_of(fits) == bytes_of(whole)
    assert sorted(stopped.fitted + again.fitted) == sorted(set(stopped.fitted + again.fitted))
    assert (fits.trained, fits.stored) == (8 - dies_after, dies_after)


def test_other_bars_in_the_first_window_change_every_fit_of_the_chain_and_no_other(
    store: Store,
) -> None:
    fit_all(two_chains(), Here(), store, Silent())
    changed = two_chains()
    changed[0] = chained(0, 0, bars=77)
    again = Here()
    fit_all(changed, again, store, Silent())
    assert sorted(again.fitted) == [(window, 0) for window in range(4)]


def test_other_bars_in_the_last_window_change_no_fit_before(store: Store) -> None:
    fit_all(chain(4), Here(), store, Silent())
    again = Here()
    fit_all([*chain(3), chained(3, bars=77)], again, store, Silent())
    assert again.fitted == [(3, 0)]


def test_a_fit_pruned_from_the_middle_of_a_chain_is_made_anew_alone(store: Store) -> None:
    first = fit_all(chain(4), Here(), store, Silent())
    (key,) = [entry.key for entry in store.entries() if "window 1" in entry.label]
    store.remove([key])
    again = Here()
    fits = fit_all(chain(4), again, store, Silent())
    assert again.fitted == [(1, 0)]
    assert (fits.trained, fits.stored) == (1, 3)
    assert bytes_of(fits) == bytes_of(first)


def test_fresh_trains_the_whole_chain(store: Store) -> None:
    fit_all(chain(3), Here(), store, Silent())
    again = Here()
    fit_all(chain(3), again, store, Silent(), fresh=True)
    assert again.fitted == [(0, 0), (1, 0), (2, 0)]


def test_what_started_from_scratch_after_a_failure_is_not_taken_for_warm(
    store: Store, tmp_path: Path
) -> None:
    """The failure was the machine's; the next run must end as if it had never been."""
    broken = fit_all(chain(4), Here(broken=(1,)), store, Silent(), skip_failures=True)
    assert warm(broken) == [False, False, False, True]
    mended = fit_all(chain(4), Here(), store, Silent())
    assert warm(mended) == [False, True, True, True]
    assert bytes_of(mended) == bytes_of(
        fit_all(chain(4), Here(), Store(tmp_path / "whole"), Silent())
    )


def test_after_the_same_failure_the_same_fits_are_found(store: Store) -> None:
    first = fit_all(chain(4), Here(broken=(1,)), store, Silent(), skip_failures=True)
    again = Here(broken=(1,))
    fits = fit_all(chain(4), again, store, Silent(), skip_failures=True)
    assert again.fitted == [(1, 0)]
    assert warm(fits) == warm(first)


def test_a_warm_start_that_fails_is_tried_again_from_scratch() -> None:
    start = fit(chained(0))
    made = fit(chained(1, fails="warm").starting_from(start))
    assert (made.history.attempts, made.history.warm) == (2, False)
    assert len(made.history.train_loss) == COLD.epochs
    assert made.test[0] != fit(chained(1)).test[0], "a second attempt has a seed of its own"


def test_a_fit_that_fails_warm_and_from_scratch_fails() -> None:
    with pytest.raises(RefitError, match="not a number"):
        fit(chained(1, fails="always").starting_from(fit(chained(0))))


@pytest.mark.parametrize("workers", [1, 2, 5])
def test_any_number_of_workers_gives_the_same_bytes(
    store: Store, tmp_path: Path, workers: int
) -> None:
    expected = fit_all(two_chains(), Here(), Store(tmp_path / "here"), Silent())
    fits = fit_all(two_chains(), Local(workers, "tensorflow"), store, Silent())
    assert bytes_of(fits) == bytes_of(expected)
    assert warm(fits) == warm(expected)
