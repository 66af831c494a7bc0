"""Bars on disk: the cache, its vintages and revisions, and the bars as of an earlier vintage."""

from engine.data.store.as_of import (
    CachedSource,
    DatasetAsOf,
    list_cached_sources,
    load_as_of,
    read_as_of,
)
from engine.data.store.cache import CacheKey, DamagedCacheFile, read_cache, write_cache
from engine.data.store.dataset_bars import DatasetBars
from engine.data.store.diff import BarsComparison, compare_bars, diff_bar_values
from engine.data.store.inventory import (
    SourceInventory,
    SymbolInventory,
    compute_symbol_coverage,
    divide_time_span,
    list_inventory,
)
from engine.data.store.revisions import Revision
from engine.data.store.vintages import (
    DatasetVintage,
    VersionedBars,
    Vintage,
    combine_vintage_ids,
    list_dataset_vintages,
)

__all__ = [
    "BarsComparison",
    "CacheKey",
    "CachedSource",
    "DamagedCacheFile",
    "DatasetAsOf",
    "DatasetBars",
    "DatasetVintage",
    "Revision",
    "SourceInventory",
    "SymbolInventory",
    "VersionedBars",
    "Vintage",
    "combine_vintage_ids",
    "compare_bars",
    "compute_symbol_coverage",
    "diff_bar_values",
    "divide_time_span",
    "list_cached_sources",
    "list_dataset_vintages",
    "list_inventory",
    "load_as_of",
    "read_as_of",
    "read_cache",
    "write_cache",
]
