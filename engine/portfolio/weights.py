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

ROUNDING = 1e-12
"""What a sum of weights may exceed a limit by."""


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

    A symbol without a forecast has weight 0 at this very close, between rebalancings too. One that
    is halted keeps its weight, and the others share what it leaves.

    Args:
        state: As the close before left it.
        row: What is known at this close.
        timestamp: Of its bar.
        spec: Shares, limits and rebalancing.

    Returns:
        Weights of which the sum of absolute values is at most the largest size so far, and the sum
        within `max_net_weight`, where those of `state` are.
    """
    before = _leave_unknown(state.weights, row, spec)
    if not _is_due(state, timestamp, spec):
        return PortfolioState(timestamp, state.bars + 1, before)
    divided = _keep_halted(spec.allocation.divide(row.trading), before, row)
    weights = _apply_limits(divided, before, spec)
    return PortfolioState(timestamp, 0, weights)


def _leave_unknown(weights: Vector, row: PortfolioRow, spec: PortfolioSpec) -> Vector:
    """Without the symbols that have no forecast, and within the net limit without them."""
    left = ~np.isfinite(row.predicted) & (weights != 0.0)
    if row.halted is not None:
        left &= ~row.halted
    if not left.any():
        return weights
    kept = np.where(left, 0.0, weights)
    return kept if spec.max_net_weight is None else _limit_net(kept, spec.max_net_weight)


def _keep_halted(weights: Vector, before: Vector, row: PortfolioRow) -> Vector:
    """Symbols that are halted as before, the others within the largest size beside them."""
    if row.halted is None or not row.halted.any():
        return weights
    frozen = np.where(row.halted, before, 0.0)
    others = np.where(row.halted, 0.0, weights)
    room, gross = max(float(row.sizes.max()) - _gross(frozen), 0.0), _gross(others)
    if gross > room + ROUNDING:
        others = others * (room / gross)
    return others + frozen


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
        weights = _skip_small_changes(weights, before, spec)
    if spec.max_turnover is not None:
        turnover = float(np.abs(weights - before).sum())
        if turnover > spec.max_turnover:
            weights = before + (weights - before) * (spec.max_turnover / turnover)
    return weights


def _skip_small_changes(weights: Vector, before: Vector, spec: PortfolioSpec) -> Vector:
    """Small changes are not made, unless the old weights beside the new ones break a limit."""
    small = np.abs(weights - before) < spec.min_change
    small &= (weights != 0) & (np.sign(weights) * np.sign(before) >= 0)
    kept = np.where(small, before, weights)
    gross, allowed = _gross(kept), max(_gross(weights), _gross(before))
    net, symbol = spec.max_net_weight, spec.max_symbol_weight
    if gross > allowed or (net is not None and abs(float(kept.sum())) > net + ROUNDING):
        return weights
    # A state may be of another portfolio, with weights that this one does not allow.
    return weights if symbol is not None and np.abs(kept).max() > symbol else kept


def _gross(weights: Vector) -> float:
    return float(np.abs(weights).sum())


def _limit_net(weights: Vector, limit: float) -> Vector:
    """The larger side by a factor, so that it exceeds the other one by the limit at most."""
    long, short = float(weights[weights > 0].sum()), float(-weights[weights < 0].sum())
    if abs(long - short) <= limit + ROUNDING:
        return weights
    larger, smaller = max(long, short), min(long, short)
    is_larger = weights > 0 if long > short else weights < 0
    return np.where(is_larger, weights * ((smaller + limit) / larger), weights)
