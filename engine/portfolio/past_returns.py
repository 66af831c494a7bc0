"""The returns of the last bars, of the symbols that have them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import BoolVector, IntVector, Matrix

MIN_KNOWN_SHARE = 0.9
"""Share of the closes of a window that a symbol must have to take part."""


@dataclass(frozen=True, eq=False)
class PastReturns:
    """Simple returns of successive bars, the latest one last.

    Attributes:
        places: (k,) columns of the closes that have enough of them, ascending.
        values: (window, k) without NaN; 0 at a bar at which a symbol had no close, and the whole
            return at its next one.
    """

    places: IntVector
    values: Matrix


def known_over(closes: Matrix, window: int) -> BoolVector:
    """Which symbols have enough closes for the returns of a window.

    Args:
        closes: (n, m) the last closes; NaN where a symbol has none.
        window: Returns of the window.

    Returns:
        (m,) whether a symbol has its first and its last of `window` + 1 closes, and
        `MIN_KNOWN_SHARE` of them all.
    """
    if len(closes) < window + 1:
        return np.zeros(closes.shape[1], dtype=bool)
    known = np.isfinite(closes[-(window + 1) :])
    enough: BoolVector = known[0] & known[-1] & (known.mean(axis=0) >= MIN_KNOWN_SHARE)
    return enough


def compute_past_returns(closes: Matrix, window: int, among: BoolVector) -> PastReturns:
    """The returns of a window, of those symbols that have enough closes.

    Args:
        closes: (n, m) the last closes; NaN where a symbol has none.
        window: Returns of the window.
        among: (m,) symbols that are looked at.
    """
    places = np.flatnonzero(among & known_over(closes, window))
    # In one order in memory, as NumPy may round otherwise in another.
    own = np.ascontiguousarray(closes[-(window + 1) :][:, places])
    if not own.size:
        return PastReturns(places, np.empty((window, 0)))
    rows = np.where(np.isfinite(own), np.arange(len(own))[:, None], 0)
    filled = np.take_along_axis(own, np.maximum.accumulate(rows, axis=0), axis=0)
    return PastReturns(places, filled[1:] / filled[:-1] - 1.0)
