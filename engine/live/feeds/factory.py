"""Opens the feed that the settings of an account describe."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING, TypeVar

import pandas as pd

from engine.core.errors import UsageError
from engine.data.bundled_config import BundledSourceSpec
from engine.data.config import CcxtSourceSpec
from engine.data.files_config import FilesSourceSpec
from engine.data.sources import ClientSettings
from engine.data.sources.factory import create_source
from engine.live.feeds.config import (
    FolderFeedSpec,
    PollFeedSpec,
    StdinFeedSpec,
    WebsocketFeedSpec,
)
from engine.live.feeds.context import FeedContext

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from engine.core.progress import Progress
    from engine.data import DatasetManifest
    from engine.data.config import SourceSpec
    from engine.data.quality_config import QualityPolicy
    from engine.data.sources import BarSource
    from engine.live.clock import Clock
    from engine.live.feeds.base import Feed
    from engine.live.feeds.config import FeedSpec

    S = TypeVar("S", bound=SourceSpec)


def open_feed(
    spec: FeedSpec,
    manifest: DatasetManifest,
    *,
    home: Path,
    clock: Clock,
    progress: Progress,
    clients: ClientSettings | None = None,
    stdin: int = 0,
) -> Feed:
    """The feed of the bars of a dataset; no request is sent before its first `fetch`.

    Args:
        spec: The settings of the feed.
        manifest: The dataset: symbols, interval, calendar, sources and quality rules.
        home: Folder that keeps state between runs.
        clock: By which bars end.
        progress: Receives what a user must know: a server that does not answer, repaired bars.
        clients: How the network clients behave.
        stdin: File descriptor of the lines of the feed `stdin`.

    Raises:
        UsageError: The dataset has no source that the feed could use, or has an end, or its
            symbols have several calendars or currencies and bars of another length than a day.
        SourceError: The exchange sends no candles by websocket.
    """
    _require_no_end(manifest, clock)
    _require_daily_bars(manifest)
    # The most common step of a few bars, one of them missing, says nothing about their interval:
    # the history was judged when it was loaded.
    quality: QualityPolicy = {"interval": "warn", **manifest.dataset.quality}
    dataset = manifest.dataset.model_copy(update={"quality": quality})
    context = FeedContext(dataset, home, clock, progress, clients or ClientSettings())
    opener = _Opener(manifest, context)
    match spec:
        case PollFeedSpec():
            return opener.poll(spec)
        case WebsocketFeedSpec():
            return opener.websocket(spec)
        case FolderFeedSpec():
            return opener.folder(spec)
        case StdinFeedSpec():
            from engine.live.feeds.stdin import StdinFeed

            return StdinFeed(spec, context, stdin)


class _Opener:
    """Opens feeds of the sources of one dataset."""

    def __init__(self, manifest: DatasetManifest, context: FeedContext) -> None:
        self._manifest = manifest
        self._context = context

    def poll(self, spec: PollFeedSpec) -> Feed:
        from engine.live.feeds.poll import PollFeed

        source = self._choose(
            spec.source,
            lambda one: not isinstance(one, BundledSourceSpec),
            "an exchange, Yahoo, or files",
        )
        return PollFeed(spec, self._create(source), self._context)

    def websocket(self, spec: WebsocketFeedSpec) -> Feed:
        from engine.live.feeds.websocket import WebsocketFeed

        source = self._choose(
            spec.source,
            lambda one: isinstance(one, CcxtSourceSpec),
            "an exchange, which sends candles by itself: {kind: ccxt, exchange: ...}",
        )
        assert isinstance(source, CcxtSourceSpec)
        return WebsocketFeed(spec, source, self._create(source), self._context)

    def folder(self, spec: FolderFeedSpec) -> Feed:
        from engine.data.sources.files import FilesBarSource
        from engine.live.feeds.folder import FolderFeed

        source = spec.files or self._choose(
            None,
            lambda one: isinstance(one, FilesSourceSpec),
            "files: {kind: files, path: ...}",
        )
        assert isinstance(source, FilesSourceSpec)
        files = FilesBarSource(source, self._manifest.path.parent)
        return FolderFeed(spec, self._create(source), files, self._context)

    def _create(self, source: SourceSpec) -> BarSource:
        dataset = self._context.dataset
        return create_source(
            source,
            manifest_folder=self._manifest.path.parent,
            home=self._context.home,
            clients=self._context.clients,
            interval=dataset.interval,
            calendar=dataset.calendar,
            day_begins=dataset.day_begin,
        )

    def _choose(
        self, label: str | None, is_usable: Callable[[SourceSpec], bool], kinds: str
    ) -> SourceSpec:
        """The source of that name, or the first of the kinds that the feed can use."""
        usable = {
            _label(source): source
            for source in reversed(self._context.dataset.sources)
            if is_usable(source)
        }
        names = list(usable)[::-1]
        if label is None and names:
            return usable[names[0]]
        if label in usable:
            return usable[label]
        close = difflib.get_close_matches(label or "", names, n=1)
        raise UsageError(
            "the dataset has no source that this feed could use",
            expected=f"one of {', '.join(names)}" if names else kinds,
            found=label or ", ".join(map(_label, self._context.dataset.sources)),
            where=f"sources of {self._manifest.path}",
            fix=f"did you mean {close[0]}?" if close else _advise(names),
        )


def _advise(names: list[str]) -> str:
    """What mends a feed without a source, given the names of those that it could use."""
    if names:
        return "correct `source` of the feed"
    return "use another feed (poll, folder, stdin), or add such a source to the dataset"


def _label(source: SourceSpec) -> str:
    """The name of a source in messages."""
    return f"ccxt:{source.exchange}" if isinstance(source, CcxtSourceSpec) else source.kind


def _require_daily_bars(manifest: DatasetManifest) -> None:
    """Refuses bars of several exchanges or currencies that are not joined by their dates."""
    dataset = manifest.dataset
    if dataset.has_own_clocks and dataset.interval != "1d":
        raise UsageError(
            "paper accounts join symbols of several calendars or currencies by their dates",
            expected="interval: 1d",
            found=f"interval: {dataset.interval}, beside `calendars` or `currencies`",
            where=str(manifest.path),
            fix="take daily bars, or symbols of one calendar and one currency",
        )


def _require_no_end(manifest: DatasetManifest, clock: Clock) -> None:
    end = manifest.dataset.end
    if end is not None and pd.Timestamp(end, tz="UTC") + pd.Timedelta(days=1) <= clock.now():
        raise UsageError(
            "the dataset has ended, so that no bar will come",
            expected="a dataset without `end`, or with one to come",
            found=f"end: {end}",
            where=str(manifest.path),
            fix="remove `end` from the manifest",
        )
