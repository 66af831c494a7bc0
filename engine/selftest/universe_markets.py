"""Generated markets of many symbols whose truth is known, and a book that ranks them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.evidence import VerdictInputs
from engine.evaluation.forecasts.cross_section import measure_cross_section
from engine.evaluation.inference.hac import hac_mean_test
from engine.evaluation.inference.multiple_testing import holm_by_name
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.portfolio.allocation import LongShortAllocation, PortfolioRow

if TYPE_CHECKING:
    from engine.core.types import Matrix
    from engine.runs.documents.significance_cross_section import CrossSectionFigures

PERIODS_PER_YEAR = 252.0
VOLATILITY = 0.01
"""Standard deviation of the return of a symbol."""

SIGNAL_PERSISTENCE = 0.9
"""AR(1) coefficient of the forecasts, which persist as real ones do."""

COST_BPS = 1.0
QUANTILE = 0.2


@dataclass(frozen=True)
class UniverseKind:
    """What is true of a universe.

    Attributes:
        symbols: Their number.
        bars: Bars on which the book is judged.
        information_coefficient: True correlation of forecasts and outcomes over the symbols of a
            bar; 0 is noise.
        common_share: Share of the variance that all symbols have in common, half of it the market
            and half of it five sectors.
    """

    symbols: int
    bars: int = 250
    information_coefficient: float = 0.0
    common_share: float = 0.0

    def draw(self, rng: np.random.Generator) -> GeneratedUniverse:
        """Forecasts at each close, and the returns of the bars after them."""
        shape = (self.bars, self.symbols)
        forecasts = _persistent_normal(rng, shape)
        sectors = np.arange(self.symbols) % 5
        common = rng.standard_normal((self.bars, 1)), rng.standard_normal((self.bars, 5))
        shared = np.sqrt(self.common_share / 2)
        noise = shared * (common[0] + common[1][:, sectors])
        noise = noise + np.sqrt(1 - self.common_share) * rng.standard_normal(shape)
        skill = self.information_coefficient
        returns = VOLATILITY * (skill * forecasts + np.sqrt(1 - skill**2) * noise)
        return GeneratedUniverse(forecasts, returns)


@dataclass(frozen=True, eq=False)
class GeneratedUniverse:
    """Forecasts and what came after them.

    Attributes:
        forecasts: (n, m) known at each close.
        returns: (n, m) return of each symbol over the next bar.
    """

    forecasts: Matrix
    returns: Matrix

    def cross_section(self) -> CrossSectionFigures:
        """Rank IC and groups, as in `significance.json`."""
        figures = measure_cross_section(self.forecasts, {1: self.returns}, 1)
        assert figures is not None
        return figures

    def weights(self) -> Matrix:
        """(n, m) of the long-short book, by the engine's own allocation."""
        symbols = self.forecasts.shape[1]
        allocation = LongShortAllocation(quantile=QUANTILE)
        ones, none = np.ones(symbols), np.empty((0, symbols))
        names = tuple(f"S{number:03d}" for number in range(symbols))
        rows = [
            allocation.divide(PortfolioRow(names, forecast, ones, ones, none))
            for forecast in self.forecasts
        ]
        return np.array(rows)

    def verdict_inputs(self, weights: Matrix) -> VerdictInputs:
        """The book beside equal parts of all symbols; no other run is known."""
        index = pd.date_range("2000-01-03", periods=len(weights), freq="B", tz="UTC")
        net = self.net_contributions(weights).sum(axis=1)
        books = {STRATEGY_BOOK: net, BUY_AND_HOLD: self.returns.mean(axis=1)}
        left = (weights[:-1] != 0) & (np.sign(weights[1:]) != np.sign(weights[:-1]))
        return VerdictInputs(
            returns=pd.DataFrame(books, index=index),
            periods_per_year=PERIODS_PER_YEAR,
            round_trips=int(left.sum()),
        )

    def net_contributions(self, weights: Matrix) -> Matrix:
        """(n, m) return of each symbol's position, less the costs of its fills."""
        fills = np.abs(np.diff(weights, axis=0, prepend=0.0))
        contributions: Matrix = weights * self.returns - COST_BPS / 10_000 * fills
        return contributions

    def lowest_symbol_p_value(self, weights: Matrix) -> float:
        """Holm-adjusted, of the symbol whose contribution is furthest from what chance gives."""
        contributions = self.net_contributions(weights)
        tests = {str(n): hac_mean_test(each)[1] for n, each in enumerate(contributions.T)}
        adjusted = [each for each in holm_by_name(tests).values() if each is not None]
        return min(adjusted, default=1.0)


def _persistent_normal(rng: np.random.Generator, shape: tuple[int, int]) -> Matrix:
    """AR(1) columns of variance 1."""
    from scipy.signal import lfilter

    rho = SIGNAL_PERSISTENCE
    shocks = rng.standard_normal(shape) * np.sqrt(1 - rho**2)
    shocks[0] /= np.sqrt(1 - rho**2)
    values: Matrix = lfilter([1.0], [1.0, -rho], shocks, axis=0)
    return values
