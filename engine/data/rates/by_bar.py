"""Annual rates of each bar, and returns above the risk-free rate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.calendar_time import year_fractions

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector

_ROUNDING = 1e-12
"""A difference of two returns below this is the rounding of 1 + r, and 0: a book that earns the
risk-free rate has no excess return, and the ratio of its rounding errors would be noise."""


@dataclass(frozen=True, eq=False)
class RatesByBar:
    """The rates of a run as they are known at the open of each of its bars; no NaN.

    Attributes:
        risk_free: Annual risk-free rate as a fraction, index timestamp.
        cash: Annual yield on cash, likewise.
        risk_free_per_bar: What the risk-free rate earns over each bar, see `rate_per_bar`.
        cash_per_bar: What cash earns over each bar, likewise.
    """

    risk_free: pd.Series[float]
    cash: pd.Series[float]
    risk_free_per_bar: pd.Series[float]
    cash_per_bar: pd.Series[float]

    @classmethod
    def of_table(cls, table: pd.DataFrame) -> RatesByBar:
        """The rates of successive bars.

        Args:
            table: Index timestamp, columns `risk_free` and `cash`, as `to_frame` makes it.
        """
        risk_free, cash = table["risk_free"], table["cash"]
        return cls(risk_free, cash, rate_per_bar(risk_free), rate_per_bar(cash))

    @classmethod
    def constant(cls, bars: pd.Index, *, risk_free: float = 0.0, cash: float = 0.0) -> RatesByBar:
        """The same annual rates at each of successive bars."""
        return cls.of_table(pd.DataFrame({"risk_free": risk_free, "cash": cash}, index=bars))

    def to_frame(self) -> pd.DataFrame:
        """Index timestamp, columns `risk_free` and `cash`."""
        return pd.DataFrame({"risk_free": self.risk_free, "cash": self.cash})

    def rows(self, chosen: npt.NDArray[np.bool_] | slice) -> RatesByBar:
        """Some of the bars, each with what it earns in the sequence of all."""
        return RatesByBar(
            self.risk_free.iloc[chosen],
            self.cash.iloc[chosen],
            self.risk_free_per_bar.iloc[chosen],
            self.cash_per_bar.iloc[chosen],
        )

    @property
    def is_zero(self) -> bool:
        """Whether both rates are 0 at every bar."""
        return not (self.risk_free.any() or self.cash.any())

    def excess(self, returns: pd.DataFrame) -> pd.DataFrame:
        """`excess_values` of a table of net returns, a column a book; the same table for 0."""
        if self.is_zero:
            return returns
        values = self.excess_values(returns.to_numpy(dtype=np.float64))
        return pd.DataFrame(values, index=returns.index, columns=returns.columns)

    def excess_values(self, returns: Vector) -> Vector:
        """Excess returns of books, r_t - f_t; a difference below 1e-12 is rounding, and 0.

        A book that earns what cash earns at every bar holds nothing. It takes no risk, so that it
        has no Sharpe ratio, though what it earns over a weekend differs from what it earns over a
        night: at each bar it has the mean of its excess returns. A return of -1 stays -1: it is
        the end of a ruined book, which has no Sharpe ratio either.

        Args:
            returns: Net returns of one book, shape (n,), or of several, shape (n, k), on the n
                bars of these rates.

        Returns:
            The shape of `returns`, and equal to it where both rates are 0; NaN where it is NaN.

        Source: Sharpe (1994), The Sharpe Ratio, J. of Portfolio Management 21(1): the differential
        return.
        """
        if self.is_zero:
            return returns
        earned = self.risk_free_per_bar.to_numpy(dtype=np.float64)
        excess: Vector = (returns.T - earned).T
        excess[np.abs(excess) < _ROUNDING] = 0.0
        excess[returns == -1.0] = -1.0
        without_risk = self.idle(returns).all(axis=0)
        return np.where(without_risk, excess.mean(axis=0), excess)

    def idle(self, returns: Vector) -> npt.NDArray[np.bool_]:
        """Whether a book earned at each bar what cash earns, within rounding; as `returns`."""
        earned = self.cash_per_bar.to_numpy(dtype=np.float64)
        return np.asarray(np.abs((returns.T - earned).T) < _ROUNDING)


def rate_per_bar(
    annual: pd.Series[float], bars: pd.DatetimeIndex | None = None
) -> pd.Series[float]:
    """What an annual rate earns over each of successive bars: rate_{t-1} x years_t.

    The return of a bar is earned from the close before it on, at the rate that was known then. The
    years are the calendar time since the bar before, over 365.25 days, as borrow cost is charged:
    a daily bar after a weekend has three days. The first bar has 0.

    Args:
        annual: Annual rate as a fraction known at each bar, index timestamp ascending; no NaN.
        bars: Other bars, such as those of another trial: the rate of the last bar of `annual`
            before or at each of them, and for those before its first bar the first rate. None for
            the bars of `annual`.

    Returns:
        Simple returns, a row a bar; no NaN.
    """
    if bars is not None:
        annual = annual.reindex(bars, method="ffill").fillna(float(annual.iloc[0]))
    return annual.shift(fill_value=0.0) * year_fractions(annual.index)
