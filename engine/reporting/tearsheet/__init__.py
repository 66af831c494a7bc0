"""The tearsheet of a run: one module for each section."""

from engine.reporting.tearsheet.page import render_tearsheet

__all__ = ["render_tearsheet"]
