"""The limits of a book, at one rebalancing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.portfolio.config import PortfolioSpec

ROUNDING = 1e-12
"""What a sum of weights may exceed a limit by."""


def apply_limits(
    weights: Vector, before: Vector, symbols: Sequence[str], spec: PortfolioSpec
) -> Vector:
    """The weights of a rebalancing within the limits, in the order of their attributes.

    Args:
        weights: (m,) by the allocation.
        before: (m,) at the close before.
        symbols: Their names.
        spec: The limits.
    """
    if spec.max_symbol_weight is not None:
        weights = np.clip(weights, -spec.max_symbol_weight, spec.max_symbol_weight)
    if spec.max_group_weight is not None:
        weights = _limit_groups(weights, symbols, spec, spec.max_group_weight)
    if spec.max_net_weight is not None:
        weights = limit_net(weights, spec.max_net_weight)
    if spec.min_change:
        weights = _skip_small_changes(weights, before, symbols, spec)
    if spec.max_turnover is not None:
        turnover = float(np.abs(weights - before).sum())
        if turnover > spec.max_turnover + ROUNDING:
            weights = before + (weights - before) * (spec.max_turnover / turnover)
    return weights


def limit_net(weights: Vector, limit: float) -> Vector:
    """The larger side by a factor, so that it exceeds the other one by the limit at most."""
    long, short = float(weights[weights > 0].sum()), float(-weights[weights < 0].sum())
    if abs(long - short) <= limit + ROUNDING:
        return weights
    larger, smaller = max(long, short), min(long, short)
    is_larger = weights > 0 if long > short else weights < 0
    return np.where(is_larger, weights * ((smaller + limit) / larger), weights)


def _limit_groups(
    weights: Vector, symbols: Sequence[str], spec: PortfolioSpec, limit: float
) -> Vector:
    """All weights of a group by a factor, so that their |weight| is within the limit."""
    limited = weights.copy()
    for members in spec.named_groups.values():
        own = np.isin(np.array(symbols), members)
        gross = gross_weight(weights[own])
        if gross > limit + ROUNDING:
            limited[own] = weights[own] * (limit / gross)
    return limited


def _skip_small_changes(
    weights: Vector, before: Vector, symbols: Sequence[str], spec: PortfolioSpec
) -> Vector:
    """Small changes are not made, unless the old weights beside the new ones break a limit."""
    small = np.abs(weights - before) < spec.min_change
    small &= (weights != 0) & (np.sign(weights) * np.sign(before) >= 0)
    kept = np.where(small, before, weights)
    gross, allowed = gross_weight(kept), max(gross_weight(weights), gross_weight(before))
    net, group = spec.max_net_weight, spec.max_group_weight
    if gross > allowed or (net is not None and abs(float(kept.sum())) > net + ROUNDING):
        return weights
    if group is not None and (_limit_groups(kept, symbols, spec, group) != kept).any():
        return weights
    # A state may be of another portfolio, with weights that this one does not allow.
    symbol = spec.max_symbol_weight
    return weights if symbol is not None and np.abs(kept).max() > symbol else kept


def gross_weight(weights: Vector) -> float:
    """The sum of |weight|."""
    return float(np.abs(weights).sum())
