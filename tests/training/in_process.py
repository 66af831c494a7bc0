"""Executors without worker processes."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError
from engine.core.progress import NullProgress
from engine.training.executors.base import Executor
from engine.training.worker import fit_task

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.models import Backend
    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler
    from engine.training.task import FitTask


@dataclass
class InProcess(Executor):
    """Fits in this process, in the order of the tasks.

    Attributes:
        fitted: Names of the tasks that were fitted.
    """

    backend: Backend = "tensorflow"
    workers: int = 1
    fitted: list[str] = field(default_factory=list)

    def run_tasks(self, scheduler: FitScheduler) -> Generator[tuple[int, FittedModel]]:
        while ready := scheduler.next_ready():
            index, start = ready
            task = scheduler.tasks[index].with_previous_fit(start)
            fitted = self.fit(task)
            self.fitted.append(str(task))
            scheduler.mark_finished(index, fitted)
            yield index, fitted

    def fit(self, task: FitTask) -> FittedModel:
        return fit_task(task)


class NewestFirst(Executor):
    """Finishes the tasks in another order than they are given in."""

    @abstractmethod
    def outcome(self, task: FitTask) -> FittedModel | TrainingError:
        """What the fit of a task gives."""

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


class Interrupted(InProcess):
    """Ctrl-C at the fourth fit."""

    def fit(self, task: FitTask) -> FittedModel:
        if len(self.fitted) == 3:
            raise KeyboardInterrupt
        return super().fit(task)


class Failing(InProcess):
    """No fit works."""

    def fit(self, task):
        return TrainingError("failed", where=str(task))


class Counted(NullProgress):
    """Every count of fits."""

    def __init__(self) -> None:
        self.counts: list[tuple[int, int, str]] = []

    def advance(self, done: int, total: int, what: str) -> None:
        self.counts.append((done, total, what))
