"""The significance page: every test as question, answer, figure and source."""

from engine.reporting.significance.page import significance_page

__all__ = ["significance_page"]
