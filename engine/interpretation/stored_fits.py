"""The fits of a run from the store; nothing is trained that the store should have."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.book_names import STRATEGY_BOOK
from engine.core.errors import UsageError
from engine.pipeline.steps import make_window_tasks
from engine.training.executors.base import Executor
from engine.training.results import run_fits
from engine.training.store import FitStore

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from engine.core.errors import TrainingError
    from engine.core.progress import Progress
    from engine.models.fitted_model import FittedModel
    from engine.pipeline.stored_run import StoredRun
    from engine.training.fit_results import FitResults
    from engine.training.scheduler import FitScheduler


class StoredFitsOnly(Executor):
    """Refuses every fit that is not in the store.

    Args:
        stored: The run whose fits are asked for.
        folder: Folder of the store, for the message.
    """

    workers = 1

    def __init__(self, stored: StoredRun, folder: Path) -> None:
        self.backend = stored.spec.compute.backend
        self._run_dir, self._folder = stored.run.run_dir, folder

    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, FittedModel | TrainingError]]:
        """Yields nothing.

        Raises:
            UsageError: A fit is not in the store.
        """
        missing = scheduler.next_ready()
        if missing is not None:
            raise UsageError(
                "a fitted model of this run is not in the store",
                expected="all fits of the run, made by the libraries that are installed now",
                found=f"none of {scheduler.tasks[missing[0]]}",
                where=str(self._folder),
                fix=f"run the strategy of {self._run_dir} again with this home, or name the home "
                "that the run was made with (BACKTEST_HOME)",
            )
        yield from ()


def load_fits(stored: StoredRun, home: Path, progress: Progress) -> FitResults:
    """The strategy's fits of every window; those of cheap models, which no store keeps, are made.

    Args:
        stored: A run.
        home: The folder that holds its fits.
        progress: Receives progress.

    Raises:
        UsageError: A costly fit is not in the store.
    """
    prepared = stored.prepared
    tasks = [
        task
        for task in make_window_tasks(stored.spec, prepared, prepared.windows)
        if task.book == STRATEGY_BOOK
    ]
    store = FitStore(home / "fits")
    return run_fits(
        tasks,
        StoredFitsOnly(stored, store.folder),
        store,
        progress,
        ignore_stored=False,
        skip_failures=stored.spec.on_failure == "skip",
    )
