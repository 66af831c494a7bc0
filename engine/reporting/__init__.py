"""HTML pages of a run."""

from engine.reporting.pages import write_pages

__all__ = ["write_pages"]
