"""One page of several runs."""

from engine.reporting.comparison.page import comparison_page, write_comparison

__all__ = ["comparison_page", "write_comparison"]
