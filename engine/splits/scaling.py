"""Scaling of a window's inputs: fitted on its train rows, applied to every row."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np
from pydantic import Field, model_validator
from typing_extensions import override

from engine.core.errors import InvalidBarsError
from engine.core.types import Spec
from engine.features.rolling import zscore
from engine.splits.rows import row_index

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector, Matrix, Vector
    from engine.splits.rows import Rows


class Scaler(ABC):
    """A fitted scaling of the inputs."""

    @property
    @abstractmethod
    def context(self) -> int:
        """Rows before a row that its scaled values depend on."""

    @abstractmethod
    def to_arrays(self) -> dict[str, Matrix]:
        """All that was fitted, by name; `scaler_from_arrays` gives an equal scaler."""

    @abstractmethod
    def transform(self, values: Matrix) -> Matrix:
        """Scales every row; NaN stays NaN.

        Args:
            values: Shape (n, k), all bars in time order.

        Returns:
            A new array, shape (n, k).
        """

    def transform_sequences(
        self,
        values: Matrix,
        ends: IntVector,  # noqa: ARG002 - a scaler that takes no time scales every row
        length: int,  # noqa: ARG002 - likewise
    ) -> Matrix:
        """Scales the rows of some sequences with the bits of `transform`.

        Args:
            values: Shape (n, k), all bars in time order.
            ends: (m,) the last row of each sequence.
            length: Rows of a sequence.

        Returns:
            A new array, shape (n, k); rows that are in no sequence may be 0.
        """
        return self.transform(values)

    @abstractmethod
    def update(self, state: Matrix | None, values: Matrix) -> tuple[Matrix, Matrix]:
        """Scales the rows that follow those seen so far.

        However the rows are divided, they equal those of `transform` on all rows bit for bit.

        Args:
            state: What an earlier call returned; None at the first rows.
            values: Shape (n, k), none or more rows.

        Returns:
            The next state, which are the earlier rows that later ones need, and a new array, shape
            (n, k).
        """


@dataclass(frozen=True, eq=False)
class AffineScaler(Scaler):
    """offset + (x - centre) / scale by column; a scale of infinity gives the offset."""

    centre: Vector
    scale: Vector
    offset: float = 0.0

    @property
    def context(self) -> int:
        """None."""
        return 0

    def to_arrays(self) -> dict[str, Matrix]:
        """Centre, scale and offset."""
        return {"centre": self.centre, "scale": self.scale, "offset": np.array([self.offset])}

    def transform(self, values: Matrix) -> Matrix:
        """Scales every row; NaN stays NaN."""
        return self.offset + (values - self.centre) / self.scale

    @override
    def update(self, state: Matrix | None, values: Matrix) -> tuple[Matrix, Matrix]:
        """Scales the rows that follow; the state has no rows."""
        return values[:0], self.transform(values)


@dataclass(frozen=True)
class RollingZscoreScaler(Scaler):
    """Z-score over the last `window` bars, without fitted values."""

    window: int

    @property
    def context(self) -> int:
        """The bars of the window before the row."""
        return self.window - 1

    def to_arrays(self) -> dict[str, Matrix]:
        """The window."""
        return {"window": np.array([float(self.window)])}

    def transform(self, values: Matrix) -> Matrix:
        """Scales every row; NaN until the window is complete."""
        return zscore(values, self.window)

    @override
    def transform_sequences(self, values: Matrix, ends: IntVector, length: int) -> Matrix:
        """Scales the rows of some sequences: they are columns of one array, if they are few."""
        rows = ends[:, None] + np.arange(2 - length - self.window, 1)
        is_inside = rows.min(initial=0) >= 0 and rows.max(initial=0) < len(values)
        if not is_inside or 2 * length * len(ends) > len(values):
            return self.transform(values)
        columns = values[rows.T].reshape(rows.shape[1], -1)
        scaled = np.zeros_like(values)  # a model that reads other rows has another forecast
        scaled[rows[:, self.window - 1 :].T] = zscore(columns, self.window)[
            self.window - 1 :
        ].reshape(length, len(ends), -1)
        return scaled

    def update(self, state: Matrix | None, values: Matrix) -> tuple[Matrix, Matrix]:
        """Scales the rows that follow; the state has the last `window` - 1 rows."""
        rows = values if state is None else np.vstack([state, values])
        scaled = self.transform(rows)[len(rows) - len(values) :]
        return rows[max(len(rows) - self.window + 1, 0) :].copy(), scaled


def scaler_from_arrays(arrays: Mapping[str, Matrix]) -> Scaler:
    """The scaler whose `to_arrays` gave these."""
    if "window" in arrays:
        return RollingZscoreScaler(int(arrays["window"][0]))
    return AffineScaler(arrays["centre"], arrays["scale"], float(arrays["offset"][0]))


class ScalingSpec(Spec, ABC):
    """A choice of scaling."""

    @property
    @abstractmethod
    def warmup(self) -> int:
        """Rows that scaling makes NaN, in addition to the features' warm-up."""

    @abstractmethod
    def fit(self, train: Matrix) -> Scaler:
        """A scaler fitted on train rows, shape (n, k), without NaN."""


