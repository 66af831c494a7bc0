"""From what is forecast and held of each symbol to the weights of one book.

Shares by kind (`allocation`), limits and rebalancing (`config`), and the weights bar by bar
(`weights`).
"""

from engine.portfolio.allocation import (
    EqualAllocation,
    InverseVolatilityAllocation,
    LongShortAllocation,
    PortfolioRow,
    ProportionalAllocation,
    TopAllocation,
)
from engine.portfolio.config import EQUAL_PARTS, Allocation, PortfolioSpec
from engine.portfolio.weights import PortfolioState, rebalance

__all__ = [
    "EQUAL_PARTS",
    "Allocation",
    "EqualAllocation",
    "InverseVolatilityAllocation",
    "LongShortAllocation",
    "PortfolioRow",
    "PortfolioSpec",
    "PortfolioState",
    "ProportionalAllocation",
    "TopAllocation",
    "rebalance",
]
