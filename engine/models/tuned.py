"""Tuned: the strategy's model, in the configuration that did best within the train rows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, ClassVar, Literal, NamedTuple

from engine.errors import StrategyError
from engine.models.configurations import configured, corners
from engine.models.forecaster import Forecast, Forecaster, Problem
from engine.models.training_spec import Training
from engine.models.tune_spec import Tune  # noqa: TC001 - pydantic reads it

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.models import Model


class Tuned(Forecaster):
    """A study on the train rows, then one fit of the configuration that won it.

    Made of a strategy's `model` and `tune`; no `kind` that a strategy can ask for. The window's
    validation rows do in the last fit what they always do, and nothing in the study: its trials
    are handed arrays that end with the last train row.

    Attributes:
        model: With the values that are not tuned.
        tune: What is, and how.
    """

    libraries: ClassVar[tuple[str, ...]] = ("optuna",)

    kind: Literal["tuned"] = "tuned"
    model: Model
    tune: Tune

    @property
    def lookback(self) -> int:
        """The longest that a configuration can have."""
        return self._traits.lookback

    @property
    def costly(self) -> bool:
        """Whether a fit of any configuration is."""
        return self._traits.costly

    @property
    def random(self) -> bool:
        """Whether a fit of any configuration is; else one study serves all seeds."""
        return self._traits.random

    @property
    def joint(self) -> bool:
        """Whether every configuration is."""
        return self._traits.joint

    @cached_property
    def _traits(self) -> _Traits:
        models = list(self._candidates()) or [self.model]
        return _Traits(
            lookback=max(model.lookback for model in models),
            costly=any(model.costly for model in models),
            random=any(model.random for model in models),
            joint=all(model.joint for model in models),
        )

    def _candidates(self) -> Iterator[Forecaster]:
        places = {p: d for p, d in self.tune.space.items() if p.split(".")[0] == "model"}
        for corner in corners(places):
            # What is refused was told when the strategy was loaded.
            with suppress(StrategyError):
                values = {path: value for path, (_, value) in corner.items()}
                yield configured(self.model, Training(), values).model

    def forecast(self, problem: Problem, training: Training, seed: int) -> Forecast:
        """Studies, then fits as the strategy without `tune` would.

        Returns:
            The forecast of the configuration that won, whose history says how many were tried and
            what it consists of.

        Raises:
            RefitError: No trial gave a usable forecaster, or the last fit did not.
        """
        from engine.models.study import best_values

        chosen = best_values(self.model, training, self.tune, problem, seed)
        made = configured(self.model, training, chosen)
        forecast = made.model.forecast(problem, made.training, seed)
        history = replace(forecast.history, trials=self.tune.trials, chosen=chosen)
        return replace(forecast, history=history)


class _Traits(NamedTuple):
    lookback: int
    costly: bool
    random: bool
    joint: bool
