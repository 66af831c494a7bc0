"""Benchmark rules: buy and hold, moving-average crossover, mean reversion, and the base of others.

`universe_benchmarks` has those that choose among several symbols.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field, model_validator

from engine.core.part_origin import is_built_in
from engine.core.types import Spec
from engine.features.rolling import zscore
from engine.portfolio import BookTerms, PortfolioRow, PortfolioSpec, PortfolioState, rebalance
from engine.portfolio.config import Rebalancing
from engine.signals.contract import check_positions
from engine.signals.hysteresis import EntryExitThresholds, Side, apply_hysteresis

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix, WideFrame
    from engine.portfolio import Allocation
    from engine.signals.decision_levels import DecisionSpec


class BenchmarkRule(Spec, ABC):
    """A rule that depends on closes only."""

    if TYPE_CHECKING:

        @property
        def kind(self) -> str:
            """The value of `kind` in a file."""

    @abstractmethod
    def compute_positions(self, close: WideFrame) -> WideFrame:
        """1 long, 0 flat, -1 short at each close, from closes up to it.

        Args:
            close: All bars, one column per symbol; NaN before the first bar of a symbol.

        Returns:
            The shape of `close`, without NaN; flat during the warm-up of the rule.
        """


class BuyAndHold(BenchmarkRule):
    """Fully invested from the first bar, never rebalanced."""

    kind: Literal["buy_and_hold"] = "buy_and_hold"

    def compute_positions(self, close: WideFrame) -> WideFrame:
        """Long at every bar."""
        return pd.DataFrame(1.0, index=close.index, columns=close.columns)


class MovingAverageCrossover(BenchmarkRule):
    """Long while the fast simple moving average is above the slow one.

    With `side: long_short`, short while it is below.

    Attributes:
        fast: Bars of the fast mean; below `slow`.
        slow: Bars of the slow mean.
        side: `long_only`, or `long_short` for shorts while the fast mean is below.
    """

    kind: Literal["ma_crossover"] = "ma_crossover"
    fast: int = Field(default=20, ge=1, le=1000)
    slow: int = Field(default=100, ge=2, le=2000)
    side: Side = "long_only"

    @model_validator(mode="after")
    def _check_fast_below_slow(self) -> MovingAverageCrossover:
        if self.fast >= self.slow:
            raise ValueError(f"fast ({self.fast}) must be below slow ({self.slow})")
        return self

    def compute_positions(self, close: WideFrame) -> WideFrame:
        """The sign of the fast minus the slow mean."""
        fast, slow = close.rolling(self.fast).mean(), close.rolling(self.slow).mean()
        is_above = fast.to_numpy() > slow.to_numpy()
        positions = is_above.astype(np.float64)
        if self.side == "long_short":
            positions -= fast.to_numpy() < slow.to_numpy()
        return pd.DataFrame(positions, index=close.index, columns=close.columns)


class MeanReversion(BenchmarkRule):
    """Long when the close is `enter_z` deviations below its mean, until it is back at `exit_z`.

    With `side: long_short`, shorts are symmetric. Mean and standard deviation are those of the
    last `window` closes, the current one included.

    Attributes:
        window: Closes of the mean and of the standard deviation.
        enter_z: Deviations below the mean at which a long begins.
        exit_z: Deviations below the mean at which it ends; below `enter_z`.
        side: `long_only`, or `long_short` for symmetric shorts.
    """

    kind: Literal["mean_reversion"] = "mean_reversion"
    window: int = Field(default=20, ge=2, le=1000)
    enter_z: float = Field(default=1.5, gt=0)
    exit_z: float = Field(default=0.0, ge=0)
    side: Side = "long_only"

    @model_validator(mode="after")
    def _check_exit_below_enter(self) -> MeanReversion:
        if self.exit_z >= self.enter_z:
            raise ValueError(f"exit_z ({self.exit_z}) must be below enter_z ({self.enter_z})")
        return self

    def compute_positions(self, close: WideFrame) -> WideFrame:
        """Hysteresis over the negative z-score."""
        levels = EntryExitThresholds.symmetric(self.enter_z, self.exit_z)
        below = -zscore(close.to_numpy(), self.window)
        positions = [apply_hysteresis(column, [levels], self.side) for column in below.T]
        return pd.DataFrame(np.column_stack(positions), index=close.index, columns=close.columns)


class UniverseRule(BenchmarkRule, ABC):
    """A rule for several symbols, which share one book.

    It has no signal of its own at a symbol: it scores all symbols at a close, and an allocation
    makes weights of the scores, at the closes of a rebalancing.

    Attributes:
        symbols_needed: Target symbols without which there is nothing to choose.
        is_optimised: Whether the weights are an optimum, which there may not be.
        trades_back: Whether each rebalancing trades back what the prices moved since.
        rebalance: As in `portfolio`; that of the strategy by default.
    """

    symbols_needed: ClassVar[int] = 2
    is_optimised: ClassVar[bool] = False
    trades_back: ClassVar[bool] = False
    rebalance: Rebalancing | None = None

    @abstractmethod
    def compute_scores(self, close: WideFrame) -> Matrix:
        """(n, m) what the allocation reads as forecasts, from closes up to each; NaN leaves out.

        Args:
            close: All bars, one column per symbol.
        """

    @abstractmethod
    def make_allocation(self, symbols: int) -> Allocation:
        """How the scores of so many symbols become weights."""

    def fold(
        self,
        close: WideFrame,
        rows: pd.DatetimeIndex,
        rebalancing: Rebalancing,
        terms: BookTerms,
        eligible: WideFrame | None = None,
    ) -> list[PortfolioState]:
        """The state of the book after each of some closes, from the closes up to it.

        Args:
            close: All bars, one column per symbol.
            rows: The bars that are decided, ascending.
            rebalancing: Of the strategy; the rule's own goes before it.
            terms: Limit of the sum of |weight|, and the calendar.
            eligible: As in `compute_benchmark_weights`.
        """
        count = len(close.columns)
        spec = PortfolioSpec(
            allocation=self.make_allocation(count), rebalance=self.rebalance or rebalancing
        )
        scores, closes = self.compute_scores(close), close.to_numpy(dtype=np.float64)
        known = (
            np.isfinite(closes) if eligible is None else eligible.to_numpy() & np.isfinite(closes)
        )
        sizes, needed = np.full(count, terms.max_weight), spec.closes_needed
        state, states = PortfolioState.start(count), []
        for place, stamp in zip(close.index.get_indexer(rows), rows, strict=True):
            score = np.where(known[place], scores[place], np.nan)
            row = PortfolioRow(
                tuple(close.columns),
                score,
                np.isfinite(score).astype(np.float64),
                sizes,
                closes[max(0, place + 1 - needed) : place + 1],
            )
            state = rebalance(state, row, stamp, spec, terms)
            states.append(state)
        return states

    def compute_positions(self, close: WideFrame) -> WideFrame:
        """The share of the book of each symbol, rebalanced at every close unless it says when."""
        rows = pd.DatetimeIndex(close.index)
        return self.weigh(self.fold(close, rows, 1, BookTerms()), close, rows)

    def weigh(
        self, states: Sequence[PortfolioState], close: WideFrame, rows: pd.DatetimeIndex
    ) -> WideFrame:
        """The target weights of the states of some closes.

        An order is placed where a target weight changes: so, to trade back, the weights of
        successive rebalancings differ in their last bit.
        """
        weights = np.stack([state.weights for state in states])
        if self.trades_back:
            odd = np.cumsum([state.bars == 0 for state in states]) % 2 == 1
            weights[odd] = np.nextafter(weights[odd], 0.0)
        return pd.DataFrame(weights, index=rows, columns=close.columns)


def compute_benchmark_weights(
    rule: BenchmarkRule,
    close: WideFrame,
    rows: pd.DatetimeIndex,
    max_weight: float,
    decisions: DecisionSpec | None = None,
    eligible: WideFrame | None = None,
) -> WideFrame:
    """The target weights of a rule at each out-of-sample close.

    Args:
        rule: The rule; it runs over all bars, so that its warm-up ends before `rows`.
        close: All bars, one column per target symbol; NaN before the first bar of a symbol.
        rows: The out-of-sample bars.
        max_weight: Limit of the sum of |weight|, split equally over the symbols.
        decisions: Of the strategy; a rule for several symbols is rebalanced with it unless it says
            when, and without it at every close.
        eligible: Wide and bool, the rows and columns of `close`: the symbols of a panel that may
            be held, over which the limit is split at each close; None where all always may.

    Returns:
        Index `rows`, the columns of `close`, without NaN.
    """
    if isinstance(rule, UniverseRule):
        return rule.weigh(
            fold_universe_rule(rule, close, rows, max_weight, decisions, eligible), close, rows
        )
    positions = rule.compute_positions(close)
    if not is_built_in(type(rule)):
        check_positions(rule.kind, close, positions)
    first = int(positions.index.searchsorted(rows[0]))
    tested = positions.iloc[first : first + len(rows)]
    if not tested.index.equals(rows):
        tested = positions.loc[rows]
    if eligible is None:
        weights = tested.to_numpy() * (max_weight / len(close.columns))
    else:
        chosen = eligible.loc[rows].to_numpy()
        count = np.maximum(chosen.sum(axis=1, keepdims=True), 1)
        weights = np.where(chosen, tested.to_numpy(), 0.0) * (max_weight / count)
    return pd.DataFrame(weights, index=tested.index, columns=tested.columns)


def fold_universe_rule(
    rule: UniverseRule,
    close: WideFrame,
    rows: pd.DatetimeIndex,
    max_weight: float,
    decisions: DecisionSpec | None = None,
    eligible: WideFrame | None = None,
) -> list[PortfolioState]:
    """The states behind `compute_benchmark_weights` of a rule for several symbols."""
    if decisions is None:
        return rule.fold(close, rows, 1, BookTerms(max_weight), eligible)
    terms = replace(decisions.terms, max_weight=max_weight)
    return rule.fold(close, rows, decisions.portfolio.rebalance, terms, eligible)
