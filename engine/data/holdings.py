"""What is there of a dataset without asking anybody: cached bars, files, bundled ones."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bars import normalise
from engine.data.collect import open_feeds
from engine.data.coverage import Gap, expected_of, gaps, shares
from engine.data.pulling import held_of
from engine.data.revisions import in_order
from engine.data.sources.feed import Request
from engine.data.vintages import Moment, moments
from engine.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data.access import Access
    from engine.data.manifests import Manifest
    from engine.data.sources.feed import Feed
    from engine.data.spec import Dataset
    from engine.data.vintages import Held
    from engine.types import BarsFrame


@dataclass(frozen=True)
class Line:
    """The bars of one symbol.

    Attributes:
        bars: All that are there, in order, whatever the dataset's start and end.
        expected: When its calendar has bars from the first of these to the last.
        gaps: Runs of those that are not there, in order.
        vintages: How many are known; 0 where the source is not cached.
    """

    bars: BarsFrame
    expected: npt.NDArray[np.datetime64]
    gaps: list[Gap]
    vintages: int


@dataclass(frozen=True)
class Holding:
    """What is there of one source.

    Attributes:
        label: The source.
        lines: Symbol -> its bars, of those that have any.
        pulled: When the source was last asked; None where it is not cached or never was.
        moments: The vintages of all symbols together, oldest first.
        problem: Why nothing can be read, if so.
    """

    label: str
    lines: dict[str, Line]
    pulled: pd.Timestamp | None = None
    moments: list[Moment] = field(default_factory=list)
    problem: str = ""


def holdings(manifest: Manifest, access: Access) -> list[Holding]:
    """What is there of each source of a dataset, in their order.

    Raises:
        UsageError: The dataset's calendar does not exist.
    """
    return [_holding(feed, manifest.dataset, access) for feed in open_feeds(manifest, access)]


def parts(holding: Holding, count: int) -> pd.DatetimeIndex:
    """The edges of equal parts of the time from the first bar of any symbol to the last.

    Args:
        holding: With a line at least.
        count: Parts wanted; fewer where there are not so many bars.
    """
    firsts = [line.bars["timestamp"].iloc[0] for line in holding.lines.values()]
    lasts = [line.bars["timestamp"].iloc[-1] for line in holding.lines.values()]
    longest = max(len(line.expected) for line in holding.lines.values())
    return pd.date_range(min(firsts), max(lasts), periods=max(1, min(count, longest)) + 1)


def shares_of(line: Line, edges: pd.DatetimeIndex) -> list[tuple[bool, float]]:
    """Of each part: whether the symbol's calendar has bars then, and the share that is there.

    Before its first bar and after its last a symbol has none, and none is there.
    """
    plain = np.asarray(edges.tz_convert("UTC").tz_localize(None), dtype="datetime64[us]")
    found = shares(line.bars, line.expected, plain)
    stamps = line.bars["timestamp"]
    outside = (edges[1:] <= stamps.iloc[0]) | (edges[:-1] > stamps.iloc[-1])
    return [
        (bool(out) or not np.isnan(share), 0.0 if np.isnan(share) else float(share))
        for out, share in zip(outside, found, strict=True)
    ]


def _holding(feed: Feed, dataset: Dataset, access: Access) -> Holding:
    if feed.cache_key is None:
        return _at_hand(feed, dataset, access)
    found = {symbol: held_of(feed, symbol, dataset, access) for symbol in dataset.symbols}
    held: dict[str, Held] = {
        symbol: each for symbol, each in found.items() if each and len(each.bars)
    }
    if not held:
        return Holding(feed.label, {})
    return Holding(
        feed.label,
        {symbol: _line(each.bars, dataset, len(each.vintages)) for symbol, each in held.items()},
        max(each.pulled for each in held.values()),
        moments(held) if len(held) == len(found) else [],
    )


def _at_hand(feed: Feed, dataset: Dataset, access: Access) -> Holding:
    lines = {}
    for symbol in dataset.symbols:
        gate = access.gate(dataset)
        request = Request(symbol, dataset.interval, None, access.now, access.progress, gate=gate)
        try:
            bars = in_order(normalise(feed.fetch(request), symbol))
        except DataError as error:
            return Holding(feed.label, {}, problem=f"{error.problem} ({error.where})")
        if len(bars):
            lines[symbol] = _line(bars, dataset, 0)
    return Holding(feed.label, lines)


def _line(bars: BarsFrame, dataset: Dataset, vintages: int) -> Line:
    expected = expected_of(bars, dataset.calendar, dataset.interval)
    return Line(bars, expected, gaps(bars, expected), vintages)
