"""The executor interface: where fits are computed."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.core.errors import TrainingError
    from engine.models import Backend
    from engine.models.fitted_model import FittedModel
    from engine.training.scheduler import FitScheduler
    from engine.training.worker import Device


class Executor(ABC):
    """Runs fit tasks; the models are the same bytes with every executor.

    Attributes:
        backend: The library that Keras computes with.
        workers: Number of fits at a time.
        device: The device of the fits; a GPU rounds differently from a CPU.
    """

    backend: Backend
    workers: int
    device: Device = "cpu"

    @abstractmethod
    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, FittedModel | TrainingError]]:
        """Yields each task's index and its model, or the error of its fit, as they finish.

        Each task is marked as finished in the scheduler before it is yielded. Closing the
        generator stops the tasks that still run.

        Raises:
            BacktestError: Something other than a fit went wrong: a worker died, a node has other
                versions.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing open between fits
        """Releases what is kept open between calls of `run_tasks`."""
