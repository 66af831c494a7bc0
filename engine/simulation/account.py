"""The state of a book between two bars, as a value: cash, holdings, orders that wait."""

from __future__ import annotations

from collections.abc import Mapping
from math import isnan
from typing import Any, Literal

from pydantic import AwareDatetime, Field

from engine.core.persistent_value import PersistentValue
from engine.signals.orders import Order
from engine.simulation.accounting import INITIAL_CASH


class BarPrices(PersistentValue):
    """One bar of all symbols.

    Attributes:
        timestamp: The bar's open.
        open: Open by symbol; positive. A symbol that has no bar is left out, and so is one whose
            source has closes alone.
        close: Close by symbol; positive.
        traded: Whether something traded, by symbol, as `Market.traded` says; a symbol that is left
            out did. Where nothing did, no order is filled; a position is marked at the close.
        settled: Symbols without a bar that are found to be delisted, and what a unit pays.
        symbols: Of the market, in its order, in which amounts are added up; left out, symbols are
            in the order of their first bars.
        instants: Where symbols trade on several exchanges, when the price of the fills is, by
            symbol: an order waits for the first that is not before its decision.
        closed_at: There, when the bar is decided: at the last of its closes.
    """

    timestamp: AwareDatetime
    open: Mapping[str, float]
    close: Mapping[str, float]
    traded: Mapping[str, bool] = {}
    settled: Mapping[str, float] = {}
    symbols: tuple[str, ...] = ()
    instants: Mapping[str, AwareDatetime] = {}
    closed_at: AwareDatetime | None = None

    def with_settlements(self) -> BarPrices:
        """The same, as if the symbols that are paid out had a bar at that price."""
        if not self.settled:
            return self
        prices = {name: {**getattr(self, name), **self.settled} for name in ("open", "close")}
        traded = {**self.traded, **dict.fromkeys(self.settled, True)}
        return self.model_copy(update={**prices, "traded": traded})

    def fills(self, symbol: str) -> bool:
        """Whether an order of the symbol is filled: it has a bar, and something traded at it."""
        return symbol in self.close and self.traded.get(symbol, True)


def known_prices(prices: Mapping[Any, float]) -> dict[str, float]:
    """The prices by symbol that are not NaN, as opens are where the source has closes alone."""
    return {str(symbol): price for symbol, price in prices.items() if not isnan(price)}


class Fill(PersistentValue):
    """A fill, with the columns of `SimulationResult.trades`.

    Money is for an initial equity of 1.

    Attributes:
        timestamp: Bar of the fill.
        symbol: Symbol.
        side: `buy` or `sell`.
        size: Units, positive.
        price: Price with slippage.
        fee: Fee.
        slippage_cost: What the slippage cost.
        equity: Of the book, at the fill's prices, before the bar's first fill.
        margin_call: Whether a margin call placed the order.
    """

    timestamp: AwareDatetime
    symbol: str
    side: Literal["buy", "sell"]
    size: float
    price: float
    fee: float
    slippage_cost: float
    equity: float
    margin_call: bool = False


class Holding(PersistentValue):
    """What an account holds of one symbol, marked at the close of the symbol's last bar.

    Attributes:
        symbol: Symbol.
        target_weight: Of the last order that was filled; 0 before the first, None where that order
            was filled in part.
        decided_weight: The target that the strategy decided last, whether its order was filled or
            a margin call cancelled it.
        units: Sum of the fills, signed, for an initial equity of 1; 0 where a fill leaves less
            than 1e-9 of it, which is the rounding of a closed position.
        available_units: The units that an order counts as held, as vectorbt keeps them, at the
            scale of `INITIAL_CASH`.
        close: Close of the last bar.
        borrow_per_year: Borrow rate at the last bar, a fraction of the short value.
    """

    symbol: str
    target_weight: float | None = 0.0
    decided_weight: float = 0.0
    units: float = 0.0
    available_units: float = 0.0
    close: float
    borrow_per_year: float = 0.0


class Account(PersistentValue):
    """A book between two bars: all that the next bar needs of those before.

    Money and units are for an initial equity of 1. `Account()` is a new account.
    `model_dump_json` and `model_validate_json` keep it bit for bit.

    Attributes:
        timestamp: The last bar; None before the first.
        cash_flow: Sum of the cash flows of all fills, of borrow costs, of funding, of interest
            earned and of interest on borrowed cash.
        available_cash: Cash that a buy can spend, at the scale of `INITIAL_CASH`: as vectorbt
            keeps it, 0 where a fill leaves less than 1e-9 of what was there.
        holdings: A holding for each symbol that has had a bar, in the order of their first bars.
        orders: Orders that are not filled yet, in the order of their decisions.
        equity: At the last close: cash + sum of units x close; 0 when ruined.
        bar_return: Net return of the last bar; 0 before the first bar.
        borrow: Borrow cost that the last bar paid.
        interest: Interest that the last bar earned.
        funding: Funding that the last bar paid; negative where it received some.
        loan_interest: Interest on borrowed cash that the last bar paid.
        loan_per_year: Rate of borrowed cash at the last bar; None where nobody lent.
        cash_rate: Yield on cash at the last bar, a fraction a year.
        margin_call: The last close was below the maintenance margin: the next bar closes all.
        ruined: The equity fell below `RUIN_FLOOR`; nothing is held or traded any more.
    """

    timestamp: AwareDatetime | None = None
    cash_flow: float = 0.0
    available_cash: float = INITIAL_CASH
    holdings: tuple[Holding, ...] = ()
    orders: tuple[Order, ...] = ()
    equity: float = 1.0
    bar_return: float = 0.0
    borrow: float = 0.0
    interest: float = 0.0
    # Left out of what is written where there is none, as in accounts of earlier versions.
    funding: float = Field(default=0.0, exclude_if=lambda paid: paid == 0.0)
    loan_interest: float = Field(default=0.0, exclude_if=lambda paid: paid == 0.0)
    loan_per_year: float | None = Field(default=None, exclude_if=lambda rate: rate is None)
    cash_rate: float = 0.0
    margin_call: bool = False
    ruined: bool = False

    @property
    def cash(self) -> float:
        """Cash; proceeds of short sales are cash."""
        return 1.0 + self.cash_flow

    @property
    def units(self) -> dict[str, float]:
        """Units by symbol, signed; 0 where a position is closed."""
        return {holding.symbol: holding.units for holding in self.holdings}

    @property
    def held_weights(self) -> dict[str, float]:
        """Fraction of the equity held in each symbol at the last close, signed."""
        return {
            holding.symbol: holding.units * holding.close / self.equity
            for holding in self.holdings
        }

    @property
    def targets(self) -> dict[str, float]:
        """The target decided last, by symbol: what `place_orders` compares new ones with."""
        decided = {holding.symbol: holding.decided_weight for holding in self.holdings}
        return decided | {
            order.symbol: order.target_weight for order in self.orders if not order.margin_call
        }
