"""Fetches a dataset symbol by symbol, with a report of what is new or revised."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import DataError, UnreachableError
from engine.data.fetch._status import FetchStatus
from engine.data.fetch.dataset import SourceConnection, fetch_dataset_symbol
from engine.data.sources.factory import create_sources
from engine.data.store.vintages import combine_vintage_ids

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.context import DataContext
    from engine.data.fetch.symbol import SymbolFetchResult
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource
    from engine.data.store.revisions import Revision
    from engine.data.store.vintages import Vintage


@dataclass(frozen=True)
class SymbolFetchReport:
    """The outcome of the pull of one symbol.

    Attributes:
        bars: All that are available now; None where the pull failed.
        new_bars: How many of them are new.
        revision: How the source changed earlier bars, if it did.
        vintage: The newest one; None where the source is not cached.
        error: Why the pull failed.
    """

    bars: BarsFrame | None
    new_bars: int
    revision: Revision | None
    vintage: Vintage | None
    error: DataError | None


@dataclass(frozen=True)
class SourceFetchReport:
    """The outcome of a pull from one source of a dataset.

    Attributes:
        source: The source.
        symbols: Symbol -> the outcome of its pull.
    """

    source: BarSource
    symbols: dict[str, SymbolFetchReport]

    @property
    def is_complete(self) -> bool:
        """Whether every symbol was delivered."""
        return all(each.error is None for each in self.symbols.values())

    @property
    def vintage_id(self) -> str | None:
        """The id of the newest vintages together; None where a symbol has none."""
        known = {symbol: each.vintage for symbol, each in self.symbols.items() if each.vintage}
        return (
            combine_vintage_ids(known)
            if self.is_complete and len(known) == len(self.symbols)
            else None
        )


def fetch_with_report(manifest: DatasetManifest, context: DataContext) -> list[SourceFetchReport]:
    """Pulls a dataset from its sources in their order, until one delivers every symbol.

    After a symbol fails the others of its source are still pulled and stored, unless two in a row
    got no answer. Each requested symbol gets a line of progress.

    Returns:
        A report for each source that was requested; only the last can be complete.
    """
    reports = []
    for source in create_sources(manifest, home=context.home, clients=context.clients):
        reports.append(_fetch_source_with_report(source, manifest, context))
        if reports[-1].is_complete:
            break
    return reports


def _fetch_source_with_report(
    source: BarSource, manifest: DatasetManifest, context: DataContext
) -> SourceFetchReport:
    dataset = manifest.dataset
    connect = SourceConnection(source, context)
    status = FetchStatus(source, dataset, context.progress)
    symbols: dict[str, SymbolFetchReport] = {}
    rest = _failed_report(_not_requested_error(source))
    for count, symbol in enumerate(dataset.symbols):
        context.progress.advance(count, len(dataset.symbols), f"{symbol} from {source.label}")
        try:
            result = fetch_dataset_symbol(source, symbol, dataset, context, connect)
        except DataError as error:
            symbols[symbol] = _failed_report(error)
            if not connect.reached:  # the next symbol would wait for the same server
                rest = symbols[symbol]
                break
            status.add_failure(symbol, error)
            if status.server_down:
                break
        else:
            symbols[symbol] = _symbol_report(result)
            status.add(symbol, result.bars, queried=result.queried)
    return SourceFetchReport(source, {name: symbols.get(name, rest) for name in dataset.symbols})


def _not_requested_error(source: BarSource) -> UnreachableError:
    return UnreachableError(
        "not requested any more",
        found="two symbols in a row got no answer",
        where=source.label,
        fix="wait some minutes and pull again: the bars received so far are stored",
    )


def _failed_report(error: DataError) -> SymbolFetchReport:
    return SymbolFetchReport(None, 0, None, None, error)


def _symbol_report(result: SymbolFetchResult) -> SymbolFetchReport:
    stored, before = result.stored, result.stored_before
    if stored is None:
        return SymbolFetchReport(result.bars, len(result.bars), None, None, None)
    latest = stored.latest_vintage
    if before and latest == before.latest_vintage:
        return SymbolFetchReport(result.bars, 0, None, latest, None)
    return SymbolFetchReport(result.bars, latest.extended_by, latest.revision, latest, None)
