"""What a stream of features keeps of the bars so far, and its arrays for a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pandas as pd

from engine.data.resampling_state import ResamplingState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.features.symbol_states import SymbolStates

NamedArrays: TypeAlias = "Mapping[str, npt.NDArray[Any]]"
"""Arrays of int64 or float64 by name, as `numpy.savez` takes and `numpy.load` returns them."""


@dataclass(frozen=True, eq=False)
class MatrixState:
    """The states of the columns of a feature matrix.

    Attributes:
        seen: Bars of each symbol so far.
        features: Of each feature the states of the symbols.
    """

    seen: tuple[int, ...]
    features: tuple[SymbolStates, ...]

    def advance(self, counts: Mapping[int, int], features: Sequence[SymbolStates]) -> MatrixState:
        """The state after further bars, so many of the symbols at these places."""
        seen = list(self.seen)
        for place, count in counts.items():
            seen[place] += count
        return MatrixState(tuple(seen), tuple(features))

    def to_arrays(self, prefix: str) -> dict[str, npt.NDArray[Any]]:
        """The arrays of the state, their names with this prefix."""
        arrays: dict[str, npt.NDArray[Any]] = {
            f"{prefix}.seen": np.array(self.seen, dtype=np.int64)
        }
        for place, states in enumerate(self.features):
            name = f"{prefix}.{place}"
            if isinstance(states, np.ndarray):
                arrays[name] = states
                continue
            of_symbols = enumerate(states)
            arrays |= {f"{name}.{own}": each for own, each in of_symbols if each is not None}
        return arrays

    @classmethod
    def from_arrays(cls, arrays: NamedArrays, prefix: str, features: int) -> MatrixState:
        """The state of so many features of which `to_arrays` returned the arrays."""
        seen = tuple(arrays[f"{prefix}.seen"].tolist())
        names = [f"{prefix}.{place}" for place in range(features)]
        states = (
            arrays[name]
            if name in arrays
            else tuple(arrays.get(f"{name}.{own}") for own in range(len(seen)))
            for name in names
        )
        return cls(seen, tuple(states))


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
    def from_arrays(cls, arrays: NamedArrays, prefix: str, features: int) -> CoarseState:
        """The state of so many features of which `to_arrays` returned the arrays."""
        known, ended, interval, is_partial = arrays[f"{prefix}.progress"].tolist()
        rows = arrays[f"{prefix}.rows"]
        bars = ResamplingState(known, ended, interval, bool(is_partial), rows)
        return cls(bars, MatrixState.from_arrays(arrays, prefix, features))


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
            "features": np.array([len(self.base.features)]),
            "resolutions": np.array([len(self.coarse)]),
            **self.base.to_arrays("base"),
        }
        for place, state in enumerate(self.coarse):
            arrays |= state.to_arrays(f"coarse.{place}")
        return arrays

    @classmethod
    def from_arrays(cls, arrays: NamedArrays) -> StreamState:
        """The state of which `to_arrays` returned the arrays."""
        features = int(arrays["features"][0])
        return cls(
            pd.Timestamp(int(arrays["newest"][0]), unit="us", tz="UTC"),
            MatrixState.from_arrays(arrays, "base", features),
            tuple(
                CoarseState.from_arrays(arrays, f"coarse.{place}", features)
                for place in range(int(arrays["resolutions"][0]))
            ),
            int(arrays["stream"][0]),
        )
