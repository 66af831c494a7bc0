"""Models of a user, which the leak test plants: it loads this file as a module of its own.

A module outside of the engine, as a user's file is: the engine trusts its own models to read
nothing beside their arrays, and fits these again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from engine.models import Ridge

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.models import (
        FittedForecaster,
        ModelInputs,
        Prediction,
        TrainingSet,
        TrainingSpec,
    )


class UserRidge(Ridge):
    """The engine's ridge, as a user's class: cheap to fit."""

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        """As the engine's."""
        return super().fit(training_set, training, seed)

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """As the engine's."""
        return super().predict(fitted, inputs, rows)


class CostlyUserRidge(UserRidge):
    """The same, which says that its fits are costly."""

    costly: ClassVar[bool] = True
