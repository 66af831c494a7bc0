"""The state of a book between two bars, as a value: cash, holdings, orders that wait."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from pydantic import AwareDatetime

from engine.core.persistent_value import PersistentValue
from engine.signals.orders import Order
from engine.simulation.fills import INITIAL_CASH


class BarPrices(PersistentValue):
    """One bar of all symbols.

    Attributes:
        timestamp: The bar's open.
        open: Open by symbol; positive. A symbol that has no bar is left out.
        close: Close by symbol; positive, the same symbols.
    """

    timestamp: AwareDatetime
    open: Mapping[str, float]
    close: Mapping[str, float]


class Fill(PersistentValue):
    """A fill, with the columns of `SimulationResult.trades`.

    Money is for an initial equity of 1, before borrow cost.

    Attributes:
        timestamp: Bar of the fill.
        symbol: Symbol.
        side: `buy` or `sell`.
        size: Units, positive.
        price: Price with slippage.
        fee: Fee.
        slippage_cost: What the slippage cost.
        equity: Of the book, at the fill's prices, before the bar's first fill.
    """

    timestamp: AwareDatetime
    symbol: str
    side: Literal["buy", "sell"]
    size: float
    price: float
    fee: float
    slippage_cost: float
    equity: float


class Holding(PersistentValue):
    """What an account holds of one symbol, marked at the close of the symbol's last bar.

    Attributes:
        symbol: Symbol.
        target_weight: Of the last order that came due; 0 before the first.
        units: Sum of the fills, signed, for an initial equity of 1; 0 where a fill leaves less
            than 1e-9 of it, which is the rounding of a closed position.
        available_units: The units that an order counts as held, as vectorbt keeps them, at the
            scale of `INITIAL_CASH`.
        close: Close of the last bar.
        borrow_per_year: Borrow rate at the last bar, a fraction of the short value.
    """

    symbol: str
    target_weight: float = 0.0
    units: float = 0.0
    available_units: float = 0.0
    close: float
    borrow_per_year: float = 0.0


class Account(PersistentValue):
    """A book between two bars: all that the next bar needs of those before.

    Money and units are for an initial equity of 1, and before borrow cost unless said otherwise;
    the borrow cost shrinks every holding by the same factor, `borrow_factor`. `Account()` is a new
    account. `model_dump_json` and `model_validate_json` keep it bit for bit.

    Attributes:
        timestamp: The last bar; None before the first.
        cash_flow: Sum of the cash flows of all fills.
        available_cash: Cash that a buy can spend, at the scale of `INITIAL_CASH`: as vectorbt
            keeps it, 0 where a fill leaves less than 1e-9 of what was there.
        holdings: A holding for each symbol that has had a bar, in the order of their first bars.
        orders: Orders that are not filled yet, in the order of their decisions.
        marked_equity: Equity at the last close: cash + sum of units x close; 0 when ruined.
        borrow_factor: Share of the equity that all borrow costs have left.
        bar_return: Net return of the last bar, after borrow cost; 0 before the first bar.
        ruined: The equity was at or below 0 at a close; nothing is held or traded any more.
    """

    timestamp: AwareDatetime | None = None
    cash_flow: float = 0.0
    available_cash: float = INITIAL_CASH
    holdings: tuple[Holding, ...] = ()
    orders: tuple[Order, ...] = ()
    marked_equity: float = 1.0
    borrow_factor: float = 1.0
    bar_return: float = 0.0
    ruined: bool = False

    @property
    def cash(self) -> float:
        """Cash, before borrow cost; proceeds of short sales are cash."""
        return 1.0 + self.cash_flow

    @property
    def equity(self) -> float:
        """Net equity at the last close, after borrow cost."""
        return self.marked_equity * self.borrow_factor

    @property
    def units(self) -> dict[str, float]:
        """Units by symbol, signed; 0 where a position is closed."""
        return {holding.symbol: holding.units for holding in self.holdings}

    @property
    def held_weights(self) -> dict[str, float]:
        """Fraction of the equity held in each symbol at the last close, signed."""
        return {
            holding.symbol: holding.units * holding.close / self.marked_equity
            for holding in self.holdings
        }

    @property
    def targets(self) -> dict[str, float]:
        """The target decided last, by symbol: what `place_orders` compares new ones with."""
        due = {holding.symbol: holding.target_weight for holding in self.holdings}
        return due | {order.symbol: order.target_weight for order in self.orders}
