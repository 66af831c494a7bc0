"""The lookback sequences that a network reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from numpy.lib.stride_tricks import sliding_window_view

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.core.types import Cube, Matrix


def lookback_sequences(values: Matrix, lookback: int) -> Cube:
    """Every run of `lookback` rows, as a view: no value is copied.

    Args:
        values: Shape (n, k).
        lookback: Rows a sequence, at least 1.

    Returns:
        Shape (n - lookback + 1, lookback, k), read-only; sequence i holds rows i to
        i + lookback - 1, so its last row is the bar it is known at.

    Raises:
        UsageError: Fewer rows than `lookback`.
    """
    if len(values) < lookback:
        raise UsageError(
            "There are fewer bars than one lookback",
            expected=f"at least {lookback} bars",
            found=f"{len(values)}",
            where="model.lookback",
            fix="lower model.lookback, or take a longer history",
        )
    return sliding_window_view(values, lookback, axis=0).swapaxes(1, 2)
