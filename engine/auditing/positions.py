"""Positions held over bars: their returns, their timing, and other costs and delays."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.permutation import timing_permutation_test
from engine.evaluation.metrics import sharpe, total_return
from engine.runs.documents.audit import CostScenario
from engine.runs.documents.significance_models import TimingFigures

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

_BPS = 1e-4
_COST_MULTIPLES = (0.0, 1.0, 2.0, 4.0)
_COSTS_WITHOUT_ONE = (0.0, 5.0, 10.0, 20.0)
_DELAYS = (0, 1, 2)


@dataclass(frozen=True, eq=False)
class HeldPositions:
    """Weights over bars.

    Attributes:
        weights: Fraction of the equity in each symbol from the close before each bar to its own,
            signed, shape (n, k); kept at that value within the bar.
        moves: Return of each symbol from that close to its own, shape (n, k); no NaN.
        cost_bps: Paid on every change of a weight.
    """

    weights: Matrix = field(repr=False)
    moves: Matrix = field(repr=False)
    cost_bps: float = 0.0

    def net_returns(self, cost_bps: float | None = None, delay: int = 0) -> Vector:
        """Net return of each bar, shape (n,), at least -1.

        Args:
            cost_bps: Another cost; None for its own.
            delay: Bars by which every weight comes later.
        """
        cost = self.cost_bps if cost_bps is None else cost_bps
        held = np.zeros_like(self.weights)
        held[delay:] = self.weights[: len(held) - delay]
        turnover = np.abs(np.diff(held, axis=0, prepend=0.0)).sum(axis=1)
        returns: Vector = np.maximum(
            (held * self.moves).sum(axis=1) - cost * _BPS * turnover, -1.0
        )
        ruined = np.flatnonzero(returns == -1.0)
        if len(ruined):
            returns[ruined[0] + 1 :] = 0.0
        return returns

    def holding_returns(self) -> Vector:
        """Returns of the symbols bought in equal parts once, at the cost, and held, shape (n,)."""
        growth = np.cumprod(1.0 + self.moves, axis=0).mean(axis=1)
        before = np.concatenate([[1.0], growth[:-1]])
        returns: Vector = growth / before - 1.0
        returns[0] = (1.0 + returns[0]) * (1.0 - self.cost_bps * _BPS) - 1.0
        return returns

    def count_round_trips(self) -> int:
        """Finished stretches of one sign of a symbol's weight."""
        signs = np.sign(self.weights)
        ended = (signs[:-1] != 0) & (signs[1:] != signs[:-1])
        return int(np.count_nonzero(ended))

    def test_timing(self, periods_per_year: float) -> TimingFigures | None:
        """The permutation test of the timing of the weights; None where there is none."""
        test = timing_permutation_test(self.weights, self.moves)
        if test is None:
            return None
        return TimingFigures(
            sharpe=test.sharpe * periods_per_year**0.5,
            p_value=test.p_value,
            shifts=test.shifts,
            nearest_bars=test.nearest_bars,
        )

    def vary(self, periods_per_year: float) -> tuple[CostScenario, ...]:
        """Other costs and later fills."""
        costs = (
            tuple(multiple * self.cost_bps for multiple in _COST_MULTIPLES)
            if self.cost_bps > 0
            else _COSTS_WITHOUT_ONE
        )
        scenarios = []
        for delay in _DELAYS:
            for cost in costs:
                returns = self.net_returns(cost, delay)
                total = total_return(returns)
                scenarios.append(
                    CostScenario(
                        cost_bps=cost,
                        delay_bars=delay,
                        sharpe=sharpe(returns, periods_per_year),
                        total_return_pct=None if total is None else 100.0 * total,
                    )
                )
        return tuple(scenarios)
