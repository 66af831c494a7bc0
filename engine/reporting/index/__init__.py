"""The index of all runs below a folder, and the local HTTP server of their pages."""

from engine.reporting.index._page import render_index
from engine.reporting.index._routes import IndexRoutes, PageResponse
from engine.reporting.index._run_entries import (
    ComparisonEntry,
    RunEntry,
    list_comparisons,
    list_runs,
)
from engine.reporting.index._server import IndexServer

__all__ = [
    "ComparisonEntry",
    "IndexRoutes",
    "IndexServer",
    "PageResponse",
    "RunEntry",
    "list_comparisons",
    "list_runs",
    "render_index",
]
