"""An executor without worker processes, which fits every task in this process."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.training.executors.base import Executor
from engine.training.worker import fit_task

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.models import Backend
    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler


@dataclass
class InProcessExecutor(Executor):
    """Fits in the order of the tasks; a replaced function of the engine is replaced here too."""

    backend: Backend = "tensorflow"
    workers: int = 1

    def run_tasks(self, scheduler: FitScheduler) -> Generator[tuple[int, FittedModel]]:
        """See `Executor.run_tasks`; an error of a fit ends the run."""
        while ready := scheduler.next_ready():
            index, start = ready
            fitted = fit_task(scheduler.tasks[index].with_previous_fit(start))
            scheduler.mark_finished(index, fitted)
            yield index, fitted
