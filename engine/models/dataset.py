"""What a forecaster reads: scaled inputs of any rows, and the training set of one window."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector

ColumnGroups: TypeAlias = tuple[tuple[int, ...], ...]
"""Columns of each series, one tuple per symbol."""

CHUNK_VALUES = 2**18
"""Values of sequences that are gathered together: 2 MB in double precision."""


@dataclass(frozen=True)
class CoarseInputs:
    """Inputs at one coarser interval; a row sees only bars that are complete at its close.

    Attributes:
        inputs: (m, k) float32 scaled features of the coarse bars, oldest first.
        latest: (n,) int64, one for each row: the newest coarse bar that is complete at its close.
        groups: Columns of each series, one tuple per symbol.
    """

    inputs: npt.NDArray[np.float32]
    latest: IntVector
    groups: ColumnGroups


@dataclass(frozen=True, kw_only=True)
class ModelInputs:
    """Scaled inputs, a row a bar; a row's sequence ends at that row. All is known at its close.

    Attributes:
        inputs: (n, k) float32 scaled features, no NaN in any row that a sequence touches.
        trailing: (n,) float64 return over the last bars, as many as the first of `horizons`.
        groups: Columns of each series, one tuple per symbol.
        horizons: Bars ahead to forecast, ascending.
        recursive: Forecast the horizons step by step, from forecasts of the inputs.
        coarse: Further inputs at coarser intervals.
        symbols: Symbols that are forecast together; () where one is. Inputs of one of these that
            is absent at a bar are NaN.
        embedded: Symbols that a pooled network has a vector for; () where it has none.
        row_symbols: (n,) int64 the number of each row's symbol among them, and their count for
            another symbol; None where there are none.
    """

    inputs: npt.NDArray[np.float32]
    trailing: Vector
    groups: ColumnGroups
    horizons: tuple[int, ...] = (1,)
    recursive: bool = False
    coarse: tuple[CoarseInputs, ...] = ()
    symbols: tuple[str, ...] = ()
    embedded: tuple[str, ...] = ()
    row_symbols: IntVector | None = None

    def sequences(self, rows: IntVector, lookback: int) -> npt.NDArray[np.float32]:
        """The inputs of each row and the `lookback` - 1 before, oldest first: (n, lookback, k)."""
        return gather_sequences(self.inputs, rows, lookback)

    def branch_sequences(self, rows: IntVector, lookback: int) -> list[npt.NDArray[np.float32]]:
        """The sequences of each row at every interval, the bars' own first.

        Of embedded symbols the last is (n, 1, 1), their numbers.
        """
        ends = [(self.inputs, rows), *((c.inputs, c.latest[rows]) for c in self.coarse)]
        sequences = [gather_sequences(inputs, end, lookback) for inputs, end in ends]
        if self.row_symbols is not None:
            sequences.append(self.row_symbols[rows].astype(np.float32)[:, None, None])
        return sequences

    def flat_sequences(self, rows: IntVector, lookback: int) -> Matrix:
        """The sequences of each row at every interval, flattened: (n, lookback * all columns)."""
        widths = [lookback * part.shape[1] for part in (self.inputs, *self._coarse_inputs)]
        flat = np.empty((len(rows), sum(widths)))
        edges = np.cumsum([0, *widths]).tolist()
        for chunk in self.chunk_rows(len(rows), lookback):
            branches = self.branch_sequences(rows[chunk], lookback)
            for part, (start, stop) in zip(branches, pairwise(edges), strict=False):
                flat[chunk, start:stop] = part.reshape(len(part), stop - start)
        return flat

    def chunk_rows(self, count: int, lookback: int) -> Iterator[slice]:
        """Slices of so many rows, whose sequences take little memory together."""
        size = max(1, CHUNK_VALUES // max(1, lookback * self.column_count))
        return (slice(start, min(start + size, count)) for start in range(0, count, size))

    @property
    def column_count(self) -> int:
        """Columns of all intervals together."""
        return sum(part.shape[1] for part in (self.inputs, *self._coarse_inputs))

    @property
    def _coarse_inputs(self) -> list[npt.NDArray[np.float32]]:
        return [part.inputs for part in self.coarse]

    @property
    def branches(self) -> tuple[ColumnGroups, ...]:
        """Columns of each series at each interval, the bars' own first."""
        return (self.groups, *(branch.groups for branch in self.coarse))


class FittedParameters(Protocol):
    """What a fit learnt, whoever learnt it; a `FittedForecaster` has these."""

    @property
    def weights(self) -> tuple[npt.NDArray[Any], ...]:
        """Fitted arrays."""

    @property
    def state(self) -> Mapping[str, Any]:
        """What else was fitted."""

    @property
    def members(self) -> Sequence[FittedParameters]:
        """Those of an ensemble's members."""


@dataclass(frozen=True, kw_only=True)
class TrainingSet(ModelInputs):
    """All that a fit may learn from; the arrays end with the last validation row.

    The inputs of a recursive forecast have one row more: they are the label of that row.

    Attributes:
        target: (n,) float64 return over the next `horizon` bars, or (n, m) with one column for
            each of m `horizons`; over one bar where `recursive`. Finite on train and validation
            rows, never read elsewhere. Of several symbols, (n, symbols * m), symbol by symbol, NaN
            where one is absent.
        train: Rows to fit on.
        validation: Rows for early stopping and for the choice of a penalty.
        previous_fit: The same fit in the previous window, from which a warm start continues.
    """

    target: Vector | Matrix
    train: IntVector
    validation: IntVector
    previous_fit: FittedParameters | None = None

    def realised_returns(self, rows: IntVector) -> Matrix:
        """The realised return over each horizon after some rows: (n, m), NaN where not known."""
        if not self.recursive:
            return self.target[rows].reshape(len(rows), -1)
        longest = self.horizons[-1]
        growth = np.append(1.0 + self.target, np.full(longest, np.nan))
        ahead = np.cumprod(growth[rows[:, None] + np.arange(longest)], axis=1)
        returns: Matrix = ahead[:, np.array(self.horizons) - 1] - 1.0
        return returns


@dataclass(frozen=True, eq=False)
class Prediction:
    """Predicted simple returns of some rows, in their order.

    Attributes:
        returns: (n,) for one horizon, (n, m) for m horizons, one column each.
        quantiles: (n, q) or (n, m, q) of the return's distribution, ascending, where the loss is
            `quantile`; `returns` is the median among them.
    """

    returns: Vector | Matrix
    quantiles: Matrix | None = None


def gather_sequences(
    inputs: npt.NDArray[np.float32], ends: IntVector, lookback: int
) -> npt.NDArray[np.float32]:
    """The rows that end at each of `ends`, oldest first: (n, lookback, k); of one a view."""
    if len(ends) == 1:
        stop = int(ends[0]) + 1
        return inputs[stop - lookback : stop][None]
    sequences: npt.NDArray[np.float32] = inputs[ends[:, None] + np.arange(1 - lookback, 1)]
    return sequences
