"""From what a manifest says about a source to the feed that delivers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.calendar import ALWAYS_OPEN
from engine.data.sources.bundled import BundledFeed
from engine.data.sources.coarser import CoarserFeed
from engine.data.sources.exchange import ExchangeFeed
from engine.data.sources.files import FilesFeed
from engine.data.sources.yahoo import YahooFeed
from engine.data.spec import BundledSource, CcxtSource, FilesSource, YahooSource

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.sources.clients import Clients
    from engine.data.sources.feed import Feed
    from engine.data.spec import Interval


def open_feed(
    spec: YahooSource | CcxtSource | FilesSource | BundledSource,
    *,
    manifest: Path,
    home: Path,
    clients: Clients,
    interval: Interval | None = None,
    calendar: str = ALWAYS_OPEN,
) -> Feed:
    """The feed of a source; opening it touches neither network nor files.

    Args:
        spec: The source, as the dataset's manifest says it.
        manifest: Folder of that manifest.
        home: Folder that keeps state between runs.
        clients: How the network clients behave.
        interval: Of the dataset; a source whose own is shorter delivers the coarser bars. None
            where every source's own is wanted.
        calendar: Of the dataset, by which coarser bars begin and end.
    """
    match spec:
        case YahooSource():
            feed: Feed = YahooFeed(spec, home / "yahoo", clients)
        case CcxtSource():
            feed = ExchangeFeed(spec, clients, home / "unfinished")
        case FilesSource():
            feed = FilesFeed(spec, manifest)
        case BundledSource():
            bundled = BundledFeed(spec)
            return CoarserFeed(bundled, "1d", calendar) if interval == "1w" else bundled
    if spec.interval is None or interval in (None, spec.interval):
        return feed
    return CoarserFeed(feed, spec.interval, calendar)
