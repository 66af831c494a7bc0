"""The streaming form of features whose value depends on a window of fixed length."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import numpy.typing as npt

from engine.data.bar_rows import bars_to_rows, rows_to_bars

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from engine.core.types import Vector

FeatureState: TypeAlias = npt.NDArray[np.float64]
"""What the streaming form of a feature keeps of the bars so far; no call changes it."""


def update_on_window(
    state: FeatureState | None,
    tables: Sequence[pd.DataFrame],
    columns: Sequence[str],
    warmup: int,
    compute: Callable[[Sequence[pd.DataFrame]], pd.Series[float]],
) -> tuple[FeatureState, Vector]:
    """The batch form on the new bars and the last `warmup` bars before them.

    Args:
        state: The rows of the last `warmup` bars, fewer near the first bar; None before it.
        tables: The new bars of each symbol that the feature reads.
        columns: Columns that the feature reads.
        warmup: Leading bars without a valid value.
        compute: The batch form on the bars of these symbols.

    Returns:
        The next state, and the values at the new bars.
    """
    new = bars_to_rows(tables, columns)
    rows = new if state is None else np.vstack([state, new])
    values = np.full(len(rows), np.nan)
    if len(rows) > warmup:
        values = compute(rows_to_bars(rows, columns, len(tables))).to_numpy()
    return rows[max(len(rows) - warmup, 0) :].copy(), values[-len(new) :]
