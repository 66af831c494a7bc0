"""Simulation: target weights to fills, costs, returns and holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.simulation.account import Account, BarPrices, Fill, Holding
    from engine.simulation.bar_step import step
    from engine.simulation.book_values import Variation
    from engine.simulation.config import Execution
    from engine.simulation.cost_rates import CostRates
    from engine.simulation.costs import CostModel, Costs
    from engine.simulation.fills import Fills
    from engine.simulation.itemised_costs import ItemisedCosts
    from engine.simulation.portfolio import SimulationResult, simulate, simulate_variations
    from engine.simulation.rate_values import BySymbol

__all__ = [
    "Account",
    "BarPrices",
    "BySymbol",
    "CostModel",
    "CostRates",
    "Costs",
    "Execution",
    "Fill",
    "Fills",
    "Holding",
    "ItemisedCosts",
    "SimulationResult",
    "Variation",
    "simulate",
    "simulate_variations",
    "step",
]

_EXPORTS = {
    "Account": "account",
    "BarPrices": "account",
    "BySymbol": "rate_values",
    "CostModel": "costs",
    "CostRates": "cost_rates",
    "Costs": "costs",
    "Execution": "config",
    "Fill": "account",
    "Fills": "fills",
    "Holding": "account",
    "ItemisedCosts": "itemised_costs",
    "SimulationResult": "portfolio",
    "Variation": "book_values",
    "simulate": "portfolio",
    "simulate_variations": "portfolio",
    "step": "bar_step",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
