"""The weights of one book, bar by bar: shares, limits and rebalancing."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.portfolio.limits import ROUNDING, apply_limits, gross_weight, limit_net
from engine.portfolio.terms import BookTerms

if TYPE_CHECKING:
    from datetime import datetime

    import pandas as pd

    from engine.core.types import BoolVector, Vector
    from engine.portfolio.allocation import PortfolioRow
    from engine.portfolio.calendar_periods import TradingCalendar
    from engine.portfolio.config import PortfolioSpec


@dataclass(frozen=True, eq=False)
class PortfolioState:
    """What the weights of a bar depend on of those before.

    Attributes:
        decided_on: The bar before; None at the start.
        bars: Closes since the last rebalancing, 0 at it.
        weights: (m,) target weights.
        failed_optima: Rebalancings so far that had no optimum, and kept the weights.
    """

    decided_on: datetime | None
    bars: int
    weights: Vector
    failed_optima: int = 0

    @classmethod
    def start(cls, symbols: int) -> PortfolioState:
        """Nothing is held, and the first close rebalances."""
        return cls(None, 0, np.zeros(symbols))


def rebalance(
    state: PortfolioState,
    row: PortfolioRow,
    timestamp: datetime,
    spec: PortfolioSpec,
    terms: BookTerms = BookTerms(),
) -> PortfolioState:
    """The weights after one close.

    A symbol without a forecast has weight 0 at this very close, between rebalancings too. One that
    is halted keeps its weight, and the others share what it leaves. Where the allocation is an
    optimum and there is none, the weights stay until the next rebalancing.

    Args:
        state: As the close before left it.
        row: What is known at this close.
        timestamp: Of its bar.
        spec: Shares, limits and rebalancing.
        terms: What they depend on beside.

    Returns:
        Weights of which the sum of absolute values is at most the largest size so far, or with a
        volatility target `max_weight`, and the sum within `max_net_weight`, where those of `state`
        are.

    Raises:
        UsageError: The terms lack what the portfolio needs.
    """
    before = _leave_unknown(state.weights, row, spec)
    if not _is_due(state, timestamp, spec, terms):
        return PortfolioState(timestamp, state.bars + 1, before, state.failed_optima)
    weights = spec.allocation.divide(replace(row.trading, before=before, horizon=terms.horizon))
    if weights is None:
        return PortfolioState(timestamp, 0, before, state.failed_optima + 1)
    if spec.volatility_target is not None:
        weights = spec.volatility_target.scale(weights, row.closes, terms)
    weights = apply_limits(_keep_halted(weights, before, row), before, row.symbols, spec)
    return PortfolioState(timestamp, 0, weights, state.failed_optima)


def _leave_unknown(weights: Vector, row: PortfolioRow, spec: PortfolioSpec) -> Vector:
    """Without the symbols that have no forecast, and within the net limit without them."""
    left = ~np.isfinite(row.predicted) & (weights != 0.0)
    if row.halted is not None:
        left &= ~row.halted
    if not left.any():
        return weights
    kept = np.where(left, 0.0, weights)
    return kept if spec.max_net_weight is None else limit_net(kept, spec.max_net_weight)


def _keep_halted(weights: Vector, before: Vector, row: PortfolioRow) -> Vector:
    """Symbols that are halted as before, the others within the largest size beside them."""
    if row.halted is None or not row.halted.any():
        return weights
    frozen = np.where(row.halted, before, 0.0)
    others = np.where(row.halted, 0.0, weights)
    largest = max(float(row.sizes.max()), gross_weight(weights))
    room, gross = max(largest - gross_weight(frozen), 0.0), gross_weight(others)
    if gross > room + ROUNDING:
        others = others * (room / gross)
    return others + frozen


def _is_due(
    state: PortfolioState, timestamp: datetime, spec: PortfolioSpec, terms: BookTerms
) -> bool:
    before = state.decided_on
    if before is None:
        return True
    if spec.rebalance == "weekly":
        return before.isocalendar()[:2] != timestamp.isocalendar()[:2]
    if spec.rebalance == "monthly":
        return (before.year, before.month) != (timestamp.year, timestamp.month)
    if spec.rebalance == "week_end" or spec.rebalance == "month_end":
        return _require_calendar(terms).ends_period(before, timestamp, spec.rebalance)
    return state.bars + 1 >= spec.rebalance


def find_due_rows(
    stamps: pd.DatetimeIndex,
    spec: PortfolioSpec,
    terms: BookTerms = BookTerms(),
) -> BoolVector:
    """(n,) the bars whose close `rebalance` divides the book at, from the first one on.

    Args:
        stamps: (n,) ascending, of the bars.
        spec: When it is rebalanced.
        terms: Hold the calendar, where that decides.
    """
    due: BoolVector = np.zeros(len(stamps), dtype=bool)
    due[:1] = True
    if isinstance(spec.rebalance, int):
        due[:: spec.rebalance] = True
    elif spec.rebalance == "weekly":
        weeks = stamps.isocalendar()
        due[1:] = np.diff(weeks["year"].to_numpy() * 100 + weeks["week"].to_numpy()) != 0
    elif spec.rebalance == "monthly":
        due[1:] = np.diff(stamps.year.to_numpy() * 12 + stamps.month.to_numpy()) != 0
    else:
        calendar, kind = _require_calendar(terms), spec.rebalance
        due[1:] = [calendar.ends_period(before, bar, kind) for before, bar in pairwise(stamps)]
    return due


def _require_calendar(terms: BookTerms) -> TradingCalendar:
    if terms.calendar is None:
        raise UsageError(
            "a rebalancing at the end of a week or month needs the calendar of the bars",
            expected="a TradingCalendar, as TradingCalendar.of_market(market)",
            found="none",
            where="portfolio.rebalance",
            fix="give it to Strategy.decision_spec, or rebalance weekly or monthly, which is at "
            "the first close of a period",
        )
    return terms.calendar
