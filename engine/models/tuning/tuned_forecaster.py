"""Tuned forecaster: the model in the configuration with the best score within the train rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import ConfigDict

from engine.core.errors import StrategyError
from engine.models.forecaster import Forecaster, Model
from engine.models.training.config import TrainingSpec
from engine.models.tuning.config import TuningSpec
from engine.models.tuning.search_space import apply_params, grid_corners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import IntVector
    from engine.models.dataset import ModelInputs, Prediction, TrainingSet
    from engine.models.forecaster import FittedForecaster


class TunedForecaster(Forecaster):
    """A tuning study on the train rows, then one fit of the best configuration.

    Built from a strategy's `model` and `tune`; a strategy cannot name it by `kind`. The window's
    validation rows are used in the last fit only: the trials get arrays that end with the last
    train row.

    Attributes:
        model: Model with the values that are not tuned.
        tune: Search space and settings of the study.
    """

    model_config = ConfigDict(defer_build=True)

    kind: Literal["tuned"] = "tuned"
    model: Model
    tune: TuningSpec

    @property
    def libraries(self) -> tuple[str, ...]:
        """The one that draws the trials, and those of the model."""
        return ("optuna", *self.model.libraries)

    @property
    def lookback(self) -> int:
        """The longest lookback of any configuration."""
        return self._traits.lookback

    @property
    def costly(self) -> bool:
        """Whether a fit of any configuration is costly."""
        return self._traits.costly

    @property
    def stochastic(self) -> bool:
        """Whether a fit of any configuration is stochastic; else one study serves all seeds."""
        return self._traits.stochastic

    @property
    def multi_output(self) -> bool:
        """Whether every configuration is multi-output."""
        return self._traits.multi_output

    @cached_property
    def _traits(self) -> _ForecasterTraits:
        models = list(self._candidate_models()) or [self.model]
        return _ForecasterTraits(
            lookback=max(model.lookback for model in models),
            costly=any(model.costly for model in models),
            stochastic=any(model.stochastic for model in models),
            multi_output=all(model.multi_output for model in models),
        )

    def _candidate_models(self) -> Iterator[Forecaster]:
        dimensions = {p: d for p, d in self.tune.space.items() if p.split(".")[0] == "model"}
        for corner in grid_corners(dimensions):
            # Invalid corners were reported when the strategy was loaded.
            with suppress(StrategyError):
                values = {path: value for path, (_, value) in corner.items()}
                yield apply_params(self.model, TrainingSpec(), values).model

    def fit(
        self, training_set: TrainingSet, training: TrainingSpec, seed: int
    ) -> FittedForecaster:
        """Runs the study, then fits the best configuration as a strategy without `tune` would.

        Returns:
            The fit of the best configuration, whose model is that configuration; its history has
            the number of trials and the chosen values.

        Raises:
            TrainingError: No trial gave a usable forecaster, or the last fit did not.
        """
        from engine.models.tuning.study import find_best_params

        chosen = find_best_params(self.model, training, self.tune, training_set, seed)
        config = apply_params(self.model, training, chosen)
        fitted = config.model.fit(training_set, config.training, seed)
        history = replace(fitted.history, trials=self.tune.trials, chosen=chosen)
        return replace(fitted, history=history)

    def predict(
        self, fitted: FittedForecaster, inputs: ModelInputs, rows: IntVector
    ) -> Prediction:
        """As the chosen configuration predicts, which is the fit's own model."""
        return fitted.predict(inputs, rows)


class _ForecasterTraits(NamedTuple):
    lookback: int
    costly: bool
    stochastic: bool
    multi_output: bool
