"""Orders that the last bar with a trade could not fill to the end."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import WideFrame


def find_unfilled_orders(limited: pd.DataFrame, traded: WideFrame) -> dict[str, int]:
    """The symbols of which a part of an order waits after the last bar.

    Args:
        limited: As in `SimulationResult`.
        traded: Whether something trades at each bar, wide.

    Returns:
        Symbol -> bars at which it has waited, those without a trade included; another order that
        is due at the next bar replaces it.
    """
    found = {}
    for symbol, own in limited.groupby("symbol"):
        cut = traded.index.isin(own["timestamp"])
        waits = cut | ~traded[symbol].to_numpy()
        filled = np.flatnonzero(~waits)
        first = int(filled[-1]) + 1 if len(filled) else 0
        cuts = np.flatnonzero(cut[first:])
        if len(cuts):
            found[str(symbol)] = len(cut) - first - int(cuts[0])
    return found
