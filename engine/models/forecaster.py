"""The contract that every forecaster keeps, and what a fit of it is."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeAlias

from engine.core.installed_kinds import MODELS_GROUP
from engine.core.open_kinds import OpenKinds
from engine.core.part_origin import is_built_in
from engine.core.types import Spec
from engine.models.contract import check_prediction
from engine.models.training_history import TrainingHistory

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs, Prediction, TrainingSet
    from engine.models.training.config import TrainingSpec


class Forecaster(Spec, ABC):
    """A forecaster: its configuration, how it is fitted, and how it predicts.

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
    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        """Fits on the train rows; the validation rows may choose an epoch or a penalty.

        Args:
            training_set: One window's arrays up to its last validation row.
            training: Settings for the training of networks.
            seed: Decides every random draw.

        Raises:
            TrainingError: The fit gave no usable forecaster.
        """

    @abstractmethod
    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """Predicts some rows; the prediction of a row depends on no other row of the call.

        Args:
            fitted: What `fit` returned, or the same read from a file.
            inputs: Scaled inputs of any bars.
            rows: (n,) rows of the inputs.

        Returns:
            Finite returns, one a row, or one a row and horizon.
        """


@dataclass(frozen=True, eq=False)
class FittedForecaster:
    """What a forecaster learnt: all that `predict` reads beside the inputs.

    Attributes:
        model: Who predicts; of a tuned model the chosen configuration.
        weights: Fitted arrays, in the forecaster's own order; empty where nothing is fitted.
        state: What else was fitted or decided, as JSON: numbers, strings, lists, dictionaries.
        history: Record of the training.
        members: Fits of an ensemble's members.
    """

    model: Forecaster
    weights: tuple[npt.NDArray[Any], ...] = ()
    state: Mapping[str, Any] = field(default_factory=dict)
    history: TrainingHistory = field(default_factory=TrainingHistory)
    members: tuple[FittedForecaster, ...] = ()

    def predict(self, inputs: ModelInputs, rows: IntVector) -> Prediction:
        """Predicts some rows.

        Args:
            inputs: Scaled inputs; of each row its sequence has to be there.
            rows: (n,) rows of the inputs, in any order.

        Raises:
            ContractError: What a user's model returned is no prediction of these rows.
        """
        prediction = self.model.predict(self, inputs, rows)
        if not is_built_in(type(self.model)):
            check_prediction(self.model.kind, inputs, rows, prediction)
        return prediction


MODEL_KINDS = OpenKinds(MODELS_GROUP, (Forecaster,))
"""What a strategy may choose as its model; `engine.models` adds the engine's own kinds."""

Model: TypeAlias = Annotated[Forecaster, MODEL_KINDS]
"""Any forecaster: the engine's, an installed one, a user's."""
