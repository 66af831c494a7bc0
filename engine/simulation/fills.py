"""Fills of target weights by vectorbt, which only this module imports."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

import numpy as np

from engine.core.lazy_imports import hide_modules
from engine.simulation.accounting import INITIAL_CASH

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import BoolMatrix, BoolVector, IntVector, Matrix, Vector, WideFrame
    from engine.simulation.costs import TradingCosts

_SELL_SIDE = 1


@dataclass(frozen=True)
class Fills:
    """All fills, in the order of execution; money for an initial equity of 1.

    Attributes:
        row: Bar of the fill, shape (m,).
        column: Symbol of the fill, shape (m,).
        size: Units, positive bought, negative sold, shape (m,).
        price: Price with slippage, shape (m,).
        fee: Fee, shape (m,).
        forced: Whether a margin call placed the order, shape (m,).
    """

    row: IntVector
    column: IntVector
    size: Vector
    price: Vector
    fee: Vector
    forced: BoolVector

    @classmethod
    def from_table(cls, table: Matrix) -> Fills:
        """Of a row a fill: row, column, size, price, fee, forced."""
        row, column, size, price, fee, forced = (table[:, number].copy() for number in range(6))
        return cls(
            row.astype(np.int64),
            column.astype(np.int64),
            size,
            price,
            fee,
            forced.astype(np.bool_),
        )

    def up_to(self, rows: int) -> Fills:
        """Those of the first rows."""
        # Fills are in the order of their rows.
        count = int(np.searchsorted(self.row, rows))
        return Fills(**{field.name: getattr(self, field.name)[:count] for field in fields(self)})

    def cash_flow_by_bar(self, bars: int) -> Vector:
        """Change of the cash by the fills of each bar, shape (n,); 0 without a fill."""
        cash = np.zeros(bars)
        np.add.at(cash, self.row, -self.size * self.price - self.fee)
        return cash

    def units_by_bar(self, shape: tuple[int, int]) -> Matrix:
        """Units held after each bar, shape (n, k); exactly 0 where a position is closed."""
        # vectorbt, whose fills these are, has imported Numba.
        from engine.simulation.accounting.compiled import hold_after_fills

        after = hold_after_fills(np.array(self.column), np.array(self.size), shape[1])
        last_fill = np.zeros(shape, dtype=np.int64)
        last_fill[self.row, self.column] = np.arange(1, len(self.row) + 1)
        held: Matrix = after[np.maximum.accumulate(last_fill, axis=0)]
        return held


def fill_targets(targets: WideFrame, prices: WideFrame, costs: TradingCosts) -> Fills:
    """Fills each target at its row's price, cash shared over the symbols.

    A target w orders w x equity / price - position units, the equity taken at the row's prices of
    all symbols before the row's first fill. The price paid is price x (1 ± slippage) and the fee
    is a share of size x price paid. Buyers cannot borrow: a buy that costs more than the cash, as
    every target of 100 % does with costs, is reduced to the cash. Sells come before buys, small
    buys before large ones, equal ones in the order of the columns; of targets that add up to more
    than the equity, the last are reduced. Proceeds of a short sale are cash. A book without equity
    fills nothing.

    Args:
        targets: Target weights on the row of their fill; NaN where no order is due.
        prices: Prices of the fills before slippage; positive, without NaN, because vectorbt drops
            orders at a NaN price silently.
        costs: Costs, of which fee and slippage are used.

    Returns:
        Shapes (m,), m fills.
    """
    return fill_books([targets], prices, [costs])[0]


def fill_books(
    targets: Sequence[WideFrame],
    prices: WideFrame,
    costs: Sequence[TradingCosts],
    settled: BoolMatrix | None = None,
) -> list[Fills]:
    """Fills several books at the same prices, each separately as by `fill_targets`.

    All books take one call of vectorbt, which up to a hundred books takes as long as one.

    Args:
        targets: Targets of each book, as in `fill_targets`; all of one shape.
        prices: Prices, the same for every book.
        costs: Costs of each book.
        settled: (n, k) where a fill costs nothing, because a delisted symbol is paid out.

    Returns:
        Fills of each book, in their order.
    """
    # Imported here because it is slow. Half of the time is optional imports: ccxt for a type
    # name, and quantstats to see whether it is installed.
    with hide_modules("ccxt", "quantstats"):
        import vectorbt  # noqa: F401 - its own imports, while those are hidden
        from vectorbt.portfolio.dispatch import simulate_from_orders
        from vectorbt.portfolio.enums import Direction, SizeType

    symbols, books = prices.shape[1], len(targets)
    repeated = np.tile(prices.to_numpy(dtype=np.float64), books)
    lengths = np.full(books, symbols, dtype=np.int64)
    sequence = np.tile(np.arange(symbols), (len(prices), books))
    # What `Portfolio.from_orders` does, without the frames and settings that it copies, which take
    # four times as long as the fills.
    records, _ = simulate_from_orders(
        repeated.shape,
        lengths,
        np.full(books, INITIAL_CASH),
        np.require(sequence, dtype=np.int64, requirements=["F", "W", "O"]),
        size=np.hstack([target.to_numpy(dtype=np.float64) for target in targets]),
        price=repeated,
        size_type=np.asarray(SizeType.TargetPercent),
        direction=np.asarray(Direction.Both),
        fees=_rates_of_books("fee", costs, prices, settled),
        slippage=_rates_of_books("slippage", costs, prices, settled),
        val_price=repeated,
        close=repeated,
        auto_call_seq=True,
        max_orders=repeated.size,
        max_logs=1,
        # "auto" falls back to Numba silently, which compiles for half a minute.
        engine="rust",
    )
    book = records["col"] // symbols
    return [_fills_from_records(records[book == number], symbols) for number in range(books)]


def _rates_of_books(
    name: str, costs: Sequence[TradingCosts], prices: WideFrame, settled: BoolMatrix | None
) -> Matrix:
    """A rate of every book, a column a symbol: one row, or a row a bar where one varies."""
    parts = [each.rates.aligned(name, prices, settled=settled) for each in costs]
    rows = max(len(part) for part in parts)
    return np.hstack([np.broadcast_to(part, (rows, part.shape[1])) for part in parts])


def _fills_from_records(records: npt.NDArray[np.void], symbols: int) -> Fills:
    return Fills(
        row=records["idx"].astype(np.int64),
        column=(records["col"] % symbols).astype(np.int64),
        size=np.where(records["side"] == _SELL_SIDE, -1.0, 1.0) * records["size"] / INITIAL_CASH,
        price=records["price"].astype(np.float64),
        fee=records["fees"] / INITIAL_CASH,
        forced=np.zeros(len(records), dtype=np.bool_),
    )