class StandardScaling(ScalingSpec):
    """(x - mean) / standard deviation, both of the train rows (divisor n).

    A column that is constant in the train rows becomes 0 everywhere, because its scale is unknown.
    """

    kind: Literal["standard"] = "standard"

    @property
    def warmup(self) -> int:
        """None."""
        return 0

    def fit(self, train: Matrix) -> Scaler:
        """Fits mean and standard deviation."""
        return AffineScaler(train.mean(axis=0), _infinite_where_constant(train, train.std(axis=0)))


class MinMaxScaling(ScalingSpec):
    """Maps train minimum to `low` and train maximum to `high`; later rows may be outside.

    A column that is constant in the train rows becomes `low` everywhere.

    Attributes:
        low: Value of the train minimum.
        high: Value of the train maximum; above `low`.
    """

    kind: Literal["minmax"] = "minmax"
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _check_bounds(self) -> MinMaxScaling:
        if self.low >= self.high:
            raise ValueError(f"low ({self.low}) must be below high ({self.high})")
        return self

    @property
    def warmup(self) -> int:
        """None."""
        return 0

    def fit(self, train: Matrix) -> Scaler:
        """Fits minimum and maximum."""
        spread = np.ptp(train, axis=0) / (self.high - self.low)
        return AffineScaler(train.min(axis=0), _infinite_where_constant(train, spread), self.low)


class RollingZscoreScaling(ScalingSpec):
    """(x - mean) / standard deviation over the last `window` bars, this one included.

    It is 0 where a column is constant within the window.

    Attributes:
        window: Bars of the mean and of the standard deviation.
    """

    kind: Literal["rolling_zscore"] = "rolling_zscore"
    window: int = Field(default=60, ge=20, le=60)

    @property
    def warmup(self) -> int:
        """The bars before the first complete window."""
        return self.window - 1

    @override
    def fit(self, train: Matrix) -> Scaler:
        """Fits nothing."""
        return RollingZscoreScaler(self.window)


def fit_scaler(scaling: ScalingSpec, values: Matrix, train: Rows) -> Scaler:
    """Fits a scaling on the train rows only.

    Args:
        scaling: The strategy's scaling.
        values: Features of all bars, shape (n, k).
        train: Train rows of a window or of a split.

    Returns:
        A scaler for every row of the window.

    Raises:
        InvalidBarsError: A train row holds a NaN or an infinity.
    """
    rows = values[row_index(train)]
    if not np.isfinite(rows).all():
        raise InvalidBarsError(
            "The train rows hold values that are not finite",
            expected="finite features from their warm-up on",
            found=f"{np.count_nonzero(~np.isfinite(rows))} of {rows.size}",
            where=f"rows {train[0]} to {train[-1]}",
            fix="check the bars with `backtest data check`",
        )
    return scaling.fit(rows)


def _infinite_where_constant(train: Matrix, spread: Vector) -> Vector:
    """The scale, infinite where a column is constant (its deviation may round to 1e-17)."""
    return np.where(np.ptp(train, axis=0) == 0.0, np.inf, spread)
