"""From the sources of a dataset, in their order, to sound bars of all its symbols."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import PartlyUnreachableError, SourceError, UnreachableError
from engine.data.bars import format_timestamp
from engine.data.context import DataContext
from engine.data.fetch.reachability import CONNECT_TIMEOUT_S, first_hop, require_reachable
from engine.data.fetch.status import FetchStatus
from engine.data.fetch.symbol import (
    SymbolFetchResult,
    SymbolFetchTask,
    read_cached_symbol,
    run_fetch_task,
)
from engine.data.sources.factory import open_source

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource
    from engine.data.store.vintages import VersionedBars, Vintage

__all__ = ["DataContext", "DatasetBars", "fetch_dataset"]


@dataclass(frozen=True)
class DatasetBars:
    """Bars of every symbol of a dataset, all from one source.

    Attributes:
        frames: Sound bars within the dataset's start and end, symbol by symbol.
        origins: Where each symbol's bars came from, for the run's manifest.
        vintages: Which vintage each symbol's bars are of; empty where the source is not cached.
    """

    frames: dict[str, BarsFrame]
    origins: dict[str, str]
    vintages: dict[str, Vintage] = field(default_factory=dict)


def fetch_dataset(manifest: DatasetManifest, context: DataContext) -> DatasetBars:
    """Bars from the first source that delivers all symbols.

    A source that is cached up to the last finished bar is not asked again. If no source delivers,
    the cache of the first that could not be reached serves, however old, and that is told.

    Raises:
        UnreachableError: No source could be reached, and none is cached.
        SourceError: No source delivered, and at least one was reached. What came of it is cached.
        InvalidBarsError: Bars came and cannot be trusted; no other source is tried, because that
            would hide it.
    """
    dataset = manifest.dataset
    feeds = create_sources(manifest, context)
    failures: list[tuple[BarSource, SourceError]] = []
    for feed in feeds:
        try:
            # A network that let one server wait in vain is given half as long for the next.
            return _fetch_from_source(
                feed, dataset, context, CONNECT_TIMEOUT_S / (1 + len(failures))
            )
        except SourceError as error:
            failures.append((feed, error))
            if context.network or feed.cache_key is None:
                context.notify(f"{feed.label}: {_summarise_error(error)}")
    silent = (UnreachableError, PartlyUnreachableError)
    for feed, failure in failures:
        stored = _read_all_cached(feed, dataset, context) if isinstance(failure, silent) else None
        if stored:
            return stored
    raise _all_sources_failed_error(manifest, failures, context)


def create_sources(manifest: DatasetManifest, context: DataContext) -> list[BarSource]:
    """The feeds of a dataset's sources, in their order."""
    folder = manifest.path.parent
    return [
        open_source(
            source,
            manifest_folder=folder,
            home=context.home,
            clients=context.clients,
            interval=manifest.dataset.interval,
            calendar=manifest.dataset.calendar,
        )
        for source in manifest.dataset.sources
    ]


def _fetch_from_source(
    source: BarSource, dataset: Dataset, context: DataContext, timeout_s: float
) -> DatasetBars:
    """Bars of all symbols from one feed, each from the cache where that is current.

    What came is in the cache at once, so that after a failure, or a process that was killed, only
    the others are asked for.
    """
    connect = SourceConnection(source, context, timeout_s)
    roll = FetchStatus(source, dataset, context.progress)
    found: dict[str, SymbolFetchResult] = {}
    frames: dict[str, BarsFrame] = {}
    for count, symbol in enumerate(dataset.symbols):
        context.progress.advance(count, len(dataset.symbols), f"{symbol} from {source.label}")
        try:
            found[symbol] = fetch_dataset_symbol(source, symbol, dataset, context, connect)
            frames[symbol] = select_valid_bars(
                found[symbol].bars, symbol, source, dataset, context
            )
        except SourceError as error:
            if not connect.reached:
                raise
            roll.add_failure(symbol, error)
            if roll.server_down:
                break
        else:
            roll.add(symbol, frames[symbol], queried=found[symbol].queried)
    roll.require_all_received()
    return _make_dataset_bars(source, frames, {symbol: found[symbol].stored for symbol in frames})


class SourceConnection:
    """Whether a feed's server can be reached, asked before it is first needed.

    Args:
        source: Whose server.
        context: Whether the network may be used.
        timeout_s: Seconds to wait for the server.

    Attributes:
        reached: Whether it was.
    """

    def __init__(
        self, source: BarSource, context: DataContext, timeout_s: float = CONNECT_TIMEOUT_S
    ) -> None:
        self._source = source
        self._network = context.network
        self._timeout_s = timeout_s
        self.reached = False

    def __call__(self) -> None:
        """Connects once and hangs up.

        Raises:
            UnreachableError: There is no connection, or the network is not to be used.
            SourceError: The source does not exist.
        """
        url = None if self.reached else self._source.url()
        if url is not None and not self._network:
            raise UnreachableError(
                "the network is not to be used", where=url, fix="leave --offline out"
            )
        if url is not None:
            require_reachable(first_hop(url), self._timeout_s)
        self.reached = True


