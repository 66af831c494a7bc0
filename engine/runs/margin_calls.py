"""What a margin call leaves due after the last bar of a run, from the tables of its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.simulation.accounting import add_units

if TYPE_CHECKING:
    from engine.core.types import WideFrame


def hold_units(trades: pd.DataFrame, index: pd.Index, symbols: list[str]) -> WideFrame:
    """Units held after each bar, signed, of all fills of a book; exactly 0 where closed."""
    held = dict.fromkeys(symbols, 0.0)
    signed = trades["size"].where(trades["side"] == "buy", -trades["size"])
    after = []
    for symbol, size in zip(trades["symbol"], signed, strict=True):
        held[symbol] = add_units(held[symbol], size)
        after.append(held[symbol])
    fills = trades[["timestamp", "symbol"]].assign(units=after)
    last = fills.drop_duplicates(["timestamp", "symbol"], keep="last")
    units = last.pivot(index="timestamp", columns="symbol", values="units")
    return units.reindex(index=index, columns=symbols).ffill().fillna(0.0)


def apply_margin_calls(
    orders: pd.DataFrame,
    held_weights: WideFrame,
    traded: WideFrame | None,
    maintenance_margin: float,
) -> pd.DataFrame:
    """The pending orders that a book has after its margin calls.

    A call cancels what was decided by its close, and closes every position at the next bar at
    which its symbol trades, unless a target decided later is due by then.

    Args:
        orders: As by `find_pending_orders`.
        held_weights: Of each close, signed.
        traded: As in `simulate`.
        maintenance_margin: Share of the gross exposure.

    Returns:
        The columns of `orders`; orders that close a position have a target of 0.
    """
    # Equity / gross exposure is 1 over the sum of the absolute weights.
    called = held_weights.abs().sum(axis=1) * maintenance_margin > 1.0
    if not called.any():
        return orders
    index = held_weights.index
    last_call = called[called].index[-1]
    kept = orders[orders["decided_on"] > last_call]
    due = set(kept.loc[kept["due_in_bars"] == 1, "symbol"])
    closing = []
    for symbol in held_weights.columns:
        last_trade = index[0]
        if traded is not None and traded[symbol].any():
            last_trade = traded.index[traded[symbol]][-1]
        elif traded is None:
            last_trade = index[-1]
        waits = last_call >= last_trade
        if waits and held_weights[symbol].iloc[-1] != 0 and symbol not in due:
            decided_on = called[called & (index >= last_trade)].index[0]
            waited = int((index > decided_on).sum())
            closing.append((decided_on, symbol, 0.0, 1, waited))
    placed = pd.DataFrame(closing, columns=orders.columns).astype(orders.dtypes)
    both = [table for table in (placed, kept) if len(table)]
    return pd.concat(both, ignore_index=True) if both else orders.iloc[:0]
