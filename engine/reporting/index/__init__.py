"""The index of all runs below a folder, as a page and as a list."""

from engine.reporting.index._page import COMPARE_URL, page_url, render_index
from engine.reporting.index._run_entries import (
    ComparisonEntry,
    RunEntry,
    is_inside,
    list_comparisons,
    list_run_folders,
    list_runs,
    read_run_entry,
)

__all__ = [
    "COMPARE_URL",
    "ComparisonEntry",
    "RunEntry",
    "is_inside",
    "list_comparisons",
    "list_run_folders",
    "list_runs",
    "page_url",
    "read_run_entry",
    "render_index",
]
