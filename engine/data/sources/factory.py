"""From what a manifest says about a source to the feed that delivers it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.calendar import ALWAYS_OPEN
from engine.data.config import BundledSourceSpec, CcxtSourceSpec, FilesSourceSpec, YahooSourceSpec
from engine.data.sources.bundled import BundledBarSource
from engine.data.sources.exchange import ExchangeBarSource
from engine.data.sources.files import FilesBarSource
from engine.data.sources.resampled import ResampledBarSource
from engine.data.sources.yahoo import YahooBarSource

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.config import BarInterval
    from engine.data.sources.base import BarSource
    from engine.data.sources.client_settings import ClientSettings


def open_source(
    spec: YahooSourceSpec | CcxtSourceSpec | FilesSourceSpec | BundledSourceSpec,
    *,
    manifest_folder: Path,
    home: Path,
    clients: ClientSettings,
    interval: BarInterval | None = None,
    calendar: str = ALWAYS_OPEN,
) -> BarSource:
    """The feed of a source; opening it touches neither network nor files.

    Args:
        spec: The source, as the dataset's manifest says it.
        manifest_folder: Folder of that manifest.
        home: Folder that keeps state between runs.
        clients: How the network clients behave.
        interval: Of the dataset; a source whose own is shorter delivers the coarser bars. None
            where every source's own is wanted.
        calendar: Of the dataset, by which coarser bars begin and end.
    """
    match spec:
        case YahooSourceSpec():
            feed: BarSource = YahooBarSource(spec, home / "yahoo", clients)
        case CcxtSourceSpec():
            feed = ExchangeBarSource(spec, clients, home / "unfinished")
        case FilesSourceSpec():
            feed = FilesBarSource(spec, manifest_folder)
        case BundledSourceSpec():
            bundled = BundledBarSource(spec)
            return ResampledBarSource(bundled, "1d", calendar) if interval == "1w" else bundled
    if spec.interval is None or interval in (None, spec.interval):
        return feed
    return ResampledBarSource(feed, spec.interval, calendar)
