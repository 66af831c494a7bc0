"""Which orders are filled at a bar of a fold, which wait, and what a margin call leaves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector
    from engine.simulation.accounting.tables import BarFills, OrderState, OrderTables


def find_targets(
    orders: OrderTables,
    t: int,
    last_call: int,
    units: Vector,
    state: OrderState,
    targets: Vector,
    due: Vector,
) -> None:
    """The orders to fill at a row, into `targets`, and those that were due, into `due`.

    A margin call at the close before cancels every order decided by then, and places one to close
    each position. What nothing trades for waits; the newest order that is due wins, and one back
    to the target filled last takes back those that wait. Another order has waited 0 bars; one that
    a margin call places again, to close a position, is the same.
    """
    for i in range(len(targets)):
        closes = state.forced[i] and not math.isnan(state.waiting[i])
        if last_call >= 0 and last_call == t - 1:
            due[i] = _order_after_call(units[i], state, i)
        elif last_call < 0 or t - orders.delay > last_call:
            due[i] = orders.due[t, i]
            state.forced[i] = state.forced[i] and math.isnan(due[i])
        if not (math.isnan(due[i]) or (closes and state.forced[i])):
            state.waited[i] = 0
        targets[i] = _newest_order(due[i], state.waiting[i], state.filled[i])
        state.waiting[i] = np.nan
        if not math.isnan(targets[i]) and not orders.traded[t, i]:
            state.waiting[i], targets[i] = targets[i], np.nan


def settle_orders(targets: Vector, fills: BarFills, state: OrderState, unfilled: Vector) -> None:
    """What is filled, and what waits because the bar could not fill it.

    A position that is on its way from one target to another has neither, so that an order back to
    the one before is filled like any other.
    """
    for i in range(len(targets)):
        if math.isnan(targets[i]):
            continue
        unfilled[i] = fills.unfilled[i]
        if fills.unfilled[i] == 0:
            state.filled[i] = targets[i]
        else:
            state.waiting[i] = targets[i]
            if fills.size[i] != 0:
                state.filled[i] = np.nan


def _order_after_call(held: float, state: OrderState, i: int) -> float:
    """What a margin call leaves due: a position is closed, an order that waits is taken back."""
    state.forced[i] = held != 0
    if held != 0:
        state.waiting[i] = np.nan
        return 0.0
    if math.isnan(state.filled[i]):
        state.waiting[i] = np.nan
    return np.nan if math.isnan(state.waiting[i]) else state.filled[i]


def _newest_order(due: float, waiting: float, filled: float) -> float:
    """Of an order that is due and one that waits, each NaN where there is none."""
    if math.isnan(waiting):
        return due
    if math.isnan(due):
        return waiting
    return np.nan if due == filled else due
