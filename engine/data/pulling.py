"""The bars of one symbol from one feed: what is held, what came since, and what was revised."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data import cache
from engine.data.bars import drop_unfinished, normalise
from engine.data.cache import Damaged
from engine.data.sources.feed import Request
from engine.data.vintages import Held

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import pandas as pd

    from engine.data.access import Access
    from engine.data.sources.feed import Feed
    from engine.data.spec import Dataset
    from engine.types import BarsFrame

OVERLAP = 100
"""Bars that are held and asked for again with the missing tail, to be compared."""


@dataclass(frozen=True)
class Pull:
    """One symbol's bars, to be had from one feed.

    Attributes:
        feed: Where they come from.
        symbol: The dataset's name of them.
        dataset: Whose bars they are.
        access: How bars may be come by.
        since: First instant wanted; None for all there is.
        until: When the last bar wanted has finished, or now.
        require: Refuses bars that cannot be trusted, before they are kept in the cache.
        connect: Refuses where the feed must not or cannot be asked.
    """

    feed: Feed
    symbol: str
    dataset: Dataset
    access: Access
    since: pd.Timestamp | None
    until: pd.Timestamp
    require: Callable[[BarsFrame], object]
    connect: Callable[[], None]


@dataclass(frozen=True)
class Pulled:
    """What a pull came to.

    Attributes:
        bars: All bars that are at hand now.
        held: What the cache holds of them; None where the feed is not cached.
        before: What it held before; None where that was nothing.
        asked: Whether the feed was asked at all.
    """

    bars: BarsFrame
    held: Held | None
    before: Held | None
    asked: bool


def pull(order: Pull) -> Pulled:
    """The bars of one symbol; the feed is asked for those that are missing.

    A feed whose finished bars stay is asked for the tail, with bars that are held already. Where
    those are not the same any more, and of a feed whose prices are adjusted, all bars are asked
    for. What differs is kept as a new vintage and told.

    Raises:
        SourceError: The feed does not deliver, or may not be asked.
        BadBarsError: Bars came and cannot be trusted; what was held stays as it was.
        DataError: The bars cannot be kept.
    """
    feed = order.feed
    if feed.cache_key is None:
        order.connect()
        return Pulled(_ask(order, order.since), None, None, asked=True)
    found = _settled(order)
    if found is None:
        order.connect()
        with _alone(order):
            found = _settled(order) or _renewed(order)
    return found


def held_of(feed: Feed, symbol: str, dataset: Dataset, access: Access) -> Held | None:
    """What the cache holds of a symbol; None where nothing can be read."""
    if feed.cache_key is None:
        return None
    key = cache.Key(feed.cache_key, feed.ticker(symbol), dataset.interval)
    found = cache.read(access.home, key, symbol)
    return None if isinstance(found, Damaged) else found


def _settled(order: Pull) -> Pulled | None:
    """What is held, if nothing can be missing.

    A tail is compared in any case, as it costs little; a feed of adjusted prices has none, and is
    not asked for whole histories again by who goes on with a pull that broke off.
    """
    held = held_of(order.feed, order.symbol, order.dataset, order.access)
    compared = order.access.ask == "all" or (order.access.ask == "tail" and order.feed.appends)
    if (
        held is None
        or compared
        or not held.reaches_back(order.since)
        or not held.is_current(order.dataset.interval, order.until)
    ):
        return None
    return Pulled(held.bars, held, held, asked=False)


def _renewed(order: Pull) -> Pulled:
    key = _key(order)
    before = cache.read(order.access.home, key, order.symbol)
    if isinstance(before, Damaged):
        order.access.notice(
            f"{order.symbol} of {order.feed.label}: the file of its bars is damaged "
            f"({before.reason}); they are pulled anew, and its earlier vintages are lost"
        )
        before = None
    held = _fresh(order, before)
    order.require(held.bars)
    cache.write(order.access.home, key, held)
    if before is not None and held.newest.revision and held.newest != before.newest:
        told = held.newest.revision.sentence(order.dataset.interval)
        order.access.notice(
            f"{order.symbol} of {order.feed.label} was revised: {told}; vintage "
            f"{before.newest.id} keeps what it was, {held.newest.id} is the new one"
        )
    return Pulled(held.bars, held, before, asked=True)


def _fresh(order: Pull, before: Held | None) -> Held:
    if before is None:
        return Held.first(_whole(order, order.since), order.since, order.access.now)
    since = before.since if before.reaches_back(order.since) else order.since
    if order.feed.appends and order.access.ask != "all" and since == before.since:
        tail = _extended(order, before)
        if tail is not None:
            return tail
    whole = _whole(order, since)
    return before.merged(whole, since, order.access.now, adjusted=not order.feed.appends)


def _whole(order: Pull, since: pd.Timestamp | None) -> BarsFrame:
    """All bars of the feed; what keeping them would hide is judged before."""
    whole = _ask(order, since)
    if whole.empty or not whole["timestamp"].is_monotonic_increasing:
        order.require(whole)
        order.access.notice(
            f"{order.symbol} of {order.feed.label}: bars came out of order, and are kept in order"
        )
    return whole


def _extended(order: Pull, before: Held) -> Held | None:
    """What is held and came since; None where the feed's past is not the one held."""
    if before.bars.empty:
        return None
    start = before.bars["timestamp"].iloc[-min(OVERLAP, len(before.bars))]
    tail = _ask(order, start)
    tail = tail[tail["timestamp"] >= start].reset_index(drop=True)
    if tail.empty or tail["timestamp"].iloc[0] != start:
        return None
    if not tail["timestamp"].is_monotonic_increasing:
        return None
    merged = before.merged(tail, before.since, order.access.now)
    changed = merged.newest != before.newest and merged.newest.revision
    return None if changed else merged


def _ask(order: Pull, since: pd.Timestamp | None) -> BarsFrame:
    interval, access = order.dataset.interval, order.access
    gate = access.gate(order.dataset)
    request = Request(
        order.symbol, interval, since, access.now, access.progress, access.notice, gate
    )
    return drop_unfinished(
        normalise(order.feed.fetch(request), order.symbol), interval, access.now
    )


def _key(order: Pull) -> cache.Key:
    feed = order.feed
    assert feed.cache_key is not None
    return cache.Key(feed.cache_key, feed.ticker(order.symbol), order.dataset.interval)


@contextmanager
def _alone(order: Pull) -> Iterator[None]:
    def waiting(who: str) -> None:
        # Not part of what a run says of its data: the bars are the same with and without.
        order.access.progress.notice(
            f"{order.symbol} of {order.feed.label}: {who} is pulling the same bars, waiting for it"
        )

    with cache.pulling(order.access.home, _key(order), waiting):
        yield
