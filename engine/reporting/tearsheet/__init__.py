"""The tearsheet: what a trader reads first, a module a section in the order they are read."""

from engine.reporting.tearsheet.page import render_tearsheet

__all__ = ["render_tearsheet"]
