"""A market on which many timing rules were tried, and the grade of the best of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache, cached_property
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.book_names import STRATEGY_BOOK
from engine.evaluation.evidence import VerdictInputs
from engine.evaluation.inference.permutation import timing_permutation_test
from engine.evaluation.inference.trial_set import Trial, TrialSet
from engine.evaluation.verdict import BUY_AND_HOLD
from engine.runs.documents.significance_models import (
    ModelSections,
    SensitivityCell,
    SensitivityFigures,
    TimingFigures,
)
from engine.selftest.timing_rules import RandomRule, count_round_trips, draw_families
from engine.signals.benchmarks import (
    BuyAndHold,
    MeanReversion,
    MovingAverageCrossover,
    compute_benchmark_weights,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, Vector

PERIODS_PER_YEAR = 252.0
VOLATILITY = 0.01
WARM_UP_BARS = 100
"""Bars before the first one that is graded, from which the benchmarks are known."""

COST_BPS = 1.0
"""Cost of a fill, in hundredths of a per cent of its value: as small as it may be for a grade
`strong`, so that the cost of a rule without skill does not decide the grade."""

BENCHMARKS = {
    "buy_and_hold": BuyAndHold(),
    "ma_crossover": MovingAverageCrossover(fast=10, slow=40),
    "mean_reversion": MeanReversion(window=20),
}


@dataclass(frozen=True)
class MarketKind:
    """What is true of a market and of the rules tried on it.

    Attributes:
        process: Draws returns of mean 0 from a generator, for a number of bars and a volatility.
        rule: Kind of all rules.
        premium: True annualised Sharpe ratio of the market.
        families: Whether the rules are variants of five (correlation 0.95) instead of independent.
        edge: True annualised Sharpe ratio of the first rule less that of the market; None where no
            rule has skill.
        bars: Bars graded.
        benchmarks: Names of the benchmarks, `buy_and_hold` first.
    """

    process: Callable[[np.random.Generator, int, float], Vector]
    rule: RandomRule
    premium: float = 0.0
    families: bool = False
    edge: float | None = None
    bars: int = 1_000
    benchmarks: tuple[str, ...] = tuple(BENCHMARKS)

    def draw(self, rng: np.random.Generator, tries: int) -> SearchedMarket:
        """A market with this many rules, the first of them the one with skill, if any."""
        draw = draw_families if self.families else type(self.rule).draw
        positions = draw(self.rule, rng, self.bars, tries)
        returns = self.process(rng, WARM_UP_BARS + self.bars, VOLATILITY)
        returns += self.premium * VOLATILITY / PERIODS_PER_YEAR**0.5
        if self.edge is not None:
            returns[WARM_UP_BARS:] += self._excess_return(positions[:, 0])
        return SearchedMarket(returns, positions, self.benchmarks)

    def _excess_return(self, held: Vector) -> Vector:
        """Adds a (w_t - mean w): more while the rule holds more than its mean, less otherwise.

        The mean return of the market stays; a gives the rule the Sharpe ratio premium + edge, to
        first order: mean x mean w + a var w = ratio x volatility x sqrt(mean w^2), all per bar.
        """
        ratio, premium = (
            each / PERIODS_PER_YEAR**0.5
            for each in (self.premium + (self.edge or 0.0), self.premium)
        )
        needed = ratio * np.sqrt(np.mean(held**2)) - premium * held.mean()
        excess: Vector = VOLATILITY * needed / held.var() * (held - held.mean())
        return excess


@dataclass(frozen=True, eq=False)
class SearchedMarket:
    """Returns of a market, and the positions of the rules that were tried on it.

    The market is rebalanced to the position at every close, r_t = w_t m_t - cost |w_t - w_{t-1}|.

    Attributes:
        market: Returns, shape (WARM_UP_BARS + n,).
        positions: Shape (n, K): row t is held over the last n returns.
        benchmarks: As in `MarketKind`.
    """

    market: Vector
    positions: Matrix
    benchmarks: tuple[str, ...] = tuple(BENCHMARKS)

    def select_best(self, tries: int) -> VerdictInputs:
        """The run of the rule with the highest Sharpe ratio among the first ones.

        The others are its trials, and it is to be tested as a run is: with its benchmarks, the
        timing test and the break-even cost.

        Args:
            tries: Number of rules tried.
        """
        looks, market = self._looks[:tries], self.market[WARM_UP_BARS:]
        best = int(np.argmax(self._ratios[:tries]))
        books = np.column_stack([looks[best].returns, self._benchmarks])
        held = self.positions[:, best]
        return VerdictInputs(
            returns=pd.DataFrame(
                books, index=self._index, columns=[STRATEGY_BOOK, *self.benchmarks]
            ),
            periods_per_year=PERIODS_PER_YEAR,
            trials=TrialSet(
                own=looks[best], others=(*looks[:best], *looks[best + 1 :]), runs=tries
            ),
            round_trips=count_round_trips(held),
            model_sections=ModelSections(
                timing=_timing(held, market), sensitivity=_sensitivity(held, market)
            ),
        )

    @cached_property
    def _index(self) -> pd.DatetimeIndex:
        return _business_days(len(self.positions))

    @cached_property
    def _looks(self) -> tuple[Trial, ...]:
        """Every rule is a look of its own at the same bars."""
        holding = self._benchmarks[:, self.benchmarks.index(BUY_AND_HOLD)]
        held = pd.Series(holding, index=self._index)
        return tuple(
            Trial(number, "1d", pd.Series(returns, index=self._index, copy=False), held)
            for number, returns in enumerate(self._net)
        )

    @cached_property
    def _net(self) -> Matrix:
        """Net returns of every rule, a row a rule."""
        return np.ascontiguousarray(self._net_returns(self.positions).T)

    @cached_property
    def _ratios(self) -> Vector:
        """Sharpe ratio per bar of every rule; 0 for one that never trades."""
        net = self._net.T
        ratios: Vector = net.mean(axis=0) / net.std(axis=0).clip(min=1e-12)
        return ratios

    @cached_property
    def _benchmarks(self) -> Matrix:
        """Net returns of the benchmarks: decided at each close, held over the next bar."""
        index = _business_days(len(self.market) + 1)
        prices = np.concatenate([[1.0], np.cumprod(1 + self.market)])
        close = pd.DataFrame({"market": prices}, index=index)
        decided = [
            compute_benchmark_weights(BENCHMARKS[name], close, index[WARM_UP_BARS:-1], 1.0)
            for name in self.benchmarks
        ]
        return self._net_returns(np.column_stack([each.to_numpy() for each in decided]))

    def _net_returns(self, positions: Matrix) -> Matrix:
        fills = np.abs(np.diff(positions, axis=0, prepend=0.0))
        return positions * self.market[WARM_UP_BARS:, None] - COST_BPS / 10_000 * fills


@cache
def _business_days(bars: int) -> pd.DatetimeIndex:
    return pd.date_range("2000-01-03", periods=bars, freq="B", tz="UTC")


def _timing(positions: Vector, market: Vector) -> TimingFigures | None:
    test = timing_permutation_test(positions[:, None], market[:, None])
    return TimingFigures(sharpe=test.sharpe, p_value=test.p_value) if test else None


def _sensitivity(positions: Vector, market: Vector) -> SensitivityFigures:
    """The one cell that was traded, and the cost at which its total return is 0.

    A fill of the whole equity leaves 1 - cost of it: (1 - cost)^fills x prod(1 + w m) = 1.
    """
    fills = np.abs(np.diff(positions, prepend=0.0)).sum()
    earned = float(np.log1p(positions * market).sum())
    return SensitivityFigures(
        cost_bps=(COST_BPS,),
        delay_bars=(1,),
        threshold=(0.0,),
        threshold_unit="bps",
        sharpe=(((None,),),),
        break_even_cost_bps=10_000 * max(0.0, 1 - np.exp(-earned / fills)),
        chosen=SensitivityCell(cost_bps=COST_BPS, delay_bars=1, threshold=0.0),
    )
