"""From the sources of a dataset, in their order, to sound bars of all its symbols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.data import cache
from engine.data.bars import drop_unfinished, normalise, require_sound, stamp_text
from engine.data.network import PATIENCE_S, first_hop, require_reachable
from engine.data.roll import Roll
from engine.data.sources.feed import Feed, Request
from engine.data.sources.opening import open_feed
from engine.errors import PartlyUnreachableError, SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from engine.data.manifests import Manifest
    from engine.data.sources.clients import Clients
    from engine.data.spec import Dataset
    from engine.progress import Progress
    from engine.types import BarsFrame


@dataclass(frozen=True)
class Access:
    """How bars may be come by.

    Attributes:
        home: Folder that keeps state between runs.
        network: Whether the network may be used.
        now: The present instant.
        progress: Told what goes on.
        clients: How the network clients behave.
        said: Every notice so far, for the run's manifest.
    """

    home: Path
    network: bool
    now: pd.Timestamp
    progress: Progress
    clients: Clients
    said: list[str] = field(default_factory=list)

    def notice(self, text: str) -> None:
        """Tells the user, and remembers it."""
        self.progress.notice(text)
        self.said.append(text)


@dataclass(frozen=True)
class Collected:
    """Bars of every symbol of a dataset, all from one source.

    Attributes:
        frames: Sound bars within the dataset's start and end, symbol by symbol.
        origins: Where each symbol's bars came from, for the run's manifest.
    """

    frames: dict[str, BarsFrame]
    origins: dict[str, str]


def collect(manifest: Manifest, access: Access) -> Collected:
    """Bars from the first source that delivers all symbols.

    A source that is cached up to the last finished bar is not asked again. If no source delivers,
    the cache of the first that could not be reached serves, however old, and that is told.

    Raises:
        UnreachableError: No source could be reached, and none is cached.
        SourceError: No source delivered, and at least one was reached. What came of it is cached.
        BadBarsError: Bars came and cannot be trusted; no other source is tried, because that would
            hide it.
    """
    dataset = manifest.dataset
    feeds = [
        open_feed(source, manifest=manifest.path.parent, home=access.home, clients=access.clients)
        for source in dataset.sources
    ]
    failures: list[tuple[Feed, SourceError]] = []
    for feed in feeds:
        try:
            # A network that let one server wait in vain is given half as long for the next.
            return _deliver(feed, dataset, access, PATIENCE_S / (1 + len(failures)))
        except SourceError as error:
            failures.append((feed, error))
            if access.network or feed.cache_key is None:
                access.notice(f"{feed.label}: {_short(error)}")
    silent = (UnreachableError, PartlyUnreachableError)
    for feed, failure in failures:
        stored = _stored(feed, dataset, access) if isinstance(failure, silent) else None
        if stored:
            return stored
    raise _none_delivered(manifest, failures, access)


def _deliver(feed: Feed, dataset: Dataset, access: Access, patience_s: float) -> Collected:
    """Bars of all symbols from one feed, each from the cache where that is current.

    What came is in the cache at once, so that after a failure, or a process that was killed, only
    the others are asked for.
    """
    roll = Roll(feed, dataset, access.progress)
    frames: dict[str, BarsFrame] = {}
    reached = False
    for count, symbol in enumerate(dataset.symbols):
        access.progress.advance(count, len(dataset.symbols), f"{symbol} from {feed.label}")
        held = _read(feed, symbol, dataset, access)
        current = held and held.is_current(dataset.interval, _until(dataset, access))
        url = None if reached or current else feed.url()
        if url is not None:
            _require_network(url, access, patience_s)
        try:
            if held and current:
                frames[symbol] = _sound(held.bars, symbol, feed, dataset, access)
            else:
                reached = True
                frames[symbol] = _pull(feed, symbol, held, dataset, access)
        except SourceError as error:
            roll.miss(symbol, error)
        else:
            roll.came(symbol, frames[symbol], asked=not current)
    roll.require_all()
    return _collected(frames, feed)


def _collected(frames: dict[str, BarsFrame], feed: Feed) -> Collected:
    return Collected(frames, {symbol: feed.origin(symbol) for symbol in frames})


def _require_network(url: str, access: Access, patience_s: float) -> None:
    if not access.network:
        raise UnreachableError(
            "the network is not to be used", where=url, fix="leave --offline out"
        )
    require_reachable(first_hop(url), patience_s)


def _pull(
    feed: Feed, symbol: str, held: cache.Cached | None, dataset: Dataset, access: Access
) -> BarsFrame:
    """Bars asked of the feed, which the cache keeps once they have proved sound."""
    since = _since(dataset)
    whole = _extend(feed, symbol, held, dataset, access) if held and feed.appends else None
    if whole is None:
        whole = _ask(feed, symbol, since, dataset, access)
    elif held:
        since = held.since
    sound = _sound(whole, symbol, feed, dataset, access)
    if feed.cache_key is not None:
        key = cache.Key(feed.cache_key, feed.ticker(symbol), dataset.interval)
        cache.write(access.home, key, cache.Cached(whole, since, access.now))
    return sound


def _extend(
    feed: Feed, symbol: str, held: cache.Cached, dataset: Dataset, access: Access
) -> BarsFrame | None:
    """Cached bars and those that came since; None where the feed's past is not the cached one."""
    last = held.bars.iloc[[-1]].reset_index(drop=True)
    tail = _ask(feed, symbol, last["timestamp"].iloc[0], dataset, access)
    if not tail.iloc[:1].equals(last):
        return None
    return pd.concat([held.bars, tail.iloc[1:]], ignore_index=True)


