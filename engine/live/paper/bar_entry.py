"""What the journal keeps of one bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from engine.live.journal.journal import JournalEntry
from engine.live.journal.rows import (
    BarRow,
    DecisionRow,
    EquityRow,
    FillRow,
    OrderRow,
    finite_or_none,
)
from engine.live.paper.account_bars import VALUES

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BarsFrame
    from engine.live.journal.journal import NewEvent
    from engine.live.loop.loop_state import BarOutcome, LoopState
    from engine.live.paper.late_orders import TimedOrder
    from engine.signals.prediction_row import PredictionRow
    from engine.simulation.account import Account, Fill


def make_entry(  # noqa: PLR0913 - all of one bar
    name: str,
    bars: BarsFrame,
    outcome: BarOutcome,
    timed: Sequence[TimedOrder],
    *,
    before: Account,
    state: LoopState,
    received_at: pd.Timestamp,
    decided_at: pd.Timestamp,
    late: bool,
    events: tuple[NewEvent, ...],
) -> JournalEntry:
    """The rows of one bar.

    Args:
        name: The account.
        bars: Of every symbol.
        outcome: What the loop made of them.
        timed: The orders, and whether they can be filled.
        before: The account before the bar: its orders are those that were filled.
        state: After the bar, with the orders that can be filled.
        received_at: When the bars were there.
        decided_at: When the decision was there.
        late: Whether that was later than the grace time.
        events: That belong to the bar.
    """
    bar = outcome.timestamp
    return JournalEntry(
        bars=tuple(_bar_row(name, bar, values, received_at) for values in bars.to_dict("records")),
        decision=DecisionRow(
            name,
            bar,
            decided_at,
            late,
            _row_document(outcome.row, outcome.window),
            dict(outcome.targets),
            state.model_dump_json(),
        ),
        orders=tuple(
            OrderRow(
                name,
                bar,
                each.order.symbol,
                each.order.target_weight,
                each.order.due_in_bars,
                each.status,
                None if each.order.not_before is None else pd.Timestamp(each.order.not_before),
            )
            for each in timed
        ),
        fills=make_fill_rows(name, bar, outcome.fills, before, outcome.account),
        equity=equity_row(name, bar, state.account),
        events=events,
    )


def equity_row(name: str, bar: pd.Timestamp, account: Account) -> EquityRow:
    """The account at a close."""
    weights = account.held_weights
    return EquityRow(
        name,
        bar,
        account.equity,
        account.cash,
        {
            holding.symbol: {
                "units": holding.units,
                "close": holding.close,
                "weight": weights[holding.symbol],
            }
            for holding in account.holdings
        },
    )


def make_fill_rows(
    name: str, bar: pd.Timestamp, fills: Sequence[Fill], before: Account, after: Account
) -> tuple[FillRow, ...]:
    """The fills of a bar, each with the bar whose close decided it.

    Args:
        name: The account.
        bar: The bar.
        fills: In the order of execution.
        before: The account before the bar.
        after: The account after it.
    """
    held_back = {
        (order.symbol, order.decided_on) for order in after.orders if order.due_in_bars >= 1
    }
    due = {
        order.symbol: pd.Timestamp(order.decided_on).as_unit("us")
        for order in before.orders
        if order.due_in_bars <= 1
        and not order.margin_call
        and (order.symbol, order.decided_on) not in held_back
    }
    return tuple(_fill_row(name, bar, number, fill, due) for number, fill in enumerate(fills))


def _fill_row(
    name: str, bar: pd.Timestamp, number: int, fill: Fill, due: Mapping[str, pd.Timestamp]
) -> FillRow:
    """The row of a fill; `due` has the bar whose close decided the order of each symbol."""
    return FillRow(
        name,
        bar,
        number,
        fill.symbol,
        fill.side,
        fill.size,
        fill.price,
        fill.fee,
        fill.slippage_cost,
        fill.equity,
        fill.margin_call,
        None if fill.margin_call else due.get(fill.symbol),
    )


def _bar_row(
    name: str, bar: pd.Timestamp, values: Mapping[Any, Any], received_at: pd.Timestamp
) -> BarRow:
    own = {column: float(values[column]) for column in VALUES}
    return BarRow(account=name, bar=bar, symbol=values["symbol"], **own, received_at=received_at)


def _row_document(row: PredictionRow, window: int) -> dict[str, Any]:
    """What was known at the close, as JSON; null stands for a forecast without a fit."""
    return {
        "window": window,
        "predicted": {symbol: finite_or_none(value) for symbol, value in row.predicted.items()},
        "quantiles": {
            str(level): {symbol: finite_or_none(value) for symbol, value in values.items()}
            for level, values in row.quantiles.items()
        },
    }
