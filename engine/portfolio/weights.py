"""The weights of one book, bar by bar: shares, limits and rebalancing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from datetime import datetime

    from engine.core.types import Vector
    from engine.portfolio.allocation import PortfolioRow
    from engine.portfolio.config import PortfolioSpec


@dataclass(frozen=True, eq=False)
class PortfolioState:
    """What the weights of a bar depend on of those before.

    Attributes:
        decided_on: The bar before; None at the start.
        bars: Closes since the last rebalancing, 0 at it.
        weights: (m,) target weights.
    """

    decided_on: datetime | None
    bars: int
    weights: Vector

    @classmethod
    def start(cls, symbols: int) -> PortfolioState:
        """Nothing is held, and the first close rebalances."""
        return cls(None, 0, np.zeros(symbols))


def rebalance(
    state: PortfolioState, row: PortfolioRow, timestamp: datetime, spec: PortfolioSpec
) -> PortfolioState:
    """The weights after one close.

    Args:
        state: As the close before left it.
        row: What is known at this close.
        timestamp: Of its bar.
        spec: Shares, limits and rebalancing.
    """
    if not _is_due(state, timestamp, spec):
        return PortfolioState(timestamp, state.bars + 1, state.weights)
    weights = _apply_limits(spec.allocation.divide(row), state.weights, spec)
    return PortfolioState(timestamp, 0, weights)


def _is_due(state: PortfolioState, timestamp: datetime, spec: PortfolioSpec) -> bool:
    before = state.decided_on
    if before is None:
        return True
    if spec.rebalance == "weekly":
        return before.isocalendar()[:2] != timestamp.isocalendar()[:2]
    if spec.rebalance == "monthly":
        return (before.year, before.month) != (timestamp.year, timestamp.month)
    return state.bars + 1 >= spec.rebalance


def _apply_limits(weights: Vector, before: Vector, spec: PortfolioSpec) -> Vector:
    if spec.max_symbol_weight is not None:
        weights = np.clip(weights, -spec.max_symbol_weight, spec.max_symbol_weight)
    if spec.max_net_weight is not None:
        weights = _limit_net(weights, spec.max_net_weight)
    if spec.min_change:
        small = (np.abs(weights - before) < spec.min_change) & (weights != 0)
        weights = np.where(small, before, weights)
    if spec.max_turnover is not None:
        turnover = float(np.abs(weights - before).sum())
        if turnover > spec.max_turnover:
            weights = before + (weights - before) * (spec.max_turnover / turnover)
    return weights


def _limit_net(weights: Vector, limit: float) -> Vector:
    """The larger side by a factor, so that it exceeds the other one by the limit at most."""
    long, short = float(weights[weights > 0].sum()), float(-weights[weights < 0].sum())
    if abs(long - short) <= limit:
        return weights
    larger, smaller = max(long, short), min(long, short)
    is_larger = weights > 0 if long > short else weights < 0
    return np.where(is_larger, weights * ((smaller + limit) / larger), weights)
