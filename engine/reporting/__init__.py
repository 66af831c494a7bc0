"""HTML pages of runs (tearsheet, significance, quantstats, comparison), and of the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.reporting.pages import PageWriter, open_page_writer, render_page, write_pages

__all__ = ["PageWriter", "open_page_writer", "render_page", "write_pages"]

# Formats of numbers are used by texts of the command line, which need no template.
__getattr__ = lazy_exports(__name__, dict.fromkeys(__all__, "pages"))
