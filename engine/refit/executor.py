"""Where fits are computed: one method, whatever the machine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from engine.models import Backend, Forecast
    from engine.refit.task import Task

Device: TypeAlias = Literal["cpu", "gpu"]


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
    def fit(self, tasks: Sequence[Task]) -> Generator[tuple[int, Forecast]]:
        """Each task's place in `tasks` and its forecast, as they are finished.

        Closing the generator stops whatever still runs.

        Raises:
            RefitError: The first failure; everything else is stopped.
        """

    def close(self) -> None:  # noqa: B027 - most hold nothing open between fits
        """Gives back what outlives one `fit`."""
