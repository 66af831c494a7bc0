"""The page that compares several runs."""

from engine.reporting.comparison.page import render_comparison, write_comparison

__all__ = ["render_comparison", "write_comparison"]
