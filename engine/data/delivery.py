"""Pulling a dataset symbol by symbol, and saying what each pull came to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.data.collect import Connection, open_feeds, pull_symbol
from engine.data.roll import Roll
from engine.data.vintages import combined
from engine.errors import DataError, UnreachableError

if TYPE_CHECKING:
    from engine.data.access import Access
    from engine.data.manifests import Manifest
    from engine.data.pulling import Pulled
    from engine.data.revisions import Revision
    from engine.data.sources.feed import Feed
    from engine.data.vintages import Vintage
    from engine.types import BarsFrame


@dataclass(frozen=True)
class Outcome:
    """What came of the pull of one symbol.

    Attributes:
        bars: All that are at hand now; None where the pull failed.
        new: How many of them are new.
        revision: What the source says otherwise than before, if anything.
        vintage: The newest one; None where the source is not cached.
        error: Why the pull failed.
    """

    bars: BarsFrame | None
    new: int
    revision: Revision | None
    vintage: Vintage | None
    error: DataError | None


@dataclass(frozen=True)
class Delivery:
    """What one source of a dataset delivered.

    Attributes:
        feed: The source.
        symbols: Symbol -> what came of its pull.
    """

    feed: Feed
    symbols: dict[str, Outcome]

    @property
    def whole(self) -> bool:
        """Whether every symbol was delivered."""
        return all(each.error is None for each in self.symbols.values())

    @property
    def vintage(self) -> str | None:
        """The name of the newest vintages together; None where there are none."""
        known = {symbol: each.vintage for symbol, each in self.symbols.items() if each.vintage}
        return combined(known) if self.whole and len(known) == len(self.symbols) else None


def pull_dataset(manifest: Manifest, access: Access) -> list[Delivery]:
    """Pulls a dataset from its sources in their order, until one delivers every symbol.

    A symbol that fails does not keep the others of its source from being pulled and kept, unless
    two in a row got no answer. Each that was asked for gets a line of progress.

    Returns:
        What each source came to that was asked; the last is whole, or none is.
    """
    made = []
    for feed in open_feeds(manifest, access):
        made.append(_delivered(feed, manifest, access))
        if made[-1].whole:
            break
    return made


def _delivered(feed: Feed, manifest: Manifest, access: Access) -> Delivery:
    dataset = manifest.dataset
    connect = Connection(feed, access)
    roll = Roll(feed, dataset, access.progress)
    symbols: dict[str, Outcome] = {}
    rest = _failed(_not_asked(feed))
    for count, symbol in enumerate(dataset.symbols):
        access.progress.advance(count, len(dataset.symbols), f"{symbol} from {feed.label}")
        try:
            pulled = pull_symbol(feed, symbol, dataset, access, connect)
        except DataError as error:
            symbols[symbol] = _failed(error)
            if not connect.reached:  # the next symbol would wait for the same server
                rest = symbols[symbol]
                break
            roll.miss(symbol, error)
            if roll.gone:
                break
        else:
            symbols[symbol] = _outcome(pulled)
            roll.came(symbol, pulled.bars, asked=pulled.asked)
    return Delivery(feed, {name: symbols.get(name, rest) for name in dataset.symbols})


def _not_asked(feed: Feed) -> UnreachableError:
    return UnreachableError(
        "not asked for any more",
        found="two symbols in a row got no answer",
        where=feed.label,
        fix="wait some minutes and pull again: what came is kept",
    )


def _failed(error: DataError) -> Outcome:
    return Outcome(None, 0, None, None, error)


def _outcome(pulled: Pulled) -> Outcome:
    held, before = pulled.held, pulled.before
    if held is None:
        return Outcome(pulled.bars, len(pulled.bars), None, None, None)
    if held.newest == (before.newest if before else None):
        return Outcome(pulled.bars, 0, None, held.newest, None)
    return Outcome(pulled.bars, held.newest.extended, held.newest.revision, held.newest, None)
