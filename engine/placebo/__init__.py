"""Runs the whole path of a strategy on surrogates of its market."""

from engine.placebo.placebo import PlaceboResult, run_placebo
from engine.placebo.surrogate_bars import SURROGATE_KINDS, SurrogateKind

__all__ = ["SURROGATE_KINDS", "PlaceboResult", "SurrogateKind", "run_placebo"]
