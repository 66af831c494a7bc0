"""Simulation: target weights to fills, costs, returns and holdings."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.simulation.config import Costs, Execution
    from engine.simulation.fills import Fills
    from engine.simulation.portfolio import SimulationResult, simulate, simulate_variations

__all__ = [
    "Costs",
    "Execution",
    "Fills",
    "SimulationResult",
    "simulate",
    "simulate_variations",
]

_EXPORTS = {
    "Costs": "config",
    "Execution": "config",
    "Fills": "fills",
    "SimulationResult": "portfolio",
    "simulate": "portfolio",
    "simulate_variations": "portfolio",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
