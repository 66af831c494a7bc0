"""Runs a strategy from bars to verdict, and sweeps over several."""

from engine.backtest.runner import run
from engine.backtest.sweep import run_sweep

__all__ = ["run", "run_sweep"]
