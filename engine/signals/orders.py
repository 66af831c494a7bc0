"""From the decision to the fill: the only module that shifts target weights in time.

A weight decided at the close of row t is due at row t + delay and filled there, at that row's open
or close by `execution.price`; with the default delay of 1 at the next bar's open. Where nothing
trades at that row, the order waits for the next one that trades.

Where symbols trade on several exchanges, a row is decided at the last close of its date, and the
next bar of a symbol may have opened before that. Its order is due at the first row whose price is
not before the decision: `lags` says how many rows that is from each decision.
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import AwareDatetime, Field

from engine.core.errors import UsageError
from engine.core.persistent_value import PersistentValue

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from pandas.api.extensions import ExtensionDtype

    from engine.core.types import BoolMatrix, IntMatrix, IntVector, Matrix, WideFrame


class Order(PersistentValue):
    """A target weight that is to be filled at a later bar.

    Attributes:
        symbol: Symbol.
        target_weight: Fraction of the equity to hold, 1.0 is all of it, negative is short.
        decided_on: Bar at whose close it was decided.
        due_in_bars: Bars to the fill: 1 is the next bar. 0 where the order is due and waits for a
            bar at which its symbol trades.
        waited_bars: Bars at which it was due and not filled.
        margin_call: Whether a margin call placed it, to close the position.
        not_before: Where symbols trade on several exchanges, the instant of the decision: no
            earlier price fills it, see `BarPrices.instants`. None where the next bar will do.
    """

    symbol: str
    target_weight: float = Field(allow_inf_nan=False)
    decided_on: AwareDatetime
    due_in_bars: int = Field(default=1, ge=0)
    waited_bars: int = Field(default=0, ge=0)
    margin_call: bool = False
    # Left out of what is written where there is none, as in accounts of earlier versions.
    not_before: AwareDatetime | None = Field(default=None, exclude_if=lambda at: at is None)


def place_orders(
    previous: Mapping[str, float],
    targets: Mapping[str, float],
    *,
    decided_on: datetime,
    delay: int = 1,
    not_before: datetime | None = None,
) -> tuple[Order, ...]:
    """The orders of one close: a symbol whose target changes has one, due `delay` bars later.

    Over the closes of `weights` these are the orders of `schedule_orders`, whose `lags` follow
    from `not_before` when the bars come.

    Args:
        previous: The targets decided before; a symbol without one has 0.
        targets: The targets decided now; a symbol without one has no order.
        decided_on: Bar at whose close they are decided.
        delay: Bars from the decision to the fill, at least 1.
        not_before: The instant of the decision, where symbols trade on several exchanges.

    Returns:
        In the order of `targets`.

    Raises:
        UsageError: A delay below 1, which would trade on a close that is not yet known; or a
            target that is not finite.
    """
    _check_delay(delay)
    _check_targets(targets, decided_on)
    return tuple(
        Order(
            symbol=symbol,
            target_weight=weight,
            decided_on=decided_on,
            due_in_bars=delay,
            not_before=not_before,
        )
        for symbol, weight in targets.items()
        if weight != previous.get(symbol, 0.0)
    )


def schedule_orders(weights: WideFrame, delay: int, lags: WideFrame | None = None) -> WideFrame:
    """The target weight at each bar where an order is due.

    Args:
        weights: Weights decided at each row's close, without NaN.
        delay: Rows from the decision to the fill, at least 1.
        lags: Rows from each decision to the first whose price is not before it, the shape of
            `weights`; None where the next one will do. An order is due max(delay, lag) rows later.

    Returns:
        The shape of `weights`: row t + delay has the weight of row t where it differs from the one
        before (before the first row all weights are 0), and NaN otherwise. Of several decisions
        that are due at one row the last holds. Decisions whose fill is after the last row are not
        filled, see `find_pending_orders`.

    Raises:
        UsageError: A delay below 1, which would trade on a close that is not yet known.
    """
    _check_delay(delay)
    values = weights.to_numpy(dtype=np.float64)
    if lags is not None:
        in_force = _last_due(values, delay, lags.to_numpy())
        before = np.vstack([np.zeros((1, values.shape[1])), in_force[:-1]])
        return _wide_like(weights, np.where(in_force != before, in_force, np.nan))
    before = np.vstack([np.zeros((1, values.shape[1])), values[:-1]])
    due = np.full(values.shape, np.nan)
    # pandas' own `where` and `shift` take eight times as long.
    due[delay:] = np.where(values != before, values, np.nan)[:-delay]
    return pd.DataFrame(due, index=weights.index, columns=weights.columns)


def settle_orders(
    orders: WideFrame,
    settlements: WideFrame | None,
    delay: int,
    lags: WideFrame | None = None,
) -> WideFrame:
    """The orders of symbols some of which are found to be delisted, and paid out.

    At that row an order to hold nothing is due, whatever else is, and what was decided by then and
    is due later is cancelled.

    Args:
        orders: As by `schedule_orders`.
        settlements: Bool, the shape of `orders`: the rows at which a symbol is paid out; None
            where none is.
        delay: Rows from a decision to the row at which it is due.
        lags: As in `schedule_orders`.
    """
    if settlements is None or not settlements.to_numpy().any():
        return orders
    due = orders.to_numpy().copy()
    for row, column in np.argwhere(settlements.to_numpy()):
        due[row, column] = 0.0
        due[row + 1 : _last_due_row(row, column, delay, lags) + 1, column] = np.nan
    return _wide_like(orders, due)


def _last_due_row(row: int, column: int, delay: int, lags: WideFrame | None) -> int:
    """The last row at which a decision of this row, or of one before it, is due by itself."""
    if lags is None:
        return row + delay
    own = lags.iloc[row : row + 2, column].clip(lower=delay).to_numpy()
    due = row + int(own[0])
    # Where the next decision is due at the same row, it is the one that holds.
    return due - 1 if len(own) > 1 and row + 1 + int(own[1]) <= due else due


def defer_orders(orders: WideFrame, traded: WideFrame | None) -> WideFrame:
    """The target weight at each bar where an order is filled: orders wait where nothing trades.

    What is due at a row at which nothing trades waits for the next row that trades. Of several
    orders that are due by then the last replaces the others, and there is none where it takes them
    back: where its weight is that of the order filled last. A row knows of itself alone and of
    those before whether anything trades.

    Args:
        orders: As by `schedule_orders`.
        traded: Whether something trades at each row, bool, the shape of `orders`; None where it
            does at all of them.

    Returns:
        The shape of `orders`, NaN at every row at which nothing trades.
    """
    if traded is None or not _waits(orders, traded):
        return orders
    filled = _filled_targets(_due_targets(orders), traded)
    return _wide_like(filled, np.where(_changes(filled).to_numpy(), filled.to_numpy(), np.nan))


def find_waits(orders: WideFrame, traded: WideFrame | None) -> pd.DataFrame:
    """The orders that were due at a row at which nothing traded, and how long each waited.

    An order waits until it is filled, until a later one that is due replaces or takes it back, or
    until the last row.

    Args:
        orders: As by `schedule_orders`.
        traded: As in `defer_orders`.

    Returns:
        A row an order, by the time it was due, then in the order of the symbols: `symbol`,
        `target_weight`, `due` (timestamp of the row), `bars` (rows at which it waited, 1 or more).
    """
    if traded is None or not _waits(orders, traded):
        return _no_waits(orders.index.dtype).copy()
    due = _due_targets(orders)
    waiting = due.to_numpy() != _filled_targets(due, traded).to_numpy()
    begins = waiting & _changes(due).to_numpy()
    column, row = np.nonzero(begins.T)
    numbers = begins.T.ravel().cumsum()[waiting.T.ravel()]
    bars = np.bincount(numbers, minlength=1)[1:]
    in_time = np.argsort(row, kind="stable")
    return _make_waits_table(due, row[in_time], column[in_time], bars[in_time])


@lru_cache(maxsize=8)
def _no_waits(stamps: ExtensionDtype | np.dtype[Any]) -> pd.DataFrame:
    """The table without a row; making one takes longer than finding that nothing waits."""
    nothing = np.zeros(0, dtype=np.int64)
    index = pd.Index([], dtype=stamps)
    due = pd.DataFrame(index=index, columns=pd.Index([], dtype="str"), dtype=np.float64)
    return _make_waits_table(due, nothing, nothing, nothing)


def _make_waits_table(
    due: WideFrame, row: IntVector, column: IntVector, bars: IntVector
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "symbol": due.columns[column].astype("str"),
            "target_weight": due.to_numpy()[row, column],
            "due": due.index[row],
            "bars": bars,
        }
    )


def _waits(orders: WideFrame, traded: WideFrame) -> bool:
    """Whether an order is due at a row at which nothing trades."""
    return bool((~np.isnan(orders.to_numpy()) & ~traded.to_numpy()).any())


def _last_due(values: Matrix, delay: int, lags: IntMatrix) -> Matrix:
    """The target of the last decision that is due by each row; 0 before the first."""
    count, width = values.shape
    due = np.arange(count)[:, None] + np.maximum(lags, delay)
    decided = np.full(values.shape, -1)
    for column in range(width):
        in_time = due[:, column] < count
        rows = np.flatnonzero(in_time)
        np.maximum.at(decided[:, column], due[in_time, column], rows)
    decided = np.maximum.accumulate(decided, axis=0)
    chosen = np.take_along_axis(values, np.maximum(decided, 0), axis=0)
    return np.where(decided >= 0, chosen, 0.0)


def _due_targets(orders: WideFrame) -> WideFrame:
    """The target of the last order that is due by each row; 0 before the first."""
    values = orders.to_numpy()
    return _wide_like(orders, _last_chosen(values, ~np.isnan(values)))


def _filled_targets(due: WideFrame, traded: WideFrame) -> WideFrame:
    """The target of the last order that is filled by each row; 0 before the first."""
    return _wide_like(due, _last_chosen(due.to_numpy(), traded.to_numpy()))


def _last_chosen(values: Matrix, is_chosen: BoolMatrix) -> Matrix:
    """By each row the last chosen value of its column; 0 before the first."""
    rows = np.arange(1, len(values) + 1)[:, None]
    last = np.maximum.accumulate(np.where(is_chosen, rows, 0), axis=0)
    return np.take_along_axis(np.vstack([np.zeros((1, values.shape[1])), values]), last, axis=0)


def _wide_like(wide: WideFrame, values: Matrix | BoolMatrix) -> WideFrame:
    return pd.DataFrame(values, index=wide.index, columns=wide.columns)


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


def find_pending_orders(
    weights: WideFrame,
    delay: int,
    traded: WideFrame | None = None,
    lags: WideFrame | None = None,
) -> pd.DataFrame:
    """The orders that are not filled by the last row: not due yet, or waiting for a trade.

    Args:
        weights: Weights decided at each row's close, without NaN.
        delay: Rows from the decision to the fill, at least 1.
        traded: As in `defer_orders`.
        lags: As in `schedule_orders`.

    Returns:
        A row an order, the first due first, then in the order of the symbols: `decided_on`,
        `symbol`, `target_weight`, `due_in_bars`, which is 1 at the bar after the last, and
        `waited_bars`: rows at which it was due and nothing traded. An order that waits is due at
        the bar after the last, unless another one that is due then replaces it or takes it back.
        No rows where no weight changed at the last `delay` rows and no order waits.
    """
    count = len(weights)
    # As many rows more, at which everything trades, fill every order.
    longest = delay if lags is None else max(delay, int(lags.to_numpy().max()))
    later = pd.RangeIndex(count, count + longest)
    targets = weights.reset_index(drop=True)
    targets = pd.concat([targets, targets.iloc[-1:].reindex(later, method="ffill")])
    if traded is None:
        trades = pd.DataFrame(data=True, index=targets.index, columns=targets.columns)
    else:
        trades = traded.reset_index(drop=True).reindex(targets.index, fill_value=True)
    if lags is not None:  # of the rows that follow, at which nothing is decided
        lags = lags.reset_index(drop=True).reindex(targets.index, fill_value=longest)
    due = _due_targets(schedule_orders(targets, delay, lags))
    filled = _changes(_filled_targets(due, trades)).to_numpy()[count:]
    row, column = np.nonzero(filled)
    rows = np.arange(len(targets))[:, None]
    changed = np.maximum.accumulate(np.where(_changes(due).to_numpy(), rows, -1), axis=0)
    due_row = changed[count + row, column]
    return pd.DataFrame(
        {
            "decided_on": weights.index[_decision_rows(weights, due_row, column, delay, lags)],
            "symbol": weights.columns[column].astype("str"),
            "target_weight": due.to_numpy()[count + row, column],
            "due_in_bars": row + 1,
            "waited_bars": np.maximum(count - due_row, 0),
        }
    )


def _decision_rows(
    weights: WideFrame, due: IntVector, column: IntVector, delay: int, lags: WideFrame | None
) -> IntVector:
    """Rows at which orders that are due at some rows were decided, the first of a weight."""
    if lags is None:
        return due - delay
    own = np.arange(len(lags))[:, None] + np.maximum(lags.to_numpy(), delay)
    last = np.array(
        [
            np.flatnonzero(own[: len(weights), place] <= row)[-1]
            for row, place in zip(due, column, strict=True)
        ],
        dtype=np.int64,
    )
    changed = np.maximum.accumulate(
        np.where(_changes(weights).to_numpy(), np.arange(len(weights))[:, None], 0), axis=0
    )
    return changed[last, column]


def _changes(weights: WideFrame) -> WideFrame:
    """Where a weight differs from the one before; before the first row all weights are 0."""
    values = weights.to_numpy()
    before = np.vstack([np.zeros((1, values.shape[1])), values[:-1]])
    return _wide_like(weights, values != before)
