"""An annual rate over the bars of a run, as documents hold it and pages state it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np

from engine.core.calendar_time import year_fractions
from engine.runs.documents.base import DocumentPart

if TYPE_CHECKING:
    import pandas as pd

_DIGITS = 10
"""Decimals of a rate in per cent: 0.07 a year is 7 %, not 7.000000000000001."""


class AnnualRate(DocumentPart):
    """An annual rate over the out-of-sample bars; the three figures of a constant are equal.

    Attributes:
        mean_pct: Mean over calendar time, each from its bar to the next.
        lowest_pct: Lowest at any bar.
        highest_pct: Highest at any bar.
    """

    mean_pct: float = 0.0
    lowest_pct: float = 0.0
    highest_pct: float = 0.0

    @classmethod
    def summarise(cls, annual: pd.Series[float]) -> Self:
        """The figures of a rate by bar.

        Args:
            annual: Annual rate as a fraction, index timestamp; at least one bar, no NaN.
        """
        values, years = annual.to_numpy(dtype=np.float64), year_fractions(annual.index)
        lowest, highest = float(values.min()), float(values.max())
        mean = lowest
        if lowest != highest and years.sum() > 0:
            mean = float(np.average(values[:-1], weights=years[1:]))
        return cls(
            mean_pct=round(100 * mean, _DIGITS),
            lowest_pct=round(100 * lowest, _DIGITS),
            highest_pct=round(100 * highest, _DIGITS),
        )

    @property
    def is_zero(self) -> bool:
        """Whether it is 0 at every bar."""
        return self.lowest_pct == self.highest_pct == 0.0

    @property
    def as_risk_free(self) -> str:
        """What stands beside a Sharpe ratio: `risk-free rate 0`, `risk-free 3 % a year`."""
        return f"risk-free {'rate ' if self.is_zero else ''}{self.amount}"

    @property
    def amount(self) -> str:
        """The rate in words: `0`, `3 % a year`, `1.84 % a year on average`."""
        if self.is_zero:
            return "0"
        constant = self.lowest_pct == self.highest_pct
        return f"{self.mean_pct:.3g} % a year" + ("" if constant else " on average")
