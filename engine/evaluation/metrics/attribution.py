"""Where a book's growth came from: sides, symbols, costs, bar by bar, adding up to the whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector, WideFrame

_FLAT_POSITION_TOLERANCE = 1e-9
"""A position below this part of the largest is rounding: it is closed."""


@dataclass(frozen=True)
class ReturnContributions:
    """Parts of a book's log return; every frame a row a bar, a column a symbol.

    Their sum over parts and symbols, with `residual`, is log(1 + r_t) at every bar, so that all
    of it is the log of the book's growth.

    Attributes:
        long: What long positions earned before costs.
        short: What short positions earned before costs.
        fee: Fees, at or below 0.
        slippage: Slippage, at or below 0.
        borrow: What borrowing cost, at or below 0.
        residual: What the fills do not account for, by bar; rounding dust in a sound run.
        held_weights: Not a part: fraction of the equity held at the close, signed.
    """

    long: WideFrame
    short: WideFrame
    fee: WideFrame
    slippage: WideFrame
    borrow: WideFrame
    residual: pd.Series[float]
    held_weights: WideFrame

    @property
    def gross(self) -> WideFrame:
        """Earned before costs."""
        return self.long + self.short

    @property
    def cost(self) -> WideFrame:
        """Fees, slippage and borrowing, at or below 0."""
        return self.fee + self.slippage + self.borrow


def attribute_returns(
    returns: pd.Series[float], trades: pd.DataFrame, close: WideFrame, *, borrow_charged: bool
) -> ReturnContributions | None:
    """Splits every bar's log return into what each position earned and each cost took.

    With units u, closes C and the price P of a bar's fills before slippage, symbol i earns

        u_{t-1} (P_t - C_{t-1}) + u_t (C_t - P_t)

    money: the first term for the side held before the fill, the second for the side held after
    it. Money over the equity e_{t-1} before the bar is a part of the simple return r_t; fees and
    slippage likewise, and what is then missing to r_t is borrow cost, split over the shorts by
    their value. Simple parts do not add up over time; times log(1 + r_t) / r_t they do (Carino's
    linking coefficient, 1 at r = 0), to the log of the book's growth.

    Args:
        returns: Of one book, index timestamp, net, no NaN.
        trades: Its fills, as `simulation.Result` describes them.
        close: Wide, the rows of `returns`, a column at least for each symbol traded; no NaN.
        borrow_charged: Whether borrowing costs anything: else nothing missing is put down to it.

    Returns:
        None for a ruined book, whose growth has no log.

    Source: Carino (1999), Combining Attribution Effects Over Time, J. of Performance Measurement
    3(4).
    """
    net = returns.to_numpy(dtype=np.float64)
    if (net <= -1.0).any():
        return None
    book = _RebuiltAccount.from_trades(trades, close)
    shape = close.shape
    if not (book.equity[:-1] > 0).all():
        return None
    before = np.concatenate([[1.0], book.equity[:-1]])[:, None]
    simple = {
        "long": book.earned_by_side(1.0) / before,
        "short": book.earned_by_side(-1.0) / before,
        "fee": -book.fee / before,
        "slippage": -book.slippage / before,
    }
    missing = net - sum(part.sum(axis=1) for part in simple.values())
    simple["borrow"], rest = _allocate_borrow_cost(
        missing, book, shape, borrow_charged=borrow_charged
    )
    link = np.ones_like(net)
    np.divide(np.log1p(net), net, out=link, where=np.abs(net) > 1e-12)

    def wide(values: Matrix) -> WideFrame:
        return pd.DataFrame(values, index=close.index, columns=close.columns)

    return ReturnContributions(
        **{name: wide(link[:, None] * part) for name, part in simple.items()},
        residual=pd.Series(link * rest, index=close.index),
        held_weights=wide(book.units * book.close / book.equity[:, None]),
    )


@dataclass(frozen=True)
class _RebuiltAccount:
    """A book rebuilt from its fills; shapes (n, k), equity (n,)."""

    close: Matrix
    units: Matrix
    price: Matrix
    fee: Matrix
    slippage: Matrix
    equity: Vector

    @classmethod
    def from_trades(cls, trades: pd.DataFrame, close: WideFrame) -> _RebuiltAccount:
        closes = close.to_numpy(dtype=np.float64)
        rows = close.index.get_indexer(pd.DatetimeIndex(trades["timestamp"]))
        columns = close.columns.get_indexer(pd.Index(trades["symbol"]))
        place = (rows, columns)
        sign = np.where(trades["side"] == "buy", 1.0, -1.0)
        size, paid = trades["size"].to_numpy(), trades["price"].to_numpy()
        slipped = trades["slippage_cost"].to_numpy()
        bought, fee, slippage, cash = (np.zeros(closes.shape) for _ in range(4))
        np.add.at(bought, place, sign * size)
        np.add.at(fee, place, trades["fee"].to_numpy())
        np.add.at(slippage, place, slipped)
        np.add.at(cash, place, -sign * size * paid - trades["fee"].to_numpy())
        price = closes.copy()
        price[place] = paid - sign * slipped / size
        units = np.cumsum(bought, axis=0)
        units[
            np.abs(units)
            <= _FLAT_POSITION_TOLERANCE * np.maximum.accumulate(np.abs(units), axis=0)
        ] = 0.0
        equity = 1.0 + np.cumsum(cash.sum(axis=1)) + (units * closes).sum(axis=1)
        return cls(closes, units, price, fee, slippage, equity)

    @property
    def units_before(self) -> Matrix:
        """Units held before each bar's fills."""
        return np.vstack([np.zeros((1, self.units.shape[1])), self.units[:-1]])

    def earned_by_side(self, side: float) -> Matrix:
        """Money made by long (1) or short (-1) positions, before costs."""
        earlier = np.vstack([self.close[:1], self.close[:-1]])
        held, after = self.units_before, self.units
        return np.where(np.sign(held) == side, held, 0.0) * (self.price - earlier) + np.where(
            np.sign(after) == side, after, 0.0
        ) * (self.close - self.price)


