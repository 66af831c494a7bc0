"""Fetches the bars of one symbol from one source: what is missing in the cache, and no more."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.storage import storage_error
from engine.data.fetch.request import request_finished_bars
from engine.data.store.cache import (
    CacheKey,
    DamagedCacheFile,
    fetch_lock,
    keep_damaged_file,
    read_cache,
    read_cached_symbol,
    write_cache,
)
from engine.data.store.vintages import VersionedBars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.sources.base import BarSource

TAIL_OVERLAP_BARS = 100
"""Cached bars that are requested again with the missing tail, for comparison."""


@dataclass(frozen=True)
class SymbolFetchTask:
    """The request for one symbol's bars from one source.

    Attributes:
        source: Where they come from.
        symbol: The dataset's name of the symbol.
        dataset: The dataset.
        context: How bars may be fetched.
        since: First instant wanted; None for all there is.
        until: When the last bar wanted has ended, or now.
        require_valid: Raises on bars that cannot be trusted, before they are cached.
        connect: Raises where the source must not or cannot be requested.
    """

    source: BarSource
    symbol: str
    dataset: Dataset
    context: DataContext
    since: pd.Timestamp | None
    until: pd.Timestamp
    require_valid: Callable[[BarsFrame], object]
    connect: Callable[[], None]


@dataclass(frozen=True)
class SymbolFetchResult:
    """The result of a `SymbolFetchTask`.

    Attributes:
        bars: All bars that are available now.
        stored: What the cache holds of them; None where the source is not cached.
        stored_before: What it held before; None where that was nothing.
        queried: Whether the source was requested at all.
    """

    bars: BarsFrame
    stored: VersionedBars | None
    stored_before: VersionedBars | None
    queried: bool


def run_fetch_task(task: SymbolFetchTask) -> SymbolFetchResult:
    """The bars of one symbol; those that are missing in the cache are requested from the source.

    A source whose finished bars do not change is asked for the tail, which overlaps the cached
    bars. Where the overlap differs, and of a source with adjusted prices, all bars are requested.
    A difference is stored as a new vintage and reported in a notice.

    Raises:
        SourceError: The source does not deliver, or may not be requested.
        InvalidBarsError: Bars were received and cannot be trusted; the cache stays as it was.
        StorageError: The bars cannot be stored, or the disk does not let the cached ones be read.
    """
    if task.source.cache_key is None:
        task.connect()
        return SymbolFetchResult(_fetch_since(task, task.since), None, None, queried=True)
    result = _read_if_current(task)
    if result is None:
        task.connect()
        with _task_lock(task):
            result = _read_if_current(task) or _fetch_and_store(task)
    return result


def _read_if_current(task: SymbolFetchTask) -> SymbolFetchResult | None:
    """The cached bars, if none can be missing.

    Fetch mode `tail` always compares the tail, which costs little. Adjusted prices have no tail:
    their whole history is not requested again when an interrupted pull is resumed.
    """
    stored = read_cached_symbol(task.context.home, task.source, task.symbol, task.dataset.interval)
    always_compared = task.context.fetch_mode == "all" or (
        task.context.fetch_mode == "tail" and task.source.append_only
    )
    if (
        stored is None
        or always_compared
        or not stored.covers_since(task.since)
        or not stored.is_current(task.dataset.bar_times, task.until, task.source.publication_delay)
    ):
        return None
    return SymbolFetchResult(stored.bars, stored, stored, queried=False)


def _fetch_and_store(task: SymbolFetchTask) -> SymbolFetchResult:
    key = _make_cache_key(task)
    found = read_cache(task.context.home, key, task.symbol)
    if isinstance(found, DamagedCacheFile) and found.disk_fault is not None:
        raise storage_error(
            "cached bars cannot be read",
            found.path,
            found.disk_fault,
            "move the file away: its bars are pulled again, without the earlier vintages",
        )
    before = None if isinstance(found, DamagedCacheFile) else found
    stored = _fetch_update(task, before)
    task.require_valid(stored.bars)
    if isinstance(found, DamagedCacheFile):
        kept = keep_damaged_file(found, task.context.now)
        task.context.notify(
            f"{task.symbol} of {task.source.label}: the file of its bars is damaged "
            f"({found.reason}); they were pulled again. It is kept as {kept}, with the earlier "
            "vintages"
        )
    write_cache(task.context.home, key, stored)
    latest = stored.latest_vintage
    if before is not None and latest.revision and latest != before.latest_vintage:
        task.context.notify(
            f"{task.symbol} of {task.source.label} was revised: "
            f"{latest.revision.describe(task.dataset.interval)}; vintage "
            f"{before.latest_vintage.id} keeps the earlier bars, {latest.id} is the new one"
        )
    return SymbolFetchResult(stored.bars, stored, before, queried=True)


def _fetch_update(task: SymbolFetchTask, stored: VersionedBars | None) -> VersionedBars:
    if stored is None:
        return VersionedBars.from_first_fetch(
            _fetch_all(task, task.since), task.since, task.context.now
        )
    since = stored.requested_since if stored.covers_since(task.since) else task.since
    if (
        task.source.append_only
        and task.context.fetch_mode != "all"
        and since == stored.requested_since
    ):
        extended = _fetch_tail(task, stored)
        if extended is not None:
            return extended
    fetched = _fetch_all(task, since)
    return stored.merge(fetched, since, task.context.now, adjusted=not task.source.append_only)


def _fetch_all(task: SymbolFetchTask, since: pd.Timestamp | None) -> BarsFrame:
    """All bars of the source; those out of order are validated before the cache sorts them."""
    bars = _fetch_since(task, since)
    if bars.empty or not bars["timestamp"].is_monotonic_increasing:
        task.require_valid(bars)
        task.context.notify(
            f"{task.symbol} of {task.source.label}: bars came out of order, and are stored sorted"
        )
    return bars


def _fetch_tail(task: SymbolFetchTask, stored: VersionedBars) -> VersionedBars | None:
    """The stored bars and newer ones; None where the source's past differs from the stored one."""
    if stored.bars.empty:
        return None
    start = stored.bars["timestamp"].iloc[-min(TAIL_OVERLAP_BARS, len(stored.bars))]
    tail = _fetch_since(task, start)
    tail = tail[tail["timestamp"] >= start].reset_index(drop=True)
    if tail.empty or tail["timestamp"].iloc[0] != start:
        return None
    if not tail["timestamp"].is_monotonic_increasing:
        return None
    merged = stored.merge(tail, stored.requested_since, task.context.now)
    changed = merged.latest_vintage != stored.latest_vintage and merged.latest_vintage.revision
    return None if changed else merged


def _fetch_since(task: SymbolFetchTask, since: pd.Timestamp | None) -> BarsFrame:
    return request_finished_bars(task.source, task.symbol, task.dataset, task.context, since)


def _make_cache_key(task: SymbolFetchTask) -> CacheKey:
    assert task.source.cache_key is not None
    return CacheKey(task.source.cache_key, task.source.ticker(task.symbol), task.dataset.interval)


@contextmanager
def _task_lock(task: SymbolFetchTask) -> Iterator[None]:
    def notify_waiting(holder: str) -> None:
        # Not in the run's manifest: the bars are the same with and without the wait.
        task.context.progress.notice(
            f"{task.symbol} of {task.source.label}: waiting for {holder}, which is pulling the "
            "same bars"
        )

    with fetch_lock(task.context.home, _make_cache_key(task), notify_waiting):
        yield
