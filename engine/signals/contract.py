"""What sizes and positions of parts that are not the engine's own have to be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import ContractError

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def check_sizes(kind: str, predicted: WideFrame, sizes: object) -> None:
    """Refuses sizes that are not one of at least 0 a bar and symbol that is forecast.

    Args:
        kind: Of the sizing.
        predicted: The predictions that it was given.
        sizes: What `compute_sizes` returned.

    Raises:
        ContractError: The first rule that is broken.
    """
    frame = _require_shape_of(predicted, sizes, kind, "compute_sizes", "the predictions")
    values = frame.to_numpy(dtype=np.float64)
    _refuse_where(frame, values < 0, kind, "compute_sizes returns sizes of at least 0")
    _refuse_where(
        frame,
        np.isnan(values) & np.isfinite(predicted.to_numpy()),
        kind,
        "compute_sizes returns a size wherever there is a prediction",
    )


def check_positions(kind: str, close: WideFrame, positions: object) -> None:
    """Refuses positions that are not one between -1 and 1 a bar and symbol.

    Args:
        kind: Of the benchmark.
        close: The closes that it was given.
        positions: What `compute_positions` returned.

    Raises:
        ContractError: The first rule that is broken.
    """
    frame = _require_shape_of(close, positions, kind, "compute_positions", "the closes")
    values = frame.to_numpy(dtype=np.float64)
    _refuse_where(
        frame,
        ~(np.abs(values) <= 1.0),
        kind,
        "compute_positions returns a position between -1 and 1 at every bar, without NaN",
    )


def _require_shape_of(
    wanted: WideFrame, found: object, kind: str, method: str, whose: str
) -> WideFrame:
    rule = f"{method} returns a frame with the timestamps and symbols of {whose}"
    if not isinstance(found, pd.DataFrame):
        raise ContractError(kind, rule, type(found).__name__)
    if not (found.index.equals(wanted.index) and list(found.columns) == list(wanted.columns)):
        shapes = f"shape {found.shape} with the columns {list(found.columns)}"
        raise ContractError(kind, rule, f"{shapes}, not {wanted.shape}")
    return found


def _refuse_where(frame: WideFrame, wrong: np.ndarray, kind: str, rule: str) -> None:
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        value = frame.to_numpy()[row, column]
        raise ContractError(
            kind,
            rule,
            f"{int(wrong.sum())} that break it, the first {value}",
            f"{frame.columns[column]} at {frame.index[row]}",
        )
