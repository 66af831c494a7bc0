"""Fetches bars and funding rates from sources into the store, symbol by symbol."""

from engine.data.fetch.dataset import fetch_dataset
from engine.data.fetch.funding import load_funding_rates
from engine.data.fetch.report import SourceFetchReport, SymbolFetchReport, fetch_with_report
from engine.data.fetch.request import fetch_newest_bars

__all__ = [
    "SourceFetchReport",
    "SymbolFetchReport",
    "fetch_dataset",
    "fetch_newest_bars",
    "fetch_with_report",
    "load_funding_rates",
]
