"""The significance page: each test as question, answer, figures and source."""

from engine.reporting.significance._page import render_significance

__all__ = ["render_significance"]
