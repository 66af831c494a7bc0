"""What a simulation hands back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import WideFrame


@dataclass(frozen=True)
class SimulationResult:
    """One book's way through the bars.

    Attributes:
        returns: Series by timestamp: net return of the bar, marked at its close; 0 on the first.
        held_weights: Wide: fraction of the equity held in each symbol at the bar's close, signed.
        trades: Every fill in the order of filling: timestamp, symbol, side (`buy`, `sell`), size
            (units, positive), price (paid, slippage included), fee, slippage_cost, equity (the
            book's, at the fill's prices, just before the bar's first fill). Money for an initial
            equity of 1, before borrow cost: that way the units bought are the units sold again,
            and size x price / equity is the fraction traded whatever was paid for borrowing.
    """

    returns: pd.Series[float]
    held_weights: WideFrame
    trades: pd.DataFrame
