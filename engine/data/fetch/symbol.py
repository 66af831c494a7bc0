"""The bars of one symbol from one feed: what is held, what came since, and what was revised."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.bars import drop_unfinished_bar, normalise_bars
from engine.data.sources.base import BarRequest
from engine.data.store import cache
from engine.data.store.cache import DamagedCacheFile
from engine.data.store.vintages import VersionedBars

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.sources.base import BarSource

TAIL_OVERLAP_BARS = 100
"""Bars that are held and asked for again with the missing tail, to be compared."""


@dataclass(frozen=True)
class SymbolFetchTask:
    """One symbol's bars, to be had from one feed.

    Attributes:
        source: Where they come from.
        symbol: The dataset's name of them.
        dataset: Whose bars they are.
        context: How bars may be come by.
        since: First instant wanted; None for all there is.
        until: When the last bar wanted has finished, or now.
        require_valid: Refuses bars that cannot be trusted, before they are kept in the cache.
        connect: Refuses where the feed must not or cannot be asked.
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
    """What a pull came to.

    Attributes:
        bars: All bars that are at hand now.
        stored: What the cache holds of them; None where the feed is not cached.
        stored_before: What it held before; None where that was nothing.
        queried: Whether the feed was asked at all.
    """

    bars: BarsFrame
    stored: VersionedBars | None
    stored_before: VersionedBars | None
    queried: bool


def run_fetch_task(task: SymbolFetchTask) -> SymbolFetchResult:
    """The bars of one symbol; the feed is asked for those that are missing.

    A feed whose finished bars stay is asked for the tail, with bars that are held already. Where
    those are not the same any more, and of a feed whose prices are adjusted, all bars are asked
    for. What differs is kept as a new vintage and told.

    Raises:
        SourceError: The feed does not deliver, or may not be asked.
        InvalidBarsError: Bars came and cannot be trusted; what was held stays as it was.
        DataError: The bars cannot be kept.
    """
    feed = task.source
    if feed.cache_key is None:
        task.connect()
        return SymbolFetchResult(_fetch_since(task, task.since), None, None, queried=True)
    found = _read_if_current(task)
    if found is None:
        task.connect()
        with _task_lock(task):
            found = _read_if_current(task) or _fetch_and_store(task)
    return found


def read_cached_symbol(
    source: BarSource, symbol: str, dataset: Dataset, context: DataContext
) -> VersionedBars | None:
    """What the cache holds of a symbol; None where nothing can be read."""
    if source.cache_key is None:
        return None
    key = cache.CacheKey(source.cache_key, source.ticker(symbol), dataset.interval)
    found = cache.read_cache(context.home, key, symbol)
    return None if isinstance(found, DamagedCacheFile) else found


def _read_if_current(task: SymbolFetchTask) -> SymbolFetchResult | None:
    """What is held, if nothing can be missing.

    A tail is compared in any case, as it costs little; a feed of adjusted prices has none, and is
    not asked for whole histories again by who goes on with a pull that broke off.
    """
    held = read_cached_symbol(task.source, task.symbol, task.dataset, task.context)
    compared = task.context.fetch_mode == "all" or (
        task.context.fetch_mode == "tail" and task.source.append_only
    )
    if (
        held is None
        or compared
        or not held.covers_since(task.since)
        or not held.is_current(task.dataset.interval, task.until)
    ):
        return None
    return SymbolFetchResult(held.bars, held, held, queried=False)


def _fetch_and_store(task: SymbolFetchTask) -> SymbolFetchResult:
    key = _make_cache_key(task)
    before = cache.read_cache(task.context.home, key, task.symbol)
    if isinstance(before, DamagedCacheFile):
        task.context.notify(
            f"{task.symbol} of {task.source.label}: the file of its bars is damaged "
            f"({before.reason}); they are pulled anew, and its earlier vintages are lost"
        )
        before = None
    held = _fetch_update(task, before)
    task.require_valid(held.bars)
    cache.write_cache(task.context.home, key, held)
    if (
        before is not None
        and held.latest_vintage.revision
        and held.latest_vintage != before.latest_vintage
    ):
        told = held.latest_vintage.revision.describe(task.dataset.interval)
        task.context.notify(
            f"{task.symbol} of {task.source.label} was revised: {told}; vintage "
            f"{before.latest_vintage.id} keeps what it was, {held.latest_vintage.id} is the new "
            f"one"
        )
    return SymbolFetchResult(held.bars, held, before, queried=True)


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
        tail = _fetch_tail(task, stored)
        if tail is not None:
            return tail
    whole = _fetch_all(task, since)
    return stored.merge(whole, since, task.context.now, adjusted=not task.source.append_only)


def _fetch_all(task: SymbolFetchTask, since: pd.Timestamp | None) -> BarsFrame:
    """All bars of the feed; what keeping them would hide is judged before."""
    whole = _fetch_since(task, since)
    if whole.empty or not whole["timestamp"].is_monotonic_increasing:
        task.require_valid(whole)
        task.context.notify(
            f"{task.symbol} of {task.source.label}: bars came out of order, and are kept in order"
        )
    return whole


def _fetch_tail(task: SymbolFetchTask, stored: VersionedBars) -> VersionedBars | None:
    """What is held and came since; None where the feed's past is not the one held."""
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
    interval, access = task.dataset.interval, task.context
    gate = access.quality_gate(task.dataset)
    request = BarRequest(
        task.symbol, interval, since, access.now, access.progress, access.notify, gate
    )
    return drop_unfinished_bar(
        normalise_bars(task.source.fetch(request), task.symbol), interval, access.now
    )


def _make_cache_key(task: SymbolFetchTask) -> cache.CacheKey:
    feed = task.source
    assert feed.cache_key is not None
    return cache.CacheKey(feed.cache_key, feed.ticker(task.symbol), task.dataset.interval)


@contextmanager
def _task_lock(task: SymbolFetchTask) -> Iterator[None]:
    def waiting(who: str) -> None:
        # Not part of what a run says of its data: the bars are the same with and without.
        task.context.progress.notice(
            f"{task.symbol} of {task.source.label}: {who} is pulling the same bars, waiting for it"
        )

    with cache.fetch_lock(task.context.home, _make_cache_key(task), waiting):
        yield
