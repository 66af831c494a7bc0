"""Tuned: the strategy's model, in the configuration that did best within the train rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Literal, NamedTuple

from pydantic import ConfigDict

from engine.core.errors import StrategyError
from engine.models.forecaster import Forecaster, Model
from engine.models.training.config import TrainingSpec
from engine.models.tuning.config import TuningSpec  # noqa: TC001 - pydantic reads it
from engine.models.tuning.search_space import apply_params, grid_corners

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.models.dataset import Forecast, WindowDataset


class TunedForecaster(Forecaster):
    """A study on the train rows, then one fit of the configuration that won it.

    Made of a strategy's `model` and `tune`; no `kind` that a strategy can ask for. The window's
    validation rows do in the last fit what they always do, and nothing in the study: its trials
    are handed arrays that end with the last train row.

    Attributes:
        model: With the values that are not tuned.
        tune: What is, and how.
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
        """The longest that a configuration can have."""
        return self._traits.lookback

    @property
    def costly(self) -> bool:
        """Whether a fit of any configuration is."""
        return self._traits.costly

    @property
    def stochastic(self) -> bool:
        """Whether a fit of any configuration is; else one study serves all seeds."""
        return self._traits.stochastic

    @property
    def multi_output(self) -> bool:
        """Whether every configuration is."""
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
        places = {p: d for p, d in self.tune.space.items() if p.split(".")[0] == "model"}
        for corner in grid_corners(places):
            # What is refused was told when the strategy was loaded.
            with suppress(StrategyError):
                values = {path: value for path, (_, value) in corner.items()}
                yield apply_params(self.model, TrainingSpec(), values).model

    def fit_predict(self, dataset: WindowDataset, training: TrainingSpec, seed: int) -> Forecast:
        """Studies, then fits as the strategy without `tune` would.

        Returns:
            The forecast of the configuration that won, whose history says how many were tried and
            what it consists of.

        Raises:
            TrainingError: No trial gave a usable forecaster, or the last fit did not.
        """
        from engine.models.tuning.study import find_best_params

        chosen = find_best_params(self.model, training, self.tune, dataset, seed)
        made = apply_params(self.model, training, chosen)
        forecast = made.model.fit_predict(dataset, made.training, seed)
        history = replace(forecast.history, trials=self.tune.trials, chosen=chosen)
        return replace(forecast, history=history)


class _ForecasterTraits(NamedTuple):
    lookback: int
    costly: bool
    stochastic: bool
    multi_output: bool
