"""What the forecasts of a run depend on: attributions, importance, attention, simple rules."""

from __future__ import annotations

from engine.interpretation.interpreted_run import InterpretedRun, interpret

__all__ = ["InterpretedRun", "interpret"]
