"""Simulation: target weights to fills, costs, returns and holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.simulation.config import Execution
    from engine.simulation.costs import CostModel, CostRates, Costs
    from engine.simulation.fills import Fills
    from engine.simulation.portfolio import SimulationResult, simulate, simulate_variations

__all__ = [
    "CostModel",
    "CostRates",
    "Costs",
    "Execution",
    "Fills",
    "SimulationResult",
    "simulate",
    "simulate_variations",
]

_EXPORTS = {
    "CostModel": "costs",
    "CostRates": "costs",
    "Costs": "costs",
    "Execution": "config",
    "Fills": "fills",
    "SimulationResult": "portfolio",
    "simulate": "portfolio",
    "simulate_variations": "portfolio",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
