"""Pulling a dataset symbol by symbol, and saying what each pull came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.errors import DataError, UnreachableError
from engine.data.fetch.dataset import SourceConnection, create_sources, fetch_dataset_symbol
from engine.data.fetch.status import FetchStatus
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
    """What came of the pull of one symbol.

    Attributes:
        bars: All that are at hand now; None where the pull failed.
        new_bars: How many of them are new.
        revision: What the source says otherwise than before, if anything.
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
    """What one source of a dataset delivered.

    Attributes:
        source: The source.
        symbols: Symbol -> what came of its pull.
    """

    source: BarSource
    symbols: dict[str, SymbolFetchReport]

    @property
    def is_complete(self) -> bool:
        """Whether every symbol was delivered."""
        return all(each.error is None for each in self.symbols.values())

    @property
    def vintage_id(self) -> str | None:
        """The name of the newest vintages together; None where there are none."""
        known = {symbol: each.vintage for symbol, each in self.symbols.items() if each.vintage}
        return (
            combine_vintage_ids(known)
            if self.is_complete and len(known) == len(self.symbols)
            else None
        )


def fetch_with_report(manifest: DatasetManifest, context: DataContext) -> list[SourceFetchReport]:
    """Pulls a dataset from its sources in their order, until one delivers every symbol.

    A symbol that fails does not keep the others of its source from being pulled and kept, unless
    two in a row got no answer. Each that was asked for gets a line of progress.

    Returns:
        What each source came to that was asked; the last is whole, or none is.
    """
    made = []
    for feed in create_sources(manifest, context):
        made.append(_fetch_source_with_report(feed, manifest, context))
        if made[-1].is_complete:
            break
    return made


def _fetch_source_with_report(
    source: BarSource, manifest: DatasetManifest, context: DataContext
) -> SourceFetchReport:
    dataset = manifest.dataset
    connect = SourceConnection(source, context)
    roll = FetchStatus(source, dataset, context.progress)
    symbols: dict[str, SymbolFetchReport] = {}
    rest = _failed_report(_not_queried_error(source))
    for count, symbol in enumerate(dataset.symbols):
        context.progress.advance(count, len(dataset.symbols), f"{symbol} from {source.label}")
        try:
            pulled = fetch_dataset_symbol(source, symbol, dataset, context, connect)
        except DataError as error:
            symbols[symbol] = _failed_report(error)
            if not connect.reached:  # the next symbol would wait for the same server
                rest = symbols[symbol]
                break
            roll.add_failure(symbol, error)
            if roll.server_down:
                break
        else:
            symbols[symbol] = _symbol_report(pulled)
            roll.add(symbol, pulled.bars, queried=pulled.queried)
    return SourceFetchReport(source, {name: symbols.get(name, rest) for name in dataset.symbols})


def _not_queried_error(source: BarSource) -> UnreachableError:
    return UnreachableError(
        "not asked for any more",
        found="two symbols in a row got no answer",
        where=source.label,
        fix="wait some minutes and pull again: what came is kept",
    )


def _failed_report(error: DataError) -> SymbolFetchReport:
    return SymbolFetchReport(None, 0, None, None, error)


def _symbol_report(result: SymbolFetchResult) -> SymbolFetchReport:
    held, before = result.stored, result.stored_before
    if held is None:
        return SymbolFetchReport(result.bars, len(result.bars), None, None, None)
    if held.latest_vintage == (before.latest_vintage if before else None):
        return SymbolFetchReport(result.bars, 0, None, held.latest_vintage, None)
    return SymbolFetchReport(
        result.bars,
        held.latest_vintage.extended_by,
        held.latest_vintage.revision,
        held.latest_vintage,
        None,
    )
