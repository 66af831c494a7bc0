"""Exposures of a book of several symbols at each close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import Vector, WideFrame

EXPOSURE_COLUMNS = (
    *("net_pct", "gross_pct", "largest_weight_pct", "herfindahl"),
    "effective_positions",
)


def measure_exposures(weights: WideFrame) -> pd.DataFrame:
    """Net and gross weight and concentration at each close.

    With weights w_i and shares s_i = |w_i| / sum_j |w_j| the concentration is that of Herfindahl,
    H = sum_i s_i^2, and 1 / H the effective number of positions: k equal ones are k.

    Args:
        weights: Held at each close, signed fractions of the equity; no NaN.

    Returns:
        The same index, columns `EXPOSURE_COLUMNS`; concentration is NaN without a position.

    Source: Herfindahl (1950), Concentration in the Steel Industry; Hirschman (1945).
    """
    held = weights.to_numpy(dtype=np.float64)
    gross = np.abs(held).sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        herfindahl = np.where(gross > 0, (held**2).sum(axis=1) / gross**2, np.nan)
    columns: dict[str, Vector] = {
        "net_pct": 100.0 * held.sum(axis=1),
        "gross_pct": 100.0 * gross,
        "largest_weight_pct": 100.0 * np.abs(held).max(axis=1, initial=0.0),
        "herfindahl": herfindahl,
        "effective_positions": 1.0 / herfindahl,
    }
    return pd.DataFrame(columns, index=weights.index)[list(EXPOSURE_COLUMNS)]
