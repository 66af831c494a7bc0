"""The page of an interpretation: what the forecasts of a run depend on."""

from __future__ import annotations

from engine.reporting.interpretation._page import render_interpretation

__all__ = ["render_interpretation"]
