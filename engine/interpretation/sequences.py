"""Sequences of some rows as one array, so that a model can be asked about altered ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.models.dataset import CoarseInputs, ModelInputs
from engine.models.joint_prediction import predict_symbol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.core.types import BoolMatrix, IntVector, Vector
    from engine.models.fitted_model import FittedModel

    Floats = npt.NDArray[np.float32]
    ForecastFunction = Callable[["Sequences"], Vector]


@dataclass(frozen=True, eq=False)
class Sequences:
    """What a model reads of some rows, scaled; one of each row.

    Attributes:
        branches: (n, lookback, k) float32 of each interval, the bars' own first, oldest step
            first.
        trailing: (n,) return over the last bars, which the naive models read.
        shape: The inputs that the sequences were taken from, for what does not vary by row.
        row_symbols: (n,) number of the embedded symbol; None where there is none.
    """

    branches: tuple[Floats, ...]
    trailing: Vector
    shape: ModelInputs
    row_symbols: IntVector | None = None

    def __len__(self) -> int:
        """Rows."""
        return len(self.trailing)

    @classmethod
    def of(cls, inputs: ModelInputs, rows: IntVector, lookback: int) -> Sequences:
        """Those of some rows of scaled inputs."""
        own = replace(inputs, row_symbols=None).branch_sequences(rows, lookback)
        numbers = inputs.row_symbols
        return cls(
            tuple(own), inputs.trailing[rows], inputs, None if numbers is None else numbers[rows]
        )

    def take(self, rows: IntVector | slice) -> Sequences:
        """Some of the rows, which may recur."""
        numbers = self.row_symbols
        return replace(
            self,
            branches=tuple(branch[rows] for branch in self.branches),
            trailing=self.trailing[rows],
            row_symbols=None if numbers is None else numbers[rows],
        )

    def mixed(self, other: Sequences, taken: Sequence[BoolMatrix]) -> Sequences:
        """These sequences, with some cells of others in their place.

        Args:
            other: As many rows.
            taken: For each branch (lookback, k): whether the cell is that of `other`.
        """
        branches = [
            np.where(cells, theirs, own)
            for own, theirs, cells in zip(self.branches, other.branches, taken, strict=True)
        ]
        return replace(self, branches=tuple(branches))

    def to_inputs(self) -> tuple[ModelInputs, IntVector]:
        """Inputs in which the sequences follow each other, and the last row of each."""
        count, lookback = self.branches[0].shape[:2]
        ends = np.arange(count, dtype=np.int64) * lookback + lookback - 1
        own, *coarse = (branch.reshape(count * lookback, -1) for branch in self.branches)
        numbers = self.row_symbols
        latest = np.repeat(ends, lookback)
        return (
            replace(
                self.shape,
                inputs=own,
                trailing=np.repeat(self.trailing, lookback),
                coarse=tuple(
                    CoarseInputs(values, latest, part.groups)
                    for values, part in zip(coarse, self.shape.coarse, strict=True)
                ),
                row_symbols=None if numbers is None else np.repeat(numbers, lookback),
            ),
            ends,
        )


def forecast_sequences(model: FittedModel, sequences: Sequences, horizon: int) -> Vector:
    """(n,) simple returns over one of the model's horizons.

    Args:
        model: A fitted model.
        sequences: Of its inputs.
        horizon: Place among its horizons.
    """
    inputs, ends = sequences.to_inputs()
    if inputs.symbols:
        symbol = model.input_transform.symbol
        returns = predict_symbol(model.forecaster, inputs, ends, symbol).returns
    else:
        returns = model.forecaster.predict(inputs, ends).returns
    forecast: Vector = returns.reshape(len(ends), -1)[:, horizon]
    return forecast
