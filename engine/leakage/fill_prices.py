"""Checks that fills are at prices of their own bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import LookaheadError
from engine.leakage.comparison import FIXES
from engine.leakage.fill_records import find_columns, find_rows, find_signs

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.pipeline.prepared_data import PreparedData
    from engine.simulation.portfolio import SimulationResult
    from engine.strategy import Strategy

_RELATIVE_TOLERANCE = 1e-9


def check_fill_prices(
    spec: Strategy, prepared: PreparedData, books: Mapping[str, SimulationResult]
) -> None:
    """Refuses a fill at a price other than its own bar's, slippage included.

    A decision that is filled on the next bar, but at a price from before it was made, changes
    nothing when later bars are replaced: it knows too little of them. It shows here.

    Raises:
        LookaheadError: The first such fill.
    """
    prices = prepared.market.tradable(spec.execution.price)
    paid_out = prepared.market.settlements.to_numpy()
    stamps = pd.DatetimeIndex(prices.index)
    rates = spec.bind_costs(prepared.market).rates
    for book, result in books.items():
        trades = result.trades
        rows, columns = find_rows(trades, stamps), find_columns(trades, prices.columns)
        slippage = rates.slippages_of(prices, rows, columns, trades["size"].to_numpy())
        slippage = np.where(paid_out[rows, columns], 0.0, slippage)
        against = 1.0 + find_signs(trades) * slippage
        due = prices.to_numpy()[rows, columns] * against
        wrong = np.flatnonzero(
            np.abs(trades["price"].to_numpy() / due - 1.0) > _RELATIVE_TOLERANCE
        )
        if wrong.size:
            fill = trades.iloc[int(wrong[0])]
            raise LookaheadError(
                f"A fill of {book} is not at its own bar's price",
                expected=f"{due[wrong[0]]:.10g}, its {spec.execution.price} and slippage",
                found=f"{fill['price']:.10g}",
                where=f"fills: {book} {fill['symbol']} at {fill['timestamp']:%Y-%m-%d %H:%M}",
                fix=FIXES["fills"],
            )
