"""Pages made from a run folder alone."""

from engine.reporting.pages import write_pages

__all__ = ["write_pages"]
