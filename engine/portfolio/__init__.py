"""From what is forecast and held of each symbol to the weights of one book.

Shares by kind (`allocation`; by skfolio `optimised` and `expected`), limits and rebalancing
(`config`), and the weights bar by bar (`weights`).
"""

from engine.portfolio.allocation import (
    EqualAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    PortfolioRow,
    ProportionalAllocation,
    TopAllocation,
)
from engine.portfolio.calendar_periods import TradingCalendar
from engine.portfolio.config import EQUAL_PARTS, Allocation, PortfolioSpec, Rebalancing
from engine.portfolio.expected import MaximumSharpeAllocation, MeanVarianceAllocation
from engine.portfolio.optimised import (
    HierarchicalRiskParityAllocation,
    MinimumShortfallAllocation,
    MinimumVarianceAllocation,
    RiskParityAllocation,
)
from engine.portfolio.past_returns import known_over
from engine.portfolio.terms import BookTerms
from engine.portfolio.volatility_target import BookVolatilityTarget
from engine.portfolio.weights import PortfolioState, find_due_rows, rebalance

__all__ = [
    "EQUAL_PARTS",
    "Allocation",
    "BookTerms",
    "BookVolatilityTarget",
    "EqualAllocation",
    "HierarchicalRiskParityAllocation",
    "InverseVolatilityAllocation",
    "LongShortAllocation",
    "MaximumSharpeAllocation",
    "MeanVarianceAllocation",
    "MinimumShortfallAllocation",
    "MinimumVarianceAllocation",
    "PortfolioRow",
    "PortfolioSpec",
    "PortfolioState",
    "ProportionalAllocation",
    "Rebalancing",
    "RiskParityAllocation",
    "TopAllocation",
    "TradingCalendar",
    "find_due_rows",
    "known_over",
    "rebalance",
]
