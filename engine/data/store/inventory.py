"""The bars of a dataset that are available without the network: cached, files, bundled."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import DataError
from engine.data.bars import normalise_bars, sort_bars
from engine.data.coverage import Gap, compute_coverage, find_gaps, infer_expected_timestamps
from engine.data.sources.base import BarRequest
from engine.data.sources.factory import create_sources
from engine.data.store.cache import read_cached_symbol, report_damaged_files
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
        bars: All that are available, ascending, whatever the dataset's start and end.
        expected: When its calendar has bars from the first of these to the last.
        gaps: Runs of expected bars that are missing, ascending.
        vintage_count: Number of listed vintages; 0 where the source is not cached.
    """

    bars: BarsFrame
    expected: npt.NDArray[np.datetime64]
    gaps: list[Gap]
    vintage_count: int


@dataclass(frozen=True)
class SourceInventory:
    """The available bars of one source.

    Attributes:
        label: The source.
        symbols: Symbol -> its bars; symbols without any are left out.
        fetched_at: When the source was last requested; None where it is not cached or never was.
        vintages: The vintages of all symbols together, oldest first.
        problem: Why nothing can be read; empty if it can.
    """

    label: str
    symbols: dict[str, SymbolInventory]
    fetched_at: pd.Timestamp | None = None
    vintages: list[DatasetVintage] = field(default_factory=list)
    problem: str = ""


def list_inventory(manifest: DatasetManifest, context: DataContext) -> list[SourceInventory]:
    """The available bars of each source of a dataset, in their order.

    Raises:
        UsageError: The dataset's calendar does not exist.
    """
    return [
        _source_inventory(source, manifest.dataset, context)
        for source in create_sources(manifest, home=context.home, clients=context.clients)
    ]


def divide_time_span(inventory: SourceInventory, count: int) -> pd.DatetimeIndex:
    """The edges of equal parts of the time from the first bar of any symbol to the last.

    Args:
        inventory: With at least one symbol.
        count: Parts wanted; fewer where there are fewer bars.
    """
    firsts = [each.bars["timestamp"].iloc[0] for each in inventory.symbols.values()]
    lasts = [each.bars["timestamp"].iloc[-1] for each in inventory.symbols.values()]
    longest = max(len(each.expected) for each in inventory.symbols.values())
    return pd.date_range(min(firsts), max(lasts), periods=max(1, min(count, longest)) + 1)


def compute_symbol_coverage(
    inventory: SymbolInventory, edges: pd.DatetimeIndex
) -> list[tuple[bool, float]]:
    """Of each part: whether the symbol has expected bars, and the share that is available.

    Parts before its first bar and after its last count as expected, with a share of 0.
    """
    instants = np.asarray(edges.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")
    shares = compute_coverage(inventory.bars, inventory.expected, instants)
    stamps = inventory.bars["timestamp"]
    outside = (edges[1:] <= stamps.iloc[0]) | (edges[:-1] > stamps.iloc[-1])
    return [
        (bool(out) or not np.isnan(share), 0.0 if np.isnan(share) else float(share))
        for out, share in zip(outside, shares, strict=True)
    ]


def _source_inventory(
    source: BarSource, dataset: Dataset, context: DataContext
) -> SourceInventory:
    if source.cache_key is None:
        return _uncached_inventory(source, dataset, context)
    report_damaged_files(context.home, source, dataset, context.notify)
    cached = {
        symbol: read_cached_symbol(context.home, source, symbol, dataset.interval)
        for symbol in dataset.symbols
    }
    with_bars: dict[str, VersionedBars] = {
        symbol: each for symbol, each in cached.items() if each and len(each.bars)
    }
    if not with_bars:
        return SourceInventory(source.label, {})
    return SourceInventory(
        source.label,
        {
            symbol: _symbol_inventory(each.bars, dataset, len(each.vintages))
            for symbol, each in with_bars.items()
        },
        max(each.fetched_at for each in with_bars.values()),
        list_dataset_vintages(with_bars) if len(with_bars) == len(cached) else [],
    )


def _uncached_inventory(
    source: BarSource, dataset: Dataset, context: DataContext
) -> SourceInventory:
    symbols = {}
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
            symbols[symbol] = _symbol_inventory(bars, dataset, 0)
    return SourceInventory(source.label, symbols)


def _symbol_inventory(bars: BarsFrame, dataset: Dataset, vintage_count: int) -> SymbolInventory:
    expected = infer_expected_timestamps(bars, dataset.calendar, dataset.interval)
    return SymbolInventory(bars, expected, find_gaps(bars, expected), vintage_count)
