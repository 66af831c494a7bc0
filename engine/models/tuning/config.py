"""What is tuned inside each window: the space of values, how one is drawn, how it is judged."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import Field, JsonValue, model_validator

from engine.core.types import Spec
from engine.models.tuning.metrics import TuningMetric
from engine.splits.purged import PurgedKFold, Splitter

if TYPE_CHECKING:
    from engine.core.types import IntVector

OptunaTrial: TypeAlias = Any
"""An `optuna.Trial`; Optuna is an extra and loaded only where a study runs."""

ValueLocation: TypeAlias = tuple[str | int, ...]
"""Where a dimension says a value: ("values", 2), ("low",)."""

EARLY_STOPPING_FRACTION = 0.2
"""Share of a split's train rows, the last ones, that stop a trial's training."""

MAX_ENUMERATED_VALUES = 64
"""Whole numbers that are all looked at when a strategy is loaded; of more, the ends."""


class TuningSplit(NamedTuple):
    """One split: rows to fit on, rows that stop training, rows to score on."""

    train: IntVector
    validation: IntVector
    test: IntVector


class DimensionSpec(Spec, ABC):
    """Values of one place in the strategy."""

    @abstractmethod
    def representative_values(self) -> dict[ValueLocation, Any]:
        """Place within this dimension -> a value; those that any other value lies between."""

    @abstractmethod
    def suggest(self, trial: OptunaTrial, name: str) -> Any:  # noqa: ANN401 - any JSON
        """The value that the trial's sampler suggests."""


class ChoiceDimension(DimensionSpec):
    """One of some values, of any form that the place takes, mappings with a `kind` too.

    Attributes:
        values: Without an order.
    """

    kind: Literal["choice"] = "choice"
    values: tuple[JsonValue, ...] = Field(min_length=1, max_length=100)

    def representative_values(self) -> dict[ValueLocation, Any]:
        """All of them."""
        return {("values", place): value for place, value in enumerate(self.values)}

    def suggest(self, trial: OptunaTrial, name: str) -> Any:  # noqa: ANN401 - any JSON
        """Drawn by its index: Optuna takes no lists."""
        return self.values[trial.suggest_categorical(name, range(len(self.values)))]


class IntegerDimension(DimensionSpec):
    """Low, low + step, .., high.

    Attributes:
        low: Least value.
        high: Largest value.
        step: Between two values.
    """

    kind: Literal["integer"] = "integer"
    low: int
    high: int
    step: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _check_step(self) -> IntegerDimension:
        if self.low >= self.high or (self.high - self.low) % self.step:
            raise ValueError(
                f"high ({self.high}) is low ({self.low}) plus one or more steps of {self.step}"
            )
        return self

    def representative_values(self) -> dict[ValueLocation, Any]:
        """The ends, and what lies between where that is not much."""
        ends: dict[ValueLocation, Any] = {("low",): self.low, ("high",): self.high}
        inner = range(self.low + self.step, self.high, self.step)
        return ends | (
            {("step", n): n for n in inner} if len(inner) < MAX_ENUMERATED_VALUES else {}
        )

    def suggest(self, trial: OptunaTrial, name: str) -> Any:  # noqa: ANN401 - an int
        """Evenly over the values, before anything is known."""
        return trial.suggest_int(name, self.low, self.high, step=self.step)


class UniformDimension(DimensionSpec):
    """A number between two.

    Attributes:
        low: Least value.
        high: Largest value.
    """

    kind: Literal["uniform"] = "uniform"
    low: float
    high: float

    @model_validator(mode="after")
    def _check_bounds(self) -> UniformDimension:
        _require_low_below_high(self.low, self.high)
        return self

    def representative_values(self) -> dict[ValueLocation, Any]:
        """The ends."""
        return {("low",): self.low, ("high",): self.high}

    def suggest(self, trial: OptunaTrial, name: str) -> Any:  # noqa: ANN401 - a float
        """Evenly, before anything is known."""
        return trial.suggest_float(name, self.low, self.high)


