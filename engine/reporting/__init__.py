"""HTML pages of runs: tearsheet, significance, quantstats, comparison, index of all runs."""

from engine.reporting.pages import write_pages

__all__ = ["write_pages"]
