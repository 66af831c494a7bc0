"""An index of all runs below a folder, and its pages as a browser asks for them."""

from engine.reporting.index.entries import Compared, Entry, comparisons, entries
from engine.reporting.index.page import index_page
from engine.reporting.index.server import Server
from engine.reporting.index.site import Response, Site

__all__ = [
    "Compared",
    "Entry",
    "Response",
    "Server",
    "Site",
    "comparisons",
    "entries",
    "index_page",
]
