"""The outcome of every fit of a run."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.models.fitted_model import FittedModel
    from engine.training.forecast import Forecast
    from engine.training.task import FitTask


@dataclass(frozen=True)
class FitResults:
    """Outcomes of the tasks.

    Attributes:
        tasks: The tasks.
        outcomes: For each task, in their order, a model or the error of its fit.
        trained: Number of costly fits that were trained.
        stored: Number of costly fits that were read from the store.
        keys: Index of a costly task -> its key in the store.
        forecasts: For each task what its model predicts, or the error; empty before they are made.
        full: Index of a task with a deployment -> the model that was deployed.
    """

    tasks: Sequence[FitTask]
    outcomes: list[FittedModel | TrainingError]
    trained: int
    stored: int
    keys: Mapping[int, str] = field(default_factory=dict)
    forecasts: Sequence[Forecast | TrainingError] = ()
    full: Mapping[int, FittedModel] = field(default_factory=dict)

    def for_book(
        self, book: str, seed_index: int | None = None
    ) -> tuple[list[FitTask], list[Forecast | TrainingError], list[str | None]]:
        """Tasks, forecasts and keys (None: not stored) of one book, for all seeds or one."""
        chosen = [
            index
            for index, task in enumerate(self.tasks)
            if task.book == book and seed_index in {None, task.seed_index}
        ]
        return (
            [self.tasks[index] for index in chosen],
            [self.forecasts[index] for index in chosen],
            [self.keys.get(index) for index in chosen],
        )

    def for_window(
        self, book: str, window: int
    ) -> tuple[list[FitTask], list[FittedModel | TrainingError]]:
        """Tasks and outcomes of one book in one window."""
        chosen = [
            index
            for index, task in enumerate(self.tasks)
            if task.book == book and task.window == window
        ]
        return [self.tasks[index] for index in chosen], [self.outcomes[index] for index in chosen]

    @property
    def failures(self) -> list[TrainingError]:
        """Errors of the fits that were left out."""
        return [outcome for outcome in self.outcomes if isinstance(outcome, TrainingError)]
