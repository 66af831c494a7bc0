"""The page that compares several runs."""

from engine.reporting.comparison._page import COMPARISON_FILE, render_comparison, write_comparison

__all__ = ["COMPARISON_FILE", "render_comparison", "write_comparison"]
