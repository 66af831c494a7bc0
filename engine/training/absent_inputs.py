"""Features of a symbol that is absent at a row, for networks that read all symbols of a row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BoolMatrix, Matrix


def blank_absent(
    values: Matrix, groups: Sequence[Sequence[int]], present: BoolMatrix | None = None
) -> Matrix:
    """A copy, NaN in all columns of a symbol at the rows at which one of them is.

    Args:
        values: (n, k) features.
        groups: Columns of each symbol.
        present: (n, symbols) bool, whether it has a bar; None where features say so.
    """
    blanked = values.copy()
    for place, group in enumerate(groups):
        own = slice(group[0], group[-1] + 1)
        absent = np.isnan(values[:, own]).any(axis=1)
        if present is not None:
            absent |= ~present[:, place]
        blanked[absent, own] = np.nan
    return blanked
