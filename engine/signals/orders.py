"""From the decision to the fill: the only module that shifts target weights in time.

A weight decided at the close of row t is filled at row t + delay, at that row's open or close by
`execution.price`; with the default delay of 1 at the next bar's open.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field

from engine.core.errors import UsageError
from engine.core.persistent_value import PersistentValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from engine.core.types import WideFrame


class Order(PersistentValue):
    """A target weight that is to be filled at a later bar.

    Attributes:
        symbol: Symbol.
        target_weight: Fraction of the equity to hold, 1.0 is all of it, negative is short.
        decided_on: Bar at whose close it was decided.
        due_in_bars: Bars to the fill: 1 is the next bar. 0 where the order is due and waits for a
            bar of its symbol.
    """

    symbol: str
    target_weight: float = Field(allow_inf_nan=False)
    decided_on: AwareDatetime
    due_in_bars: int = Field(default=1, ge=0)


def place_orders(
    previous: Mapping[str, float],
    targets: Mapping[str, float],
    *,
    decided_on: datetime,
    delay: int = 1,
) -> tuple[Order, ...]:
    """The orders of one close: a symbol whose target changes has one, due `delay` bars later.

    Over the closes of `weights` these are the orders of `schedule_orders`.

    Args:
        previous: The targets decided before; a symbol without one has 0.
        targets: The targets decided now; a symbol without one has no order.
        decided_on: Bar at whose close they are decided.
        delay: Bars from the decision to the fill, at least 1.

    Returns:
        In the order of `targets`.

    Raises:
        UsageError: A delay below 1, which would trade on a close that is not yet known; or a
            target that is not finite.
    """
    _check_delay(delay)
    _check_targets(targets, decided_on)
    return tuple(
        Order(symbol=symbol, target_weight=weight, decided_on=decided_on, due_in_bars=delay)
        for symbol, weight in targets.items()
        if weight != previous.get(symbol, 0.0)
    )


def schedule_orders(weights: WideFrame, delay: int) -> WideFrame:
    """The target weight at each bar where an order is due.

    Args:
        weights: Weights decided at each row's close, without NaN.
        delay: Rows from the decision to the fill, at least 1.

    Returns:
        The shape of `weights`: row t + delay has the weight of row t where it differs from the one
        before (before the first row all weights are 0), and NaN otherwise. Decisions whose fill is
        after the last row are not filled, see `find_pending_orders`.

    Raises:
        UsageError: A delay below 1, which would trade on a close that is not yet known.
    """
    _check_delay(delay)
    return weights.where(_changes(weights)).shift(delay)


def _check_delay(delay: int) -> None:
    if delay < 1:
        raise UsageError(
            "Orders cannot be filled before they are decided",
            expected="a delay of at least 1 bar",
            found=f"{delay}",
            where="execution.delay",
            fix="raise execution.delay to 1",
        )


def _check_targets(targets: Mapping[str, float], decided_on: datetime) -> None:
    for symbol, weight in targets.items():
        if not math.isfinite(weight):
            raise UsageError(
                "a target weight is not finite",
                expected="a finite target weight of each symbol",
                found=f"{weight}",
                where=f"{symbol} at {decided_on}",
            )


def find_pending_orders(weights: WideFrame, delay: int) -> pd.DataFrame:
    """The decisions whose fill is after the last row.

    Args:
        weights: Weights decided at each row's close, without NaN.
        delay: Rows from the decision to the fill, at least 1.

    Returns:
        A row an order, the first due first, then in the order of the symbols: `decided_on`,
        `symbol`, `target_weight` and `due_in_bars`, which is 1 at the bar after the last. No rows
        where no weight changed at the last `delay` rows.
    """
    changed = _changes(weights).to_numpy().copy()
    changed[: max(0, len(weights) - delay)] = False
    row, column = np.nonzero(changed)
    return pd.DataFrame(
        {
            "decided_on": weights.index[row],
            "symbol": weights.columns[column].astype("str"),
            "target_weight": weights.to_numpy()[row, column],
            "due_in_bars": row + delay - (len(weights) - 1),
        }
    )


def _changes(weights: WideFrame) -> WideFrame:
    """Where a weight differs from the one before; before the first row all weights are 0."""
    return weights.ne(weights.shift(fill_value=0.0))
