"""HTML pages of runs: tearsheet, significance, quantstats, comparison, index of all runs."""

from engine.reporting.pages import PageWriter, open_page_writer, render_page, write_pages

__all__ = ["PageWriter", "open_page_writer", "render_page", "write_pages"]
