"""What a stream of features keeps of the bars so far, and its arrays for a file."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import count, takewhile
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.data.resampling_state import ResamplingState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.features.window_state import FeatureState

NamedArrays: TypeAlias = "Mapping[str, npt.NDArray[Any]]"
"""Arrays of int64 or float64 by name, as `numpy.savez` takes and `numpy.load` returns them."""


@dataclass(frozen=True, eq=False)
class MatrixState:
    """The states of the columns of a feature matrix.

    Attributes:
        seen: Bars so far.
        columns: The state of each column; none before the first bar.
    """

    seen: int = 0
    columns: tuple[FeatureState, ...] = ()

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the state, their names with this prefix."""
        columns = {f"{prefix}.{place}": column for place, column in enumerate(self.columns)}
        return {f"{prefix}.seen": np.array([self.seen]), **columns}

    @classmethod
    def from_arrays(cls, arrays: NamedArrays, prefix: str) -> MatrixState:
        """The state of which `to_arrays` returned the arrays."""
        names = takewhile(arrays.__contains__, (f"{prefix}.{place}" for place in count()))
        return cls(int(arrays[f"{prefix}.seen"][0]), tuple(arrays[name] for name in names))


@dataclass(frozen=True, eq=False)
class CoarseState:
    """The coarse bar that is not complete, and the states of the features of those that are."""

    resampling: ResamplingState
    matrix: MatrixState

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the state, their names with this prefix."""
        bars = self.resampling
        progress = np.array([bars.known, bars.ended, bars.interval, bars.is_partial])
        own = {f"{prefix}.progress": progress, f"{prefix}.rows": bars.rows}
        return {**own, **self.matrix.to_arrays(prefix)}

    @classmethod
    def from_arrays(cls, arrays: NamedArrays, prefix: str) -> CoarseState:
        """The state of which `to_arrays` returned the arrays."""
        known, ended, interval, is_partial = arrays[f"{prefix}.progress"].tolist()
        rows = arrays[f"{prefix}.rows"]
        bars = ResamplingState(known, ended, interval, bool(is_partial), rows)
        return cls(bars, MatrixState.from_arrays(arrays, prefix))


@dataclass(frozen=True, eq=False)
class StreamState:
    """What a `FeatureStream` keeps of the bars so far.

    Attributes:
        newest: Timestamp of the newest bar.
        base: Of the bars' own interval.
        coarse: Of each resolution.
        stream: `FeatureStream.identity` of the stream that it is of.
    """

    newest: pd.Timestamp
    base: MatrixState
    coarse: tuple[CoarseState, ...]
    stream: int

    def to_arrays(self) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the state: int64 or float64, for an npz file."""
        arrays = {
            "newest": np.array([self.newest.as_unit("us").asm8.astype(np.int64)]),
            "stream": np.array([self.stream]),
            "resolutions": np.array([len(self.coarse)]),
            **self.base.to_arrays("base"),
        }
        for place, state in enumerate(self.coarse):
            arrays |= state.to_arrays(f"coarse.{place}")
        return arrays

    @classmethod
    def from_arrays(cls, arrays: NamedArrays) -> StreamState:
        """The state of which `to_arrays` returned the arrays."""
        return cls(
            pd.Timestamp(int(arrays["newest"][0]), unit="us", tz="UTC"),
            MatrixState.from_arrays(arrays, "base"),
            tuple(
                CoarseState.from_arrays(arrays, f"coarse.{place}")
                for place in range(int(arrays["resolutions"][0]))
            ),
            int(arrays["stream"][0]),
        )
