"""Target weights to fills, by vectorbt; the engine's only import of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.lazy_imports import hide_modules

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector, WideFrame
    from engine.simulation.costs import TradingCosts

INITIAL_CASH = 1e9
"""vectorbt ignores orders below 1e-12 units; at this scale they are below 1e-16 of the equity even
at a price of 100,000. Sizes and fees are divided by it again, so that the equity starts at 1."""

_SELL_SIDE = 1


@dataclass(frozen=True)
class Fills:
    """Every fill, in the order of filling; money for an initial equity of 1.

    Attributes:
        row: Bar of the fill, shape (m,).
        column: Symbol of the fill, shape (m,).
        size: Units, signed: bought above 0, sold below, shape (m,).
        price: Paid, slippage included, shape (m,).
        fee: Shape (m,).
    """

    row: IntVector
    column: IntVector
    size: Vector
    price: Vector
    fee: Vector

    def sum_by_bar(self, shape: tuple[int, int]) -> tuple[Matrix, Vector]:
        """Units and cash that each bar's fills moved.

        Returns:
            Units by bar and symbol, shape (n, k), and cash by bar, shape (n,); 0 without a fill.
        """
        units = np.zeros(shape)
        cash = np.zeros(shape[0])
        np.add.at(units, (self.row, self.column), self.size)
        np.add.at(cash, self.row, -self.size * self.price - self.fee)
        return units, cash


def fill_targets(targets: WideFrame, prices: WideFrame, costs: TradingCosts) -> Fills:
    """Fills each target at its row's price, cash shared over the symbols.

    A target w orders w x equity / price - position units, the equity taken at the row's prices of
    all symbols before the row's first fill. The price paid is price x (1 ± slippage) and the fee
    is taken of size x price paid. Nothing is lent to a buyer: a buy that costs more than the cash,
    as every target of 100 % does once there are costs, is cut to the cash. Sells come before buys,
    small buys before large ones, equal ones in the order of the columns; so of targets that add up
    to more than there is, the last are cut. Proceeds of a short sale are cash. A book without
    equity fills nothing.

    Args:
        targets: Target weights on the row of their fill; NaN where no order is due.
        prices: Of the fills, before slippage; positive, no NaN: vectorbt would drop an order at a
            NaN price without a word.
        costs: Fee and slippage are used.

    Returns:
        Shapes (m,), m fills.
    """
    return fill_books([targets], prices, [costs])[0]


def fill_books(
    targets: Sequence[WideFrame], prices: WideFrame, costs: Sequence[TradingCosts]
) -> list[Fills]:
    """Fills several books at the same prices, each on its own as `fill_targets` would.

    One call of vectorbt for all of them: it takes as long as one book alone until there are a
    hundred.

    Args:
        targets: Of each book, as of `fill_targets`; all of one shape.
        prices: The same for every book.
        costs: Of each book.

    Returns:
        A book each, in their order.
    """
    # Slow to import; whatever only reads a strategy must not wait for it. Half of that is extras
    # of its own: it asks for ccxt to name a type, and for quantstats to see whether it is there.
    with hide_modules("ccxt", "quantstats"):
        import vectorbt

    symbols, books = prices.shape[1], len(targets)
    # Without timestamps: vectorbt would make an object of each, which takes longer than to fill.
    repeated = pd.DataFrame(np.tile(prices.to_numpy(), books))
    portfolio = vectorbt.Portfolio.from_orders(
        repeated,
        size=np.hstack([target.to_numpy() for target in targets]),
        size_type="targetpercent",
        direction="both",
        price=repeated,
        val_price=repeated,
        fees=_rates_of_books("fee", costs, prices),
        slippage=_rates_of_books("slippage", costs, prices),
        min_size=0.0,
        init_cash=INITIAL_CASH,
        cash_sharing=True,
        group_by=np.repeat(np.arange(books), symbols),
        call_seq="auto",
        # "auto" would fall back to Numba without a word, and compile for half a minute.
        engine="rust",
    )
    records = portfolio.order_records
    book = records["col"] // symbols
    return [_fills_from_records(records[book == number], symbols) for number in range(books)]


def _rates_of_books(name: str, costs: Sequence[TradingCosts], prices: WideFrame) -> Matrix:
    """A rate of every book, a column a symbol: one row, or a row a bar where one varies."""
    parts = [each.rates.aligned(name, prices) for each in costs]
    rows = max(len(part) for part in parts)
    return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])


def _fills_from_records(records: npt.NDArray[np.void], symbols: int) -> Fills:
    return Fills(
        row=records["idx"].astype(np.int64),
        column=(records["col"] % symbols).astype(np.int64),
        size=np.where(records["side"] == _SELL_SIDE, -1.0, 1.0) * records["size"] / INITIAL_CASH,
        price=records["price"].astype(np.float64),
        fee=records["fees"] / INITIAL_CASH,
    )
