"""Creates the source of bars that a dataset manifest describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bundled_config import BundledSourceSpec
from engine.data.calendar import ALWAYS_OPEN, is_longer_than_a_day
from engine.data.config import CcxtSourceSpec, YahooSourceSpec
from engine.data.files_config import FilesSourceSpec
from engine.data.sources.bundled import BundledBarSource
from engine.data.sources.dated import DatedBarSource
from engine.data.sources.exchange import ExchangeBarSource
from engine.data.sources.files import FilesBarSource
from engine.data.sources.resampled import ResampledBarSource
from engine.data.sources.yahoo import YahooBarSource

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.calendar import BarInterval
    from engine.data.manifests import DatasetManifest
    from engine.data.sessions import DayBegin
    from engine.data.sources.base import BarSource
    from engine.data.sources.client_settings import ClientSettings


def create_sources(
    manifest: DatasetManifest, *, home: Path, clients: ClientSettings
) -> list[BarSource]:
    """The sources of a dataset, in their order; see `create_source`.

    Args:
        manifest: The dataset.
        home: Folder that keeps state between runs.
        clients: How the network clients behave.
    """
    return [
        create_source(
            spec,
            manifest_folder=manifest.path.parent,
            home=home,
            clients=clients,
            interval=manifest.dataset.interval,
            calendar=manifest.dataset.calendar,
            day_begins=manifest.dataset.day_begin,
        )
        for spec in manifest.dataset.sources
    ]


def create_source(
    spec: YahooSourceSpec | CcxtSourceSpec | FilesSourceSpec | BundledSourceSpec,
    *,
    manifest_folder: Path,
    home: Path,
    clients: ClientSettings,
    interval: BarInterval | None = None,
    calendar: str = ALWAYS_OPEN,
    day_begins: DayBegin | None = None,
) -> BarSource:
    """Creates one source of a dataset; this uses neither network nor files.

    Args:
        spec: The source in the dataset's manifest.
        manifest_folder: Folder of that manifest.
        home: Folder for state between runs.
        clients: Settings of the network clients.
        interval: Interval of the dataset; bars of a source with a shorter one are resampled to it.
            None leaves the interval of every source.
        calendar: Calendar of the dataset, which sets where resampled bars begin and end.
        day_begins: When a day of the dataset begins, where the calendar does not say.
    """
    match spec:
        case YahooSourceSpec():
            source: BarSource = YahooBarSource(spec, home / "yahoo", clients)
        case CcxtSourceSpec():
            source = ExchangeBarSource(spec, clients, home / "unfinished")
        case FilesSourceSpec():
            source = FilesBarSource(spec, manifest_folder)
        case BundledSourceSpec():
            bundled = BundledBarSource(spec)
            longer = interval is not None and is_longer_than_a_day(interval)
            return ResampledBarSource(bundled, "1d", calendar) if longer else bundled
    if day_begins is not None:
        source = DatedBarSource(source, day_begins)
    if spec.interval is None or interval in (None, spec.interval):
        return source
    return ResampledBarSource(source, spec.interval, calendar, day_begins)
