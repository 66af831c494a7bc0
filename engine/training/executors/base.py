"""Where fits are computed: one method, whatever the machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Generator

    from engine.core.errors import TrainingError
    from engine.models import Backend, Forecast
    from engine.training.scheduler import FitScheduler
    from engine.training.worker import Device


class Executor(ABC):
    """Fits tasks, somewhere; the forecasts are the same bytes wherever that is.

    Attributes:
        backend: What Keras computes with.
        workers: Fits at a time.
        device: What computes; a GPU rounds otherwise than a CPU.
    """

    backend: Backend
    workers: int
    device: Device = "cpu"

    @abstractmethod
    def run_tasks(
        self, scheduler: FitScheduler
    ) -> Generator[tuple[int, Forecast | TrainingError]]:
        """Each task's place in the queue and its forecast, or why it failed, as they are finished.

        The queue is told of each before it is handed back.

        Closing the generator stops whatever still runs.

        Raises:
            BacktestError: Something other than a fit went wrong: a worker died, a node has other
                versions.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing open between fits
        """Gives back what outlives one `run_tasks`."""
