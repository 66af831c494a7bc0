"""The significance page: every test as question, answer, figure and source."""

from engine.reporting.significance.page import render_significance

__all__ = ["render_significance"]
