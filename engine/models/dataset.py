"""The arrays of one window that a forecaster reads, and the forecast that it returns."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector

ColumnGroups: TypeAlias = tuple[tuple[int, ...], ...]
"""Columns of each series, one tuple per symbol."""


@dataclass(frozen=True)
class CoarseInputs:
    """Inputs at one coarser interval; a row sees only bars that are complete at its close.

    Attributes:
        inputs: (m, k) float32 scaled features of the coarse bars, oldest first.
        latest: (n,) int64, one for each row of the dataset: the newest coarse bar that is complete
            at its close.
        groups: Columns of each series, one tuple per symbol.
    """

    inputs: npt.NDArray[np.float32]
    latest: IntVector
    groups: ColumnGroups


@dataclass(frozen=True)
class WindowDataset:
    """The arrays of one window; every row is a bar, and a row's sequence ends at that row.

    Attributes:
        inputs: (n, k) float32 scaled features, no NaN in any row that a sequence touches.
        target: (n,) float64 return over the next `horizon` bars, or (n, m) with one column for
            each of m `horizons`; over one bar where `recursive`. Finite on train and validation
            rows, never read elsewhere.
        trailing: (n,) float64 return over the last bars, as many as the first of `horizons`; it
            is known at the row's close.
        groups: Columns of each series, one tuple per symbol.
        train: Rows to fit on.
        validation: Rows for early stopping and for the choice of a penalty.
        test: Rows to forecast out of sample.
        horizons: Bars ahead to forecast, ascending.
        recursive: Forecast the horizons step by step, from forecasts of the inputs.
        coarse: Further inputs at coarser intervals.
        previous_fit: The same fit in the previous window, from which a warm start continues.
    """

    inputs: npt.NDArray[np.float32]
    target: Vector
    trailing: Vector
    groups: ColumnGroups
    train: IntVector
    validation: IntVector
    test: IntVector
    horizons: tuple[int, ...] = (1,)
    recursive: bool = False
    coarse: tuple[CoarseInputs, ...] = ()
    previous_fit: Forecast | None = None

    def sequences(self, rows: IntVector, lookback: int) -> npt.NDArray[np.float32]:
        """The inputs of each row and the `lookback` - 1 before, oldest first: (n, lookback, k)."""
        return _gather_sequences(self.inputs, rows, lookback)

    def flat_sequences(self, rows: IntVector, lookback: int) -> Matrix:
        """The sequences of each row at every interval, flattened: (n, lookback * all columns)."""
        ends = [(self.inputs, rows), *((c.inputs, c.latest[rows]) for c in self.coarse)]
        parts = [_gather_sequences(x, end, lookback).reshape(len(rows), -1) for x, end in ends]
        return np.concatenate(parts, axis=1).astype(np.float64)

    def realised_returns(self, rows: IntVector) -> Matrix:
        """The realised return over each horizon after some rows: (n, m), NaN where not known."""
        if not self.recursive:
            return self.target[rows].reshape(len(rows), -1)
        longest = self.horizons[-1]
        growth = np.append(1.0 + self.target, np.full(longest, np.nan))
        ahead = np.cumprod(growth[rows[:, None] + np.arange(longest)], axis=1)
        returns: Matrix = ahead[:, np.array(self.horizons) - 1] - 1.0
        return returns

    @property
    def branches(self) -> tuple[ColumnGroups, ...]:
        """Columns of each series at each interval, the bars' own first."""
        return (self.groups, *(branch.groups for branch in self.coarse))


def _gather_sequences(
    inputs: npt.NDArray[np.float32], ends: IntVector, lookback: int
) -> npt.NDArray[np.float32]:
    sequences: npt.NDArray[np.float32] = inputs[ends[:, None] + np.arange(1 - lookback, 1)]
    return sequences


@dataclass(frozen=True)
class TrainingHistory:
    """Record of a training; losses on the scaled target, one per epoch, empty without epochs.

    Attributes:
        train_loss: Mean over the epoch's batches.
        validation_loss: After the epoch.
        best_epoch: The epoch from which the weights were kept, counted from 0.
        attempts: 2 where the first seed gave no usable forecaster.
        warm: Whether it started from the weights of the previous window.
        trials: Configurations that were tried on the train rows before this one was chosen.
        chosen: Tuned values: dotted path in the strategy -> value.
    """

    train_loss: tuple[float, ...] = ()
    validation_loss: tuple[float, ...] = ()
    best_epoch: int = 0
    attempts: int = 1
    warm: bool = False
    trials: int = 0
    chosen: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, eq=False)
class Forecast:
    """Predicted simple returns, in the order of the dataset's rows.

    Each part is (n,) for one horizon and (n, m) for m horizons, one column each.

    Attributes:
        train: In-sample predictions, for thresholds.
        validation: Predictions on the validation rows, for the weights of an ensemble.
        test: Out-of-sample predictions.
        history: Record of the training.
        weights: Fitted parameters, in the forecaster's own order; empty where nothing is fitted.
        quantiles: (n_test, q) or (n_test, m, q) of the return's distribution, ascending, where
            the loss is `quantile`; `test` is the median among them.
        members: Forecasts of an ensemble's members, each with its own weights and history.
    """

    train: Vector
    validation: Vector
    test: Vector
    history: TrainingHistory = field(default_factory=TrainingHistory)
    weights: tuple[npt.NDArray[Any], ...] = ()
    quantiles: Matrix | None = None
    members: tuple[Forecast, ...] = ()

    @classmethod
    def constant(cls, dataset: WindowDataset, value: float) -> Forecast:
        """One value on every row, which is the only fitted parameter."""
        return cls(
            np.full(len(dataset.train), value),
            np.full(len(dataset.validation), value),
            np.full(len(dataset.test), value),
            weights=(np.array([value]),),
        )
