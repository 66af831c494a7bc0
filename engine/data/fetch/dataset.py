"""Fetches the bars of a dataset from its sources, in their order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import PartlyUnreachableError, SourceError, UnreachableError
from engine.data.fetch._status import FetchStatus
from engine.data.fetch.reachability import CONNECT_TIMEOUT_S, first_hop, require_reachable
from engine.data.fetch.symbol import SymbolFetchResult, SymbolFetchTask, run_fetch_task
from engine.data.sources.factory import create_sources
from engine.data.store.cache import read_cached_symbol, report_damaged_files
from engine.data.store.dataset_bars import DatasetBars, select_valid_bars

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame
    from engine.data.config import Dataset
    from engine.data.context import DataContext
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource


def fetch_dataset(manifest: DatasetManifest, context: DataContext) -> DatasetBars:
    """Bars from the first source that delivers all symbols.

    A source that is cached up to the last finished bar is not requested again. If no source
    delivers, the cache of the first that could not be reached is used, however old, and a notice
    says so.

    Raises:
        UnreachableError: No source could be reached, and none is cached.
        SourceError: No source delivered, and at least one was reached. What it sent is cached.
        InvalidBarsError: Bars were received and cannot be trusted; no other source is tried,
            because that would hide it.
    """
    dataset = manifest.dataset
    failures: list[tuple[BarSource, SourceError]] = []
    for source in create_sources(manifest, home=context.home, clients=context.clients):
        try:
            # Where one server did not answer, the next is waited for half as long.
            return _fetch_from_source(
                source, dataset, context, CONNECT_TIMEOUT_S / (1 + len(failures))
            )
        except SourceError as error:
            failures.append((source, error))
            if context.network or source.cache_key is None:
                context.notify(f"{source.label}: {_summarise_error(error)}")
    return _read_cache_instead(manifest, failures, context)


def _read_cache_instead(
    manifest: DatasetManifest,
    failures: Sequence[tuple[BarSource, SourceError]],
    context: DataContext,
) -> DatasetBars:
    """The cached bars of the first source that could not be reached, however old.

    Raises:
        SourceError: None are cached, or they are damaged.
    """
    damaged: list[str] = []
    dataset = manifest.dataset
    for source, failure in failures:
        damaged += report_damaged_files(context.home, source, dataset, context.notify)
        if isinstance(failure, (UnreachableError, PartlyUnreachableError)):
            cached = _read_all_cached(source, dataset, context)
            if cached:
                return cached
    if damaged:
        raise _damaged_cache_error(manifest, damaged, failures)
    raise _all_sources_failed_error(manifest, failures, context)


def _fetch_from_source(
    source: BarSource, dataset: Dataset, context: DataContext, timeout_s: float
) -> DatasetBars:
    """Bars of all symbols from one source, each from the cache where that is current.

    Each symbol is cached as soon as it is received, so that after a failure, or a process that was
    killed, only the others are requested.
    """
    connect = SourceConnection(source, context, timeout_s)
    status = FetchStatus(source, dataset, context.progress)
    results: dict[str, SymbolFetchResult] = {}
    frames: dict[str, BarsFrame] = {}
    for count, symbol in enumerate(dataset.symbols):
        context.progress.advance(count, len(dataset.symbols), f"{symbol} from {source.label}")
        try:
            own = dataset.of_symbol(symbol)
            results[symbol] = fetch_dataset_symbol(source, symbol, own, context, connect)
            frames[symbol] = select_valid_bars(results[symbol].bars, symbol, source, own, context)
        except SourceError as error:
            if not connect.reached:
                raise
            status.add_failure(symbol, error)
            if status.server_down:
                break
        else:
            status.add(symbol, frames[symbol], queried=results[symbol].queried)
    status.require_all_received()
    return DatasetBars.from_versions(
        source, frames, {symbol: results[symbol].stored for symbol in frames}
    )


class SourceConnection:
    """Checks once, before the first request, that a source's server can be reached.

    Args:
        source: The source.
        context: Whether the network may be used.
        timeout_s: Seconds to wait for the server.

    Attributes:
        reached: Whether it was reached.
    """

    def __init__(
        self, source: BarSource, context: DataContext, timeout_s: float = CONNECT_TIMEOUT_S
    ) -> None:
        self._source = source
        self._network = context.network
        self._timeout_s = timeout_s
        self.reached = False

    def __call__(self) -> None:
        """Connects once and disconnects.

        Raises:
            UnreachableError: There is no connection, or the network may not be used.
            SourceError: The source does not exist.
        """
        url = None if self.reached else self._source.url()
        if url is not None and not self._network:
            raise UnreachableError(
                "the network may not be used", where=url, fix="leave --offline out"
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
    """Bars of one symbol from one source; those that are missing are requested and cached.

    Raises:
        SourceError: The source does not deliver, or may not be requested.
        InvalidBarsError: Bars were received and cannot be trusted.
        StorageError: The bars cannot be stored.
    """
    task = SymbolFetchTask(
        source=source,
        symbol=symbol,
        dataset=dataset,
        context=context,
        since=_dataset_start(dataset),
        until=_dataset_end(dataset, context),
        require_valid=lambda bars: select_valid_bars(bars, symbol, source, dataset, context),
        connect=connect,
    )
    return run_fetch_task(task)


def _read_all_cached(
    source: BarSource, dataset: Dataset, context: DataContext
) -> DatasetBars | None:
    """What the cache holds of all symbols, however old; None where one is missing."""
    cached = {
        symbol: read_cached_symbol(context.home, source, symbol, dataset.interval)
        for symbol in dataset.symbols
    }
    usable = {
        symbol: each
        for symbol, each in cached.items()
        if each and each.covers_since(_dataset_start(dataset))
    }
    if len(usable) < len(cached):
        return None
    oldest = min(each.fetched_at for each in usable.values())
    context.notify(f"{source.label}: cached bars are used, pulled at {oldest:%Y-%m-%d %H:%M} UTC")
    frames = {
        symbol: select_valid_bars(each.bars, symbol, source, dataset.of_symbol(symbol), context)
        for symbol, each in usable.items()
    }
    return DatasetBars.from_versions(source, frames, cached)


def _dataset_start(dataset: Dataset) -> pd.Timestamp | None:
    return pd.Timestamp(dataset.start, tz="UTC") if dataset.start else None


def _dataset_end(dataset: Dataset, context: DataContext) -> pd.Timestamp:
    """When the last bar wanted has ended, or now."""
    if dataset.end is None:
        return context.now
    return min(context.now, pd.Timestamp(dataset.end, tz="UTC") + pd.Timedelta(days=1))


def _damaged_cache_error(
    manifest: DatasetManifest,
    damaged: Sequence[str],
    failures: Sequence[tuple[BarSource, SourceError]],
) -> SourceError:
    """The error where bars were cached, and can neither be read nor pulled again."""
    is_unreachable = all(isinstance(error, UnreachableError) for _, error in failures)
    kind = UnreachableError if is_unreachable else SourceError
    reasons = "; ".join(f"{source.label}: {_summarise_error(error)}" for source, error in failures)
    return kind(
        f"dataset {manifest.dataset.name}: cached bars are damaged, and no source delivers them",
        expected="a file as `backtest data pull` wrote it, or a source that can be reached",
        found=f"{'; '.join(damaged)}; {reasons}",
        where=str(manifest.path),
        fix=f"pull them again with a network: backtest data pull {manifest.reference}; it keeps "
        "the damaged file beside the new one. Or restore the file from a backup",
    )


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
        found="; ".join(
            f"{source.label}: {_summarise_error(error)}" for source, error in failures
        ),
        where=str(manifest.path),
        fix="; or ".join(repairs),
    )


def _summarise_error(error: SourceError) -> str:
    return f"{error.problem} ({error.found})" if error.found else error.problem