def _allocate_borrow_cost(
    missing: Vector, account: _RebuiltAccount, shape: tuple[int, int], *, borrow_charged: bool
) -> tuple[Matrix, Vector]:
    """What is missing, put down to the shorts held before each bar; and what is left of it."""
    earlier = np.vstack([account.close[:1], account.close[:-1]])
    short = -np.minimum(account.units_before, 0.0) * earlier
    whole = short.sum(axis=1)
    paying = (whole > 0) & borrow_charged
    share = np.zeros(shape)
    np.divide(short, whole[:, None], out=share, where=paying[:, None])
    return share * missing[:, None], np.where(paying, 0.0, missing)


@dataclass(frozen=True)
class GroupContribution:
    """Bars of one kind, as far as a book's growth goes; log returns.

    Attributes:
        name: Of the kind.
        bar_share: Of all bars (and symbols), from 0 to 1.
        gross: Before costs.
        cost: Fees, slippage and borrowing, at or below 0.
    """

    name: str
    bar_share: float
    gross: float
    cost: float

    @property
    def net(self) -> float:
        """After costs."""
        return self.gross + self.cost


def sum_by_group(
    return_contributions: ReturnContributions, labels: WideFrame
) -> tuple[GroupContribution, ...]:
    """Sums the contributions of each label.

    Args:
        return_contributions: Of a book.
        labels: The label of each bar and symbol, shape of its frames; missing where it has none.

    Returns:
        In the order in which labels come first, the unlabelled last as an empty name; together
        all of gross and cost.
    """
    cells = pd.Series(labels.to_numpy(dtype=object).ravel()).fillna("").to_numpy()
    gross, cost = (
        return_contributions.gross.to_numpy().ravel(),
        return_contributions.cost.to_numpy().ravel(),
    )
    names = sorted(dict.fromkeys(cells), key=lambda name: name == "")
    return tuple(
        GroupContribution(
            str(name),
            float(np.mean(cells == name)),
            float(gross[cells == name].sum()),
            float(cost[cells == name].sum()),
        )
        for name in names
    )
