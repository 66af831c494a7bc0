"""From the sources of a dataset, in their order, to sound bars of all its symbols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.access import Access
from engine.data.bars import stamp_text
from engine.data.network import PATIENCE_S, first_hop, require_reachable
from engine.data.pulling import Pull, Pulled, held_of, pull
from engine.data.roll import Roll
from engine.data.sources.opening import open_feed
from engine.errors import PartlyUnreachableError, SourceError, UnreachableError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.data.manifests import Manifest
    from engine.data.sources.feed import Feed
    from engine.data.spec import Dataset
    from engine.data.vintages import Held, Vintage
    from engine.types import BarsFrame

__all__ = ["Access", "Collected", "collect"]


@dataclass(frozen=True)
class Collected:
    """Bars of every symbol of a dataset, all from one source.

    Attributes:
        frames: Sound bars within the dataset's start and end, symbol by symbol.
        origins: Where each symbol's bars came from, for the run's manifest.
        vintages: Which vintage each symbol's bars are of; empty where the source is not cached.
    """

    frames: dict[str, BarsFrame]
    origins: dict[str, str]
    vintages: dict[str, Vintage] = field(default_factory=dict)


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
    feeds = open_feeds(manifest, access)
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


def open_feeds(manifest: Manifest, access: Access) -> list[Feed]:
    """The feeds of a dataset's sources, in their order."""
    folder = manifest.path.parent
    return [
        open_feed(
            source,
            manifest=folder,
            home=access.home,
            clients=access.clients,
            interval=manifest.dataset.interval,
            calendar=manifest.dataset.calendar,
        )
        for source in manifest.dataset.sources
    ]


def _deliver(feed: Feed, dataset: Dataset, access: Access, patience_s: float) -> Collected:
    """Bars of all symbols from one feed, each from the cache where that is current.

    What came is in the cache at once, so that after a failure, or a process that was killed, only
    the others are asked for.
    """
    connect = Connection(feed, access, patience_s)
    roll = Roll(feed, dataset, access.progress)
    found: dict[str, Pulled] = {}
    frames: dict[str, BarsFrame] = {}
    for count, symbol in enumerate(dataset.symbols):
        access.progress.advance(count, len(dataset.symbols), f"{symbol} from {feed.label}")
        try:
            found[symbol] = pull_symbol(feed, symbol, dataset, access, connect)
            frames[symbol] = within(found[symbol].bars, symbol, feed, dataset, access)
        except SourceError as error:
            if not connect.reached:
                raise
            roll.miss(symbol, error)
            if roll.gone:
                break
        else:
            roll.came(symbol, frames[symbol], asked=found[symbol].asked)
    roll.require_all()
    return _collected(feed, frames, {symbol: found[symbol].held for symbol in frames})


class Connection:
    """Whether a feed's server can be reached, asked before it is first needed.

    Args:
        feed: Whose server.
        access: Whether the network may be used.
        patience_s: Seconds to wait for the server.

    Attributes:
        reached: Whether it was.
    """

    def __init__(self, feed: Feed, access: Access, patience_s: float = PATIENCE_S) -> None:
        self._feed = feed
        self._network = access.network
        self._patience_s = patience_s
        self.reached = False

    def __call__(self) -> None:
        """Connects once and hangs up.

        Raises:
            UnreachableError: There is no connection, or the network is not to be used.
            SourceError: The source does not exist.
        """
        url = None if self.reached else self._feed.url()
        if url is not None and not self._network:
            raise UnreachableError(
                "the network is not to be used", where=url, fix="leave --offline out"
            )
        if url is not None:
            require_reachable(first_hop(url), self._patience_s)
        self.reached = True


def pull_symbol(
    feed: Feed, symbol: str, dataset: Dataset, access: Access, connect: Connection
) -> Pulled:
    """Bars of one symbol from one feed; those that are missing are asked for and kept.

    Raises:
        SourceError: The feed does not deliver, or may not be asked.
        BadBarsError: Bars came and cannot be trusted.
        DataError: The bars cannot be kept.
    """
    order = Pull(
        feed=feed,
        symbol=symbol,
        dataset=dataset,
        access=access,
        since=_since(dataset),
        until=_until(dataset, access),
        require=lambda bars: within(bars, symbol, feed, dataset, access),
        connect=connect,
    )
    return pull(order)


def _collected(
    feed: Feed, frames: dict[str, BarsFrame], held: dict[str, Held | None]
) -> Collected:
    return Collected(
        frames,
        {symbol: feed.origin(symbol) for symbol in frames},
        {symbol: each.newest for symbol, each in held.items() if each},
    )


def _stored(feed: Feed, dataset: Dataset, access: Access) -> Collected | None:
    """What the cache holds of all symbols, however old; None where one is missing."""
    held = {symbol: held_of(feed, symbol, dataset, access) for symbol in dataset.symbols}
    whole = {
        symbol: each
        for symbol, each in held.items()
        if each and each.reaches_back(_since(dataset))
    }
    if len(whole) < len(held):
        return None
    oldest = min(each.pulled for each in whole.values())
    access.notice(f"{feed.label}: cached bars are used, pulled at {oldest:%Y-%m-%d %H:%M} UTC")
    frames = {
        symbol: within(each.bars, symbol, feed, dataset, access) for symbol, each in whole.items()
    }
    return _collected(feed, frames, held)


def within(
    bars: BarsFrame, symbol: str, feed: Feed, dataset: Dataset, access: Access
) -> BarsFrame:
    """The bars within the dataset's start and end, which passed the quality gate.

    Raises:
        SourceError: There are none.
        BadBarsError: They cannot be trusted.
    """
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
    return access.gate(dataset).admit(kept, dataset.interval, feed.place(symbol))


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
