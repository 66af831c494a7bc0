"""The contract that every forecaster keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Annotated, TypeAlias

from engine.core.installed_kinds import MODELS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.core.types import Spec

if TYPE_CHECKING:
    from engine.models.dataset import Forecast, WindowDataset
    from engine.models.training.config import TrainingSpec


class Forecaster(Spec, ABC):
    """A forecaster: its configuration, and the fit and forecast of one window.

    Attributes:
        lookback: Bars in a sequence; a row's sequence is that row and the `lookback` - 1 before.
    """

    if TYPE_CHECKING:
        # Most subclasses have it as a field, the others as a constant or a property. Hidden from
        # pydantic, which would make it a field of all of them.
        @property
        def lookback(self) -> int:
            """Bars in a sequence."""

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @property
    @abstractmethod
    def costly(self) -> bool:
        """Whether a fit is slow enough for a worker process and a place in the store."""

    @property
    @abstractmethod
    def stochastic(self) -> bool:
        """Whether a fit depends on its seed."""

    @property
    def multi_output(self) -> bool:
        """Whether one fit can forecast several horizons."""
        return False

    @property
    def libraries(self) -> tuple[str, ...]:
        """Distributions on which the numbers of this forecaster depend, and of no other."""
        return ()

    @abstractmethod
    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:
        """Fits on the train rows and forecasts the train, validation and test rows.

        Args:
            dataset: One window's arrays.
            training: Settings for the training of networks.
            seed: Decides every random draw.

        Raises:
            TrainingError: The fit gave no usable forecaster.
        """


MODEL_KINDS = OpenKinds(MODELS_GROUP, (Forecaster,))
"""What a strategy may choose as its model; `engine.models` adds the engine's own kinds."""

Model: TypeAlias = Annotated[Forecaster, MODEL_KINDS]
"""Any forecaster: the engine's, an installed one, a user's."""