def fetch_dataset_symbol(
    source: BarSource,
    symbol: str,
    dataset: Dataset,
    context: DataContext,
    connect: SourceConnection,
) -> SymbolFetchResult:
    """Bars of one symbol from one feed; those that are missing are asked for and kept.

    Raises:
        SourceError: The feed does not deliver, or may not be asked.
        InvalidBarsError: Bars came and cannot be trusted.
        DataError: The bars cannot be kept.
    """
    order = SymbolFetchTask(
        source=source,
        symbol=symbol,
        dataset=dataset,
        context=context,
        since=_dataset_start(dataset),
        until=_dataset_end(dataset, context),
        require_valid=lambda bars: select_valid_bars(bars, symbol, source, dataset, context),
        connect=connect,
    )
    return run_fetch_task(order)


def _make_dataset_bars(
    source: BarSource,
    frames: dict[str, BarsFrame],
    versioned_bars: dict[str, VersionedBars | None],
) -> DatasetBars:
    return DatasetBars(
        frames,
        {symbol: source.origin(symbol) for symbol in frames},
        {symbol: each.latest_vintage for symbol, each in versioned_bars.items() if each},
    )


def _read_all_cached(
    source: BarSource, dataset: Dataset, context: DataContext
) -> DatasetBars | None:
    """What the cache holds of all symbols, however old; None where one is missing."""
    held = {
        symbol: read_cached_symbol(source, symbol, dataset, context) for symbol in dataset.symbols
    }
    whole = {
        symbol: each
        for symbol, each in held.items()
        if each and each.covers_since(_dataset_start(dataset))
    }
    if len(whole) < len(held):
        return None
    oldest = min(each.fetched_at for each in whole.values())
    context.notify(f"{source.label}: cached bars are used, pulled at {oldest:%Y-%m-%d %H:%M} UTC")
    frames = {
        symbol: select_valid_bars(each.bars, symbol, source, dataset, context)
        for symbol, each in whole.items()
    }
    return _make_dataset_bars(source, frames, held)


def select_valid_bars(
    bars: BarsFrame, symbol: str, source: BarSource, dataset: Dataset, context: DataContext
) -> BarsFrame:
    """The bars within the dataset's start and end, which passed the quality gate.

    Raises:
        SourceError: There are none.
        InvalidBarsError: They cannot be trusted.
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
            found=_format_span(bars, dataset),
            where=f"{symbol}: {source.location(symbol)}",
            fix="change start or end of the dataset",
        )
    return context.quality_gate(dataset).validate(kept, dataset.interval, source.location(symbol))


def _format_span(bars: BarsFrame, dataset: Dataset) -> str:
    if bars.empty:
        return "no bars at all"
    first, last = bars["timestamp"].min(), bars["timestamp"].max()
    return (
        f"{format_timestamp(first, dataset.interval)} to "
        f"{format_timestamp(last, dataset.interval)}"
    )


def _dataset_start(dataset: Dataset) -> pd.Timestamp | None:
    return pd.Timestamp(dataset.start, tz="UTC") if dataset.start else None


def _dataset_end(dataset: Dataset, context: DataContext) -> pd.Timestamp:
    """When the last bar wanted has finished, or now."""
    if dataset.end is None:
        return context.now
    return min(context.now, pd.Timestamp(dataset.end, tz="UTC") + pd.Timedelta(days=1))


def _all_sources_failed_error(
    manifest: DatasetManifest,
    failures: Sequence[tuple[BarSource, SourceError]],
    context: DataContext,
) -> SourceError:
    reached = [error for _, error in failures if not isinstance(error, UnreachableError)]
    unreachable = not reached
    kind = UnreachableError if unreachable else SourceError
    how = "no source can be reached and nothing is cached" if unreachable else "no source delivers"
    repairs = [error.fix for error in reached if error.fix]
    repairs.append("check the network" if context.network else "run once with a network")
    repairs.append("use files, or a bundled dataset such as --data us-indices")
    return kind(
        f"dataset {manifest.dataset.name}: {how}",
        found="; ".join(f"{feed.label}: {_summarise_error(error)}" for feed, error in failures),
        where=str(manifest.path),
        fix="; or ".join(repairs),
    )


def _summarise_error(error: SourceError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
