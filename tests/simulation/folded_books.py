"""A book folded bar by bar, as a live caller would, beside the simulation of all bars at once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.signals.orders import place_orders
from engine.simulation import Account, BarPrices, SimulationResult, step
from engine.simulation.portfolio import simulate_all

if TYPE_CHECKING:
    from engine.core.types import IntVector, WideFrame
    from engine.signals.orders import Order
    from engine.simulation.account import Fill
    from engine.simulation.config import Execution
    from engine.simulation.costs import TradingCosts

    State = tuple[Account, tuple[Order, ...]]


@dataclass(frozen=True)
class Case:
    """A book: decided weights, prices, costs, execution, halts, and the yield on cash.

    Of symbols on several exchanges: `lags`, the instants of the prices at which orders are filled,
    and of each decision, microseconds since 1970.
    """

    weights: WideFrame
    opens: WideFrame
    closes: WideFrame
    costs: TradingCosts
    execution: Execution
    traded: WideFrame | None = None
    cash_rates: float | pd.Series[float] = 0.0
    lags: WideFrame | None = None
    instants: WideFrame | None = None
    decided_at: IntVector | None = None

    def simulated(self, *, bar_by_bar: bool = False) -> SimulationResult:
        return simulate_all(
            {"book": self.weights},
            self.opens,
            self.closes,
            costs=self.costs,
            execution=self.execution,
            traded=self.traded,
            cash_rates=self.cash_rates,
            bar_by_bar=bar_by_bar,
            lags=self.lags,
        )["book"]

    def cash_rate(self, row: int) -> float:
        varies = isinstance(self.cash_rates, pd.Series)
        return float(self.cash_rates.iloc[row]) if varies else self.cash_rates

    def closed_at(self, row: int) -> pd.Timestamp | None:
        return None if self.decided_at is None else _instant(self.decided_at[row])

    def bar(self, row: int) -> BarPrices:
        instants = {} if self.instants is None else self.instants.iloc[row].map(_instant).to_dict()
        return BarPrices(
            timestamp=self.weights.index[row],
            open=self.opens.iloc[row].to_dict(),
            close=self.closes.iloc[row].to_dict(),
            traded={} if self.traded is None else self.traded.iloc[row].to_dict(),
            instants=instants,
            closed_at=self.closed_at(row),
        )


def _instant(micro: int) -> pd.Timestamp:
    return pd.Timestamp(micro, unit="us", tz="UTC")


@dataclass(frozen=True)
class FoldedBook:
    """Accounts after each bar, all fills, and the orders of the last close."""

    accounts: list[Account]
    fills: list[Fill]
    orders: tuple[Order, ...]

    @property
    def state(self) -> State:
        return self.accounts[-1], self.orders


NEW = (Account(), ())


def fold(case: Case, rows: range, state: State = NEW) -> FoldedBook:
    """Steps over these rows; at each close the row's weights are decided."""
    account, orders = state
    accounts, fills = [], []
    for row in rows:
        account, filled = step(
            account,
            case.bar(row),
            orders,
            case.costs,
            price=case.execution.price,
            cash_rate=case.cash_rate(row),
            maintenance_margin=case.execution.maintenance_margin,
        )
        orders = place_orders(
            account.targets,
            case.weights.iloc[row].to_dict(),
            decided_on=case.weights.index[row],
            delay=case.execution.delay,
            not_before=case.closed_at(row),
        )
        accounts.append(account)
        fills.extend(filled)
    return FoldedBook(accounts, fills, orders)


def assert_fold_equals_simulation(case: Case) -> None:
    """Returns, held weights, trades, financing and margin calls, bit for bit."""
    expected, folded = case.simulated(), fold(case, range(len(case.weights)))
    accounts = folded.accounts
    np.testing.assert_array_equal([each.bar_return for each in accounts], expected.returns)
    held = pd.DataFrame(
        [account.held_weights for account in accounts], columns=case.weights.columns
    ).fillna(0.0)
    np.testing.assert_array_equal(held, expected.held_weights)
    for name in expected.financing:
        paid = [getattr(account, name) for account in accounts]
        np.testing.assert_array_equal(paid, expected.financing[name])
    called = [account.margin_call for account in accounts]
    assert case.weights.index[called].equals(expected.margin_calls)
    trades = pd.DataFrame(
        [fill.model_dump() for fill in folded.fills], columns=expected.trades.columns
    )
    pd.testing.assert_frame_equal(
        trades, expected.trades, check_exact=True, check_dtype=False, check_index_type=False
    )
