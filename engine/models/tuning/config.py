"""Hyperparameter tuning inside each window: search space, sampler, metric and splits."""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise
from typing import TYPE_CHECKING, Annotated, Any, Literal, NamedTuple, TypeAlias

from pydantic import Field, JsonValue, model_validator

from engine.core.types import Spec
from engine.models.tuning.metrics import TuningMetric
from engine.splits import PurgedKFold, Splitter

if TYPE_CHECKING:
    from engine.core.json_text import Json
    from engine.core.types import IntVector

OptunaTrial: TypeAlias = Any
"""An `optuna.Trial`; Optuna is an extra and loaded only where a study runs."""

ValueLocation: TypeAlias = tuple[str | int, ...]
"""Location of a value inside a dimension: ("values", 2), ("low",)."""

EARLY_STOPPING_FRACTION = 0.2
"""Share of a split's train rows, the last ones, used for early stopping of a trial."""

MAX_ENUMERATED_VALUES = 64
"""Integer ranges of up to this many values are validated in full, others at their ends."""


class TuningSplit(NamedTuple):
    """One split: rows to fit on, rows for early stopping, rows to score on."""

    train: IntVector
    validation: IntVector
    test: IntVector


class DimensionSpec(Spec, ABC):
    """The values of one parameter of the strategy."""

    @abstractmethod
    def representative_values(self) -> dict[ValueLocation, Any]:
        """Location in this dimension -> value; every other value lies between them."""

    @abstractmethod
    def suggest(self, trial: OptunaTrial, name: str) -> Json:
        """The value that the trial's sampler suggests."""


class ChoiceDimension(DimensionSpec):
    """One of several values of any form, mappings with a `kind` included.

    Attributes:
        values: The values; their order has no meaning.
    """

    kind: Literal["choice"] = "choice"
    values: tuple[JsonValue, ...] = Field(min_length=1, max_length=100)

    def representative_values(self) -> dict[ValueLocation, Any]:
        """All values."""
        return {("values", index): value for index, value in enumerate(self.values)}

    def suggest(self, trial: OptunaTrial, name: str) -> Json:
        """Suggested by index, because Optuna takes no lists."""
        return self.values[trial.suggest_categorical(name, range(len(self.values)))]


class IntegerDimension(DimensionSpec):
    """low, low + step, .., high.

    Attributes:
        low: Least value.
        high: Largest value.
        step: Difference between two values.
    """

    kind: Literal["integer"] = "integer"
    low: int
    high: int
    step: int = Field(default=1, ge=1)

    @model_validator(mode="after")
    def _check_step(self) -> IntegerDimension:
        if self.low >= self.high or (self.high - self.low) % self.step:
            raise ValueError(
                f"high ({self.high}) must be low ({self.low}) plus whole steps of {self.step}"
            )
        return self

    def representative_values(self) -> dict[ValueLocation, Any]:
        """The ends, and the values between them where they are few."""
        ends: dict[ValueLocation, Any] = {("low",): self.low, ("high",): self.high}
        inner = range(self.low + self.step, self.high, self.step)
        return ends | (
            {("step", n): n for n in inner} if len(inner) < MAX_ENUMERATED_VALUES else {}
        )

    def suggest(self, trial: OptunaTrial, name: str) -> int:
        """Uniform over the values before the first results."""
        suggested: int = trial.suggest_int(name, self.low, self.high, step=self.step)
        return suggested


class UniformDimension(DimensionSpec):
    """A number between two bounds, uniform.

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

    def suggest(self, trial: OptunaTrial, name: str) -> float:
        """Uniform before the first results."""
        suggested: float = trial.suggest_float(name, self.low, self.high)
        return suggested


class LogUniformDimension(DimensionSpec):
    """A number between two bounds, uniform in the logarithm.

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

    def suggest(self, trial: OptunaTrial, name: str) -> float:
        """Uniform in the logarithm before the first results."""
        suggested: float = trial.suggest_float(name, self.low, self.high, log=True)
        return suggested


def _require_low_below_high(low: float, high: float) -> None:
    if low >= high:
        raise ValueError(f"low ({low:g}) must be below high ({high:g})")


Dimension = Annotated[
    ChoiceDimension | IntegerDimension | UniformDimension | LogUniformDimension,
    Field(discriminator="kind"),
]


class TuningSpec(Spec):
    """Tuning inside each window: configurations are compared on the train rows only.

    Every trial is fitted on the train rows of each split and scored on its test rows. The
    configuration with the best mean score is then fitted on the window like an untuned one. The
    scaling of the inputs is that of the window, fitted on all of its train rows.

    A trial takes one fit for each split. A network is also compiled where its units, dropout,
    lookback, batch size or loss are new; learning rate, epochs, schedule and early stopping need
    no compiling. Compiling takes as long as several fits of a small network, so that a few values
    of dropout are tuned much faster than a range. A process keeps at most 16 compiled networks, of
    some 15 MB each.

    Attributes:
        trials: Number of configurations that are tried in each fit.
        metric: `mse` or `mae` of the forecast; `directional_accuracy`, the share of rows with
            the right sign; `sharpe`, mean over standard deviation of sign(forecast) x return, per
            bar, without costs.
        sampler: `tpe` uses the results of earlier trials (Bergstra et al. 2011, NeurIPS), `random`
            does not.
        pruner: `median` stops a trial whose mean score after some splits is worse than the median
            of the earlier trials; the first five are never stopped.
        splits: Splits of the train rows.
        space: Dotted path, below `model` or `training`, to its values; `model` itself may be a
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
                raise ValueError(
                    f"tune.space has {outer} and, inside it, {inner}; remove one of them"
                )
        return self

    def suggest(self, trial: OptunaTrial) -> dict[str, Any]:
        """Path -> value, in an order that does not depend on the file's."""
        return {path: self.space[path].suggest(trial, path) for path in sorted(self.space)}

    def split_rows(self, rows: int, horizon: int) -> tuple[TuningSplit, ...]:
        """The splits of a window's train rows, each with rows for early stopping.

        Args:
            rows: Number of train rows of a window.
            horizon: Longest horizon that is forecast, in bars.

        Raises:
            UsageError: One of the parts would be empty.
        """
        return tuple(
            TuningSplit(*split.hold_out(EARLY_STOPPING_FRACTION, horizon), split.test)
            for split in self.splits.split(rows, horizon)
        )
