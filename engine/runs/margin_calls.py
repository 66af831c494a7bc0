"""What a margin call leaves due after the last bar of a run, from the tables of its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.simulation.accounting import add_units

if TYPE_CHECKING:
    from collections.abc import Mapping

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


def find_called(held_weights: WideFrame, maintenance_margin: float) -> pd.Series[bool]:
    """Whether each close is a margin call.

    Args:
        held_weights: Of each close, signed.
        maintenance_margin: Share of the gross exposure.
    """
    # Equity / gross exposure is 1 over the sum of the absolute weights.
    return held_weights.abs().sum(axis=1) * maintenance_margin > 1.0


def find_orders_after_cuts(
    weights: WideFrame,
    columns: pd.Series[Any],
    *,
    delay: int,
    called: pd.Series[bool],
    held: WideFrame | None,
    waiting: Mapping[str, int],
) -> pd.DataFrame:
    """The orders after the last bar of a book of which bars left parts of orders unfilled.

    What waits is told by the book itself, since `find_pending_orders` takes every order for filled
    at the first bar that trades. An order that takes back what waits is among them, with the
    target that is held already.

    Args:
        weights: Target weights decided at each close.
        columns: Columns and types of `find_pending_orders`.
        delay: Rows from a decision to its fill.
        called: As by `find_called`.
        held: Weights held at each close; needed where there is a call.
        waiting: As in `SimulationResult`.

    Returns:
        These columns, in the order of `find_pending_orders`; what closes a position after a call
        has a target of 0.
    """
    count, index, calls = len(weights), weights.index, called.to_numpy()
    last_call = int(calls.nonzero()[0][-1]) if calls.any() else -1
    found = []
    for symbol in weights.columns:
        own = weights[symbol].to_numpy()
        changed = np.flatnonzero(own != np.concatenate([[0.0], own[:-1]]))
        coming = changed[changed > max(last_call, count - delay - 1)]
        found += [(index[row], symbol, own[row], row + delay - count + 1, 0) for row in coming]
        waited = waiting.get(symbol, 0)
        due = count - waited
        by_call = waited > 0 and calls[due - 1]
        if calls[-1] and not by_call:  # cancels what waits, and closes what is held
            if held is not None and held[symbol].iloc[-1] != 0:
                found.append((index[-1], symbol, 0.0, 1, 0))
        elif waited and count - delay not in coming:  # which would replace it
            decided = due - 1 if by_call else due - delay
            found.append((index[decided], symbol, 0.0 if by_call else own[decided], 1, waited))
    orders = pd.DataFrame(found, columns=columns.index).astype(columns.to_dict())
    return orders.sort_values("due_in_bars", kind="stable", ignore_index=True)


def apply_margin_calls(
    orders: pd.DataFrame,
    held_weights: WideFrame,
    traded: WideFrame | None,
    called: pd.Series[bool],
) -> pd.DataFrame:
    """The pending orders that a book has after its margin calls.

    A call cancels what was decided by its close, and closes every position at the next bar at
    which its symbol trades, unless a target decided later is due by then.

    Args:
        orders: As by `find_pending_orders`.
        held_weights: Of each close, signed.
        traded: As in `simulate`.
        called: As by `find_called`; at least one.

    Returns:
        The columns of `orders`; orders that close a position have a target of 0.
    """
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
