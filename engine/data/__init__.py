"""Bars: fetched from sources, validated, cached, and aligned into a `Market`."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from engine.data.bars import (
    MAX_PRICE,
    MIN_PRICE,
    RANGE_COLUMNS,
    VALUE_COLUMNS,
    format_bar_count,
    format_timestamp,
    has_values,
    has_volume,
    is_close_only,
    normalise_bars,
)
from engine.data.calendar import ALWAYS_OPEN, INTERVAL_LENGTHS, BarInterval, periods_per_year
from engine.data.config import Dataset, DataSpec
from engine.data.manifests import DatasetManifest, list_dataset_names, read_manifest
from engine.data.market import Market, symbol_provenance

if TYPE_CHECKING:
    from engine.data.check import check_dataset
    from engine.data.context import DataContext
    from engine.data.export import export_dataset
    from engine.data.load import load_market

__all__ = [
    "ALWAYS_OPEN",
    "INTERVAL_LENGTHS",
    "MAX_PRICE",
    "MIN_PRICE",
    "RANGE_COLUMNS",
    "VALUE_COLUMNS",
    "BarInterval",
    "DataContext",
    "DataSpec",
    "Dataset",
    "DatasetManifest",
    "Market",
    "check_dataset",
    "export_dataset",
    "format_bar_count",
    "format_timestamp",
    "has_values",
    "has_volume",
    "is_close_only",
    "list_dataset_names",
    "load_market",
    "normalise_bars",
    "periods_per_year",
    "read_manifest",
    "symbol_provenance",
]

_LAZY_EXPORTS = {
    "DataContext": "engine.data.context",
    "check_dataset": "engine.data.check",
    "export_dataset": "engine.data.export",
    "load_market": "engine.data.load",
}


def __getattr__(name: str) -> object:
    """Loads the sources when they are first needed: reading a strategy needs none of them."""
    if name in _LAZY_EXPORTS:
        return getattr(import_module(_LAZY_EXPORTS[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
