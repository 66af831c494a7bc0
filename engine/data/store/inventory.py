"""What is there of a dataset without asking anybody: cached bars, files, bundled ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import DataError
from engine.data.bars import normalise_bars
from engine.data.coverage import Gap, compute_coverage, find_gaps, infer_expected_timestamps
from engine.data.fetch.dataset import create_sources
from engine.data.fetch.symbol import read_cached_symbol
from engine.data.sources.base import BarRequest
from engine.data.store.revisions import sort_bars
from engine.data.store.vintages import DatasetVintage, list_dataset_vintages

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource
    from engine.data.store.vintages import VersionedBars


@dataclass(frozen=True)
class SymbolInventory:
    """The bars of one symbol.

    Attributes:
        bars: All that are there, in order, whatever the dataset's start and end.
        expected: When its calendar has bars from the first of these to the last.
        gaps: Runs of those that are not there, in order.
        vintage_count: How many are known; 0 where the source is not cached.
    """

    bars: BarsFrame
    expected: npt.NDArray[np.datetime64]
    gaps: list[Gap]
    vintage_count: int


@dataclass(frozen=True)
class SourceInventory:
    """What is there of one source.

    Attributes:
        label: The source.
        symbols: Symbol -> its bars, of those that have any.
        fetched_at: When the source was last asked; None where it is not cached or never was.
        vintages: The vintages of all symbols together, oldest first.
        problem: Why nothing can be read, if so.
    """

    label: str
    symbols: dict[str, SymbolInventory]
    fetched_at: pd.Timestamp | None = None
    vintages: list[DatasetVintage] = field(default_factory=list)
    problem: str = ""


def list_inventory(manifest: DatasetManifest, context: DataContext) -> list[SourceInventory]:
    """What is there of each source of a dataset, in their order.

    Raises:
        UsageError: The dataset's calendar does not exist.
    """
    return [
        _source_inventory(feed, manifest.dataset, context)
        for feed in create_sources(manifest, context)
    ]


def divide_time_span(inventory: SourceInventory, count: int) -> pd.DatetimeIndex:
    """The edges of equal parts of the time from the first bar of any symbol to the last.

    Args:
        inventory: With a line at least.
        count: Parts wanted; fewer where there are not so many bars.
    """
    firsts = [line.bars["timestamp"].iloc[0] for line in inventory.symbols.values()]
    lasts = [line.bars["timestamp"].iloc[-1] for line in inventory.symbols.values()]
    longest = max(len(line.expected) for line in inventory.symbols.values())
    return pd.date_range(min(firsts), max(lasts), periods=max(1, min(count, longest)) + 1)


def compute_symbol_coverage(
    inventory: SymbolInventory, edges: pd.DatetimeIndex
) -> list[tuple[bool, float]]:
    """Of each part: whether the symbol's calendar has bars then, and the share that is there.

    Before its first bar and after its last a symbol has none, and none is there.
    """
    plain = np.asarray(edges.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")
    found = compute_coverage(inventory.bars, inventory.expected, plain)
    stamps = inventory.bars["timestamp"]
    outside = (edges[1:] <= stamps.iloc[0]) | (edges[:-1] > stamps.iloc[-1])
    return [
        (bool(out) or not np.isnan(share), 0.0 if np.isnan(share) else float(share))
        for out, share in zip(outside, found, strict=True)
    ]


def _source_inventory(
    source: BarSource, dataset: Dataset, context: DataContext
) -> SourceInventory:
    if source.cache_key is None:
        return _uncached_inventory(source, dataset, context)
    found = {
        symbol: read_cached_symbol(source, symbol, dataset, context) for symbol in dataset.symbols
    }
    held: dict[str, VersionedBars] = {
        symbol: each for symbol, each in found.items() if each and len(each.bars)
    }
    if not held:
        return SourceInventory(source.label, {})
    return SourceInventory(
        source.label,
        {
            symbol: _symbol_inventory(each.bars, dataset, len(each.vintages))
            for symbol, each in held.items()
        },
        max(each.fetched_at for each in held.values()),
        list_dataset_vintages(held) if len(held) == len(found) else [],
    )


def _uncached_inventory(
    source: BarSource, dataset: Dataset, context: DataContext
) -> SourceInventory:
    lines = {}
    for symbol in dataset.symbols:
        gate = context.quality_gate(dataset)
        request = BarRequest(
            symbol, dataset.interval, None, context.now, context.progress, gate=gate
        )
        try:
            bars = sort_bars(normalise_bars(source.fetch(request), symbol))
        except DataError as error:
            return SourceInventory(source.label, {}, problem=f"{error.problem} ({error.where})")
        if len(bars):
            lines[symbol] = _symbol_inventory(bars, dataset, 0)
    return SourceInventory(source.label, lines)


def _symbol_inventory(bars: BarsFrame, dataset: Dataset, vintages: int) -> SymbolInventory:
    expected = infer_expected_timestamps(bars, dataset.calendar, dataset.interval)
    return SymbolInventory(bars, expected, find_gaps(bars, expected), vintages)
