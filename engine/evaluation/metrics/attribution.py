"""Return attribution: log return of each bar by side, symbol and cost, summing to the total."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector, WideFrame

_FLAT_POSITION_TOLERANCE = 1e-9
"""A position below this fraction of the largest one is a rounding error and counts as closed."""


@dataclass(frozen=True)
class ReturnContributions:
    """Contributions to a book's log return; in every frame a row a bar, a column a symbol.

    The sum over contributions and symbols, plus `interest` and `residual`, is log(1 + r_t) at
    every bar. The sum over all bars is therefore the log of the book's growth.

    Attributes:
        long: Of long positions, before costs.
        short: Of short positions, before costs.
        fee: Fees, at or below 0.
        slippage: Slippage, at or below 0.
        borrow: Borrow cost, at or below 0.
        interest: What cash earned at each bar, less `funding` and `loan_interest`.
        funding: No contribution of its own: of `interest`, what perpetuals paid.
        loan_interest: No contribution of its own: of `interest`, what borrowed cash cost.
        residual: Part of each bar's return that the fills do not explain; rounding error only,
            where the fills and the returns agree.
        held_weights: No contribution: fraction of the equity held at the close, signed.
    """

    long: WideFrame
    short: WideFrame
    fee: WideFrame
    slippage: WideFrame
    borrow: WideFrame
    interest: pd.Series[float]
    funding: pd.Series[float]
    loan_interest: pd.Series[float]
    residual: pd.Series[float]
    held_weights: WideFrame

    @property
    def gross(self) -> WideFrame:
        """Contribution before costs."""
        return self.long + self.short

    @property
    def cost_items(self) -> dict[str, WideFrame]:
        """Kind of cost -> its contributions, at or below 0."""
        return {"fee": self.fee, "slippage": self.slippage, "borrow": self.borrow}

    @property
    def cost(self) -> WideFrame:
        """Fees, slippage and borrow cost, at or below 0."""
        return self.fee + self.slippage + self.borrow


def attribute_returns(
    returns: pd.Series[float],
    trades: pd.DataFrame,
    close: WideFrame,
    *,
    borrow_charged: bool,
    cash_per_bar: pd.Series[float] | None = None,
    financing: pd.DataFrame | None = None,
) -> ReturnContributions | None:
    """Splits the log return of every bar into the contributions of positions, costs and cash.

    With units u, closes C and the price P of a bar's fills before slippage, symbol i earns

        u_{t-1} (P_t - C_{t-1}) + u_t (C_t - P_t)

    in money: the first term belongs to the side held before the fill, the second to the side held
    after it. Divided by the equity e_{t-1} before the bar it is a contribution to the simple
    return r_t, and so are fees and slippage. What was not invested long at the last close earns
    the yield on cash. The rest of r_t is borrow cost, split over the short positions by their
    value. Simple contributions do not add up over time. Multiplied by Carino's linking coefficient
    log(1 + r_t) / r_t (1 at r = 0) they add up to the log of the growth.

    Args:
        returns: Net returns of one book, index timestamp; no NaN.
        trades: Its fills, as `simulation.SimulationResult` describes them.
        close: Wide, the rows of `returns`, at least a column for each symbol traded; no NaN.
        borrow_charged: Whether short positions pay a borrow cost; if not, the rest of each bar's
            return is `residual`.
        cash_per_bar: What cash earns over each bar, as `RatesByBar.cash_per_bar`; None for 0.
        financing: As `Run.financing`; None where neither funding nor loans are charged.

    Returns:
        None for a book that lost all its equity: its growth has no log. Also for fills that lose
        all equity where the returns do not.

    Source: Carino (1999), Combining Attribution Effects Over Time, J. of Performance Measurement
    3(4).
    """
    net = returns.to_numpy(dtype=np.float64)
    if (net <= -1.0).any():
        return None
    book = _RebuiltAccount.from_trades(trades, close)
    # Fills of earlier versions, which had no margin calls, are in money before borrow cost.
    equity = np.cumprod(1.0 + net) if "margin_call" in trades else book.equity
    before = np.concatenate([[1.0], equity[:-1]])[:, None]
    simple = {
        "long": book.earned_by_side(1.0) / before,
        "short": book.earned_by_side(-1.0) / before,
        "fee": -book.fee / before,
        "slippage": -book.slippage / before,
    }
    held = book.units * book.close / equity[:, None]
    interest = np.zeros_like(net)
    if cash_per_bar is not None:
        uninvested = 1.0 - np.maximum(held, 0.0).sum(axis=1)
        interest[1:] = cash_per_bar.to_numpy()[1:] * np.maximum(uninvested[:-1], 0.0)
    carry = {
        name: np.zeros_like(net)
        if financing is None
        else -financing[name].to_numpy(dtype=np.float64) / before[:, 0]
        for name in ("funding", "loan_interest")
    }
    interest = interest + carry["funding"] + carry["loan_interest"]
    if not (book.equity + np.cumsum(interest * before[:, 0]) > 0)[:-1].all():
        return None
    missing = net - interest - sum(part.sum(axis=1) for part in simple.values())
    simple["borrow"], rest = _allocate_borrow_cost(
        missing, book, close.shape, borrow_charged=borrow_charged
    )
    link = np.ones_like(net)
    np.divide(np.log1p(net), net, out=link, where=np.abs(net) > 1e-12)

    def wide(values: Matrix) -> WideFrame:
        return pd.DataFrame(values, index=close.index, columns=close.columns)

    return ReturnContributions(
        **{name: wide(link[:, None] * part) for name, part in simple.items()},
        interest=pd.Series(link * interest, index=close.index),
        funding=pd.Series(link * carry["funding"], index=close.index),
        loan_interest=pd.Series(link * carry["loan_interest"], index=close.index),
        residual=pd.Series(link * rest, index=close.index),
        held_weights=wide(held),
    )


@dataclass(frozen=True)
class _RebuiltAccount:
    """The account of a book, rebuilt from its fills; shapes (n, k), equity (n,).

    The equity is that without borrow cost and interest.
    """

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
        cells = (rows, columns)
        sign = np.where(trades["side"] == "buy", 1.0, -1.0)
        size, paid = trades["size"].to_numpy(), trades["price"].to_numpy()
        slipped = trades["slippage_cost"].to_numpy()
        bought, fee, slippage, cash = (np.zeros(closes.shape) for _ in range(4))
        np.add.at(bought, cells, sign * size)
        np.add.at(fee, cells, trades["fee"].to_numpy())
        np.add.at(slippage, cells, slipped)
        np.add.at(cash, cells, -sign * size * paid - trades["fee"].to_numpy())
        price = closes.copy()
        price[cells] = paid - sign * slipped / size
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
        """Profit in money of long (1) or short (-1) positions, before costs."""
        earlier = np.vstack([self.close[:1], self.close[:-1]])
        held, after = self.units_before, self.units
        return np.where(np.sign(held) == side, held, 0.0) * (self.price - earlier) + np.where(
            np.sign(after) == side, after, 0.0
        ) * (self.close - self.price)


def _allocate_borrow_cost(
    missing: Vector, account: _RebuiltAccount, shape: tuple[int, int], *, borrow_charged: bool
) -> tuple[Matrix, Vector]:
    """The unexplained return by short position held before each bar, and what remains of it."""
    earlier = np.vstack([account.close[:1], account.close[:-1]])
    short = -np.minimum(account.units_before, 0.0) * earlier
    whole = short.sum(axis=1)
    paying = (whole > 0) & borrow_charged
    share = np.zeros(shape)
    np.divide(short, whole[:, None], out=share, where=paying[:, None])
    return share * missing[:, None], np.where(paying, 0.0, missing)


@dataclass(frozen=True)
class GroupContribution:
    """Contribution of one group of bars and symbols to a book's growth, in log returns.

    Attributes:
        name: Label of the group.
        bar_share: Its share of all bars and symbols, from 0 to 1.
        gross: Before costs.
        cost: Fees, slippage and borrow cost, at or below 0.
        interest: What cash earned, less funding and what borrowed cash cost; of several symbols
            each has an equal share of it.
    """

    name: str
    bar_share: float
    gross: float
    cost: float
    interest: float = 0.0

    @property
    def net(self) -> float:
        """After costs, with interest."""
        return self.gross + self.cost + self.interest


def sum_by_group(
    return_contributions: ReturnContributions, labels: WideFrame
) -> tuple[GroupContribution, ...]:
    """Sums the contributions of each label.

    Args:
        return_contributions: Contributions of a book.
        labels: Label of each bar and symbol, same shape as the contributions; missing where there
            is none.

    Returns:
        A group a label, in order of first appearance; bars without a label come last, with an
        empty name. Together the groups hold all of gross, cost and
        interest.
    """
    cells = labels.to_numpy(dtype=object).ravel()
    symbols = labels.shape[1]
    gross, cost, interest = (
        return_contributions.gross.to_numpy().ravel(),
        return_contributions.cost.to_numpy().ravel(),
        np.repeat(return_contributions.interest.to_numpy() / symbols, symbols),
    )
    codes, found = pd.factorize(cells)
    names = [*found, ""]
    codes = np.where(codes < 0, len(found), codes)  # without a label
    # Sorted once: a comparison of every cell with each of 500 names takes minutes.
    order = np.argsort(codes, kind="stable")
    edges = np.searchsorted(codes[order], np.arange(len(names) + 1))
    members = {
        str(name): order[start:stop]
        for name, start, stop in zip(names, edges[:-1], edges[1:], strict=True)
        if stop > start
    }
    return tuple(
        GroupContribution(
            name,
            len(members[name]) / len(cells),
            float(gross[members[name]].sum()),
            float(cost[members[name]].sum()),
            float(interest[members[name]].sum()),
        )
        for name in sorted(members, key=lambda name: name == "")
    )