class LogUniformDimension(DimensionSpec):
    """A number between two, as likely in each decade.

    Attributes:
        low: Least value.
        high: Largest value.
    """

    kind: Literal["log_uniform"] = "log_uniform"
    low: float = Field(gt=0)
    high: float

    @model_validator(mode="after")
    def _check_bounds(self) -> LogUniformDimension:
        _require_low_below_high(self.low, self.high)
        return self

    def representative_values(self) -> dict[ValueLocation, Any]:
        """The ends."""
        return {("low",): self.low, ("high",): self.high}

    def suggest(self, trial: OptunaTrial, name: str) -> Any:  # noqa: ANN401 - a float
        """Its logarithm evenly, before anything is known."""
        return trial.suggest_float(name, self.low, self.high, log=True)


def _require_low_below_high(low: float, high: float) -> None:
    if low >= high:
        raise ValueError(f"low ({low:g}) must be below high ({high:g})")


Dimension = Annotated[
    ChoiceDimension | IntegerDimension | UniformDimension | LogUniformDimension,
    Field(discriminator="kind"),
]


class TuningSpec(Spec):
    """A study inside each window: configurations compared on the train rows alone.

    Every trial is fitted on the train rows of each split and scored on its test rows; the mean of
    the scores decides, and the best configuration is then fitted on the window as if it had
    always been the strategy's. The scaling of the inputs is the window's, fitted on all of its
    train rows.

    A trial costs a fit a split. For a network it also costs compiling where the network itself is
    new: units, dropout, lookback, batch size or loss, not learning rate, epochs, schedule or early
    stopping. That takes as long as several fits of a small network, so that a few values of
    dropout are tuned much faster than a range. A process keeps 16 compiled networks, of some
    15 MB each, and no more.

    Attributes:
        trials: Configurations that are tried in each fit.
        metric: `mse` or `mae` of the forecast; `directional_accuracy`, the share of rows whose
            sign is forecast; `sharpe`, mean over deviation of sign(forecast) x return, a bar,
            without costs.
        sampler: `tpe` learns from the trials before (Bergstra et al. 2011, NeurIPS), `random`
            does not.
        pruner: `median` gives a trial up whose mean score after some splits is worse than the
            median of the trials before it; the first five are never given up.
        splits: Of the train rows.
        space: Dotted place, below `model` or `training`, to its values; `model` itself may be a
            choice of whole models.
    """

    trials: int = Field(default=20, ge=1, le=10_000)
    metric: TuningMetric = "mse"
    sampler: Literal["tpe", "random"] = "tpe"
    pruner: Literal["median"] | None = "median"
    splits: Splitter = PurgedKFold()
    space: dict[str, Dimension] = Field(min_length=1, max_length=50)

    @model_validator(mode="after")
    def _check_no_nested_paths(self) -> TuningSpec:
        for outer, inner in pairwise(sorted(self.space, key=lambda path: path.split("."))):
            if inner.startswith(f"{outer}."):
                raise ValueError(f"tune.space has {outer} and, inside it, {inner}; leave one out")
        return self

    def suggest(self, trial: OptunaTrial) -> dict[str, Any]:
        """Place -> value, in an order that the file's does not change."""
        return {path: self.space[path].suggest(trial, path) for path in sorted(self.space)}

    def split_rows(self, rows: int, horizon: int) -> tuple[TuningSplit, ...]:
        """The splits of a window's train rows, each with rows that stop training.

        Args:
            rows: Train rows of a window; they are counted from 0.
            horizon: The longest one forecast, in bars.

        Raises:
            UsageError: One of the parts would be empty.
        """
        return tuple(
            TuningSplit(*split.hold_out(EARLY_STOPPING_FRACTION, horizon), split.test)
            for split in self.splits.split(rows, horizon)
        )