def _ask(
    feed: Feed, symbol: str, since: pd.Timestamp | None, dataset: Dataset, access: Access
) -> BarsFrame:
    request = Request(symbol, dataset.interval, since, access.now, access.progress)
    bars = normalise(feed.fetch(request), symbol)
    return drop_unfinished(bars, dataset.interval, access.now)


def _read(feed: Feed, symbol: str, dataset: Dataset, access: Access) -> cache.Cached | None:
    """Cached bars, if they reach back far enough."""
    if feed.cache_key is None:
        return None
    key = cache.Key(feed.cache_key, feed.ticker(symbol), dataset.interval)
    held = cache.read(access.home, key, symbol)
    return held if held and held.reaches_back(_since(dataset)) else None


def _stored(feed: Feed, dataset: Dataset, access: Access) -> Collected | None:
    """What the cache holds of all symbols, however old; None where one is missing."""
    held = {symbol: _read(feed, symbol, dataset, access) for symbol in dataset.symbols}
    whole = {symbol: found for symbol, found in held.items() if found}
    if len(whole) < len(held):
        return None
    oldest = min(found.pulled for found in whole.values())
    access.notice(f"{feed.label}: cached bars are used, pulled at {oldest:%Y-%m-%d %H:%M} UTC")
    frames = {
        symbol: _sound(found.bars, symbol, feed, dataset, access)
        for symbol, found in whole.items()
    }
    return _collected(frames, feed)


def _sound(
    bars: BarsFrame, symbol: str, feed: Feed, dataset: Dataset, access: Access
) -> BarsFrame:
    """The bars within the dataset's start and end, proved sound."""
    days = bars["timestamp"].dt.tz_localize(None)
    wanted = pd.Series(data=True, index=bars.index)
    if dataset.start:
        wanted &= days >= pd.Timestamp(dataset.start)
    if dataset.end:
        wanted &= days < pd.Timestamp(dataset.end) + pd.Timedelta(days=1)
    kept = bars[wanted].reset_index(drop=True)
    if kept.empty:
        raise SourceError(
            f"no bars of {symbol} in the span of the dataset",
            expected=f"bars from {dataset.start or 'the first'} to {dataset.end or 'the last'}",
            found=_span(bars, dataset),
            where=f"{symbol}: {feed.place(symbol)}",
            fix="change start or end of the dataset",
        )
    require_sound(kept, dataset.interval, access.now, feed.place(symbol))
    return kept


def _span(bars: BarsFrame, dataset: Dataset) -> str:
    if bars.empty:
        return "no bars at all"
    first, last = bars["timestamp"].min(), bars["timestamp"].max()
    return f"{stamp_text(first, dataset.interval)} to {stamp_text(last, dataset.interval)}"


def _since(dataset: Dataset) -> pd.Timestamp | None:
    return pd.Timestamp(dataset.start, tz="UTC") if dataset.start else None


def _until(dataset: Dataset, access: Access) -> pd.Timestamp:
    """When the last bar wanted has finished, or now."""
    if dataset.end is None:
        return access.now
    return min(access.now, pd.Timestamp(dataset.end, tz="UTC") + pd.Timedelta(days=1))


def _none_delivered(
    manifest: Manifest, failures: Sequence[tuple[Feed, SourceError]], access: Access
) -> SourceError:
    reached = [error for _, error in failures if not isinstance(error, UnreachableError)]
    unreachable = not reached
    kind = UnreachableError if unreachable else SourceError
    how = "no source can be reached and nothing is cached" if unreachable else "no source delivers"
    repairs = [error.fix for error in reached if error.fix]
    repairs.append("check the network" if access.network else "run once with a network")
    repairs.append("use files, or a bundled dataset such as --data us-indices")
    return kind(
        f"dataset {manifest.dataset.name}: {how}",
        found="; ".join(f"{feed.label}: {_short(error)}" for feed, error in failures),
        where=str(manifest.path),
        fix="; or ".join(repairs),
    )


def _short(error: SourceError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
