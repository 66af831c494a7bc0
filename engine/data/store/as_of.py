"""The bars of a dataset as of an earlier vintage, from the cache alone."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from engine.core.calendar_time import parse_instant
from engine.core.errors import DataError, InvalidBarsError, UsageError
from engine.data.bars import SHORT_HASH_LENGTH, hash_bars
from engine.data.sources.factory import create_sources
from engine.data.store.cache import read_cached_symbol, report_damaged_files
from engine.data.store.dataset_bars import DatasetBars, select_valid_bars
from engine.data.store.vintages import (
    DatasetVintage,
    VersionedBars,
    Vintage,
    combine_vintage_ids,
    list_dataset_vintages,
)

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame
    from engine.data.context import DataContext
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource

_ID_PATTERN = re.compile(r"[0-9a-f]{4,12}")
_MAX_SHOWN = 5


@dataclass(frozen=True)
class CachedSource:
    """The cached bars of one source of a dataset.

    Attributes:
        source: The source.
        versioned_bars: Symbol -> its cached bars; symbols without any are left out.
        vintages: The vintages of all symbols together, oldest first.
    """

    source: BarSource
    versioned_bars: dict[str, VersionedBars]
    vintages: list[DatasetVintage]


@dataclass(frozen=True)
class DatasetAsOf:
    """A dataset as of an earlier vintage.

    Attributes:
        source: The source it came from.
        bars: Symbol -> all its bars, whatever the dataset's start and end.
        vintages: Symbol -> its vintage.
        vintage_id: The id of these vintages together.
    """

    source: BarSource
    bars: dict[str, BarsFrame]
    vintages: dict[str, Vintage]
    vintage_id: str


def load_as_of(
    manifest: DatasetManifest, context: DataContext, vintage_or_date: str
) -> DatasetBars:
    """Bars of an earlier vintage, within the dataset's start and end.

    Args:
        manifest: The dataset.
        context: Where they are stored; gets a notice of the vintage.
        vintage_or_date: See `read_as_of`.

    Raises:
        UsageError: `vintage_or_date` is neither an id nor a date, or the dataset's bars are not
            cached.
        DataError: There is no such vintage.
        InvalidBarsError: The stored bars do not have the vintage's hash, or cannot be trusted.
    """
    earlier = read_as_of(manifest, context, vintage_or_date)
    last = max(vintage.fetched_at for vintage in earlier.vintages.values())
    context.notify(
        f"{earlier.source.label}: vintage {earlier.vintage_id} is used, pulled at "
        f"{last:%Y-%m-%d %H:%M} UTC"
    )
    frames = {
        symbol: select_valid_bars(
            bars, symbol, earlier.source, manifest.dataset.of_symbol(symbol), context
        )
        for symbol, bars in earlier.bars.items()
    }
    origins = {symbol: earlier.source.origin(symbol) for symbol in frames}
    return DatasetBars(frames, origins, earlier.vintages)


def read_as_of(
    manifest: DatasetManifest, context: DataContext, vintage_or_date: str
) -> DatasetAsOf:
    """All stored bars of a dataset as of an earlier vintage.

    Args:
        manifest: The dataset.
        context: Where they are stored.
        vintage_or_date: First digits of the id of a vintage of the dataset or of one symbol, or a
            date or instant in ISO 8601: a date means its end, an instant without an offset is UTC.

    Raises:
        UsageError: `vintage_or_date` is neither, or names several vintages, or no source is
            cached.
        DataError: There is no such vintage.
        InvalidBarsError: The stored bars do not have the vintage's hash.
    """
    cached = list_cached_sources(manifest, context)
    text = vintage_or_date.strip().lower()
    instant = None if _ID_PATTERN.fullmatch(text) else _parse_vintage_instant(text)
    if instant is None:
        return _read_by_id(manifest, cached, text)
    for source in cached:
        earlier = _read_at_instant(manifest, source, instant)
        if earlier:
            return earlier
    raise _vintage_not_found_error(
        manifest, cached, f"all symbols pulled by {instant:%Y-%m-%d %H:%M} UTC"
    )


def list_cached_sources(manifest: DatasetManifest, context: DataContext) -> list[CachedSource]:
    """The cached bars of each source of a dataset that is cached, in their order.

    Raises:
        UsageError: No source is.
    """
    dataset = manifest.dataset
    sources = create_sources(manifest, home=context.home, clients=context.clients)
    cacheable = [source for source in sources if source.cache_key is not None]
    if not cacheable:
        raise UsageError(
            f"dataset {dataset.name} keeps no vintages",
            expected="a source that is pulled over the network",
            found=", ".join(source.kind for source in dataset.sources),
            where=str(manifest.path),
            fix="keep copies of its files, and name the copy you mean in a manifest of its own",
        )
    cached = []
    for source in cacheable:
        stored = {
            symbol: bars
            for symbol in dataset.symbols
            if (bars := read_cached_symbol(context.home, source, symbol, dataset.interval))
        }
        report_damaged_files(context.home, source, dataset, context.notify)
        complete = len(stored) == len(dataset.symbols)
        vintages = list_dataset_vintages(stored) if complete else []
        cached.append(CachedSource(source, stored, vintages))
    return cached


def _parse_vintage_instant(text: str) -> pd.Timestamp:
    instant = parse_instant(text)
    if instant is None:
        raise UsageError(
            "this is not a vintage",
            expected="the first 4 to 12 digits of an id, or a date such as 2024-05-10",
            found=text,
            fix="`backtest data show DATASET` lists them",
        )
    return instant


def _read_by_id(
    manifest: DatasetManifest, sources: list[CachedSource], vintage_id: str
) -> DatasetAsOf:
    matches = {
        listed.id: (source, listed)
        for source in sources
        for listed in reversed(source.vintages)
        if listed.id.startswith(vintage_id)
        or any(listed.vintages[name].id.startswith(vintage_id) for name in listed.updated_symbols)
    }
    if not matches:
        raise _vintage_not_found_error(manifest, sources, vintage_id)
    if len(matches) > 1:
        raise UsageError(
            "several vintages begin with these digits",
            expected="more of the digits",
            found=f"{vintage_id}, which matches {', '.join(matches)} or a symbol's own in them",
            fix="give one of those ids in full",
        )
    ((source, match),) = matches.values()
    bars = {
        symbol: _read_vintage(source, symbol, vintage)
        for symbol, vintage in match.vintages.items()
    }
    return DatasetAsOf(source.source, bars, match.vintages, match.id)


def _read_vintage(source: CachedSource, symbol: str, vintage: Vintage) -> BarsFrame:
    bars = source.versioned_bars[symbol].as_of(vintage.fetched_at)
    if bars is None or hash_bars(bars)[:SHORT_HASH_LENGTH] != vintage.id:
        raise InvalidBarsError(
            f"the cached bars of {symbol} are not those of vintage {vintage.id}",
            expected=f"{vintage.bars} bars with that hash",
            found="none"
            if bars is None
            else f"{len(bars)} bars, hash {hash_bars(bars)[:SHORT_HASH_LENGTH]}",
            where=f"{symbol}: {source.source.location(symbol)}",
            fix="restore the file from a backup; the newest bars can be had with `data pull`",
        )
    return bars


def _read_at_instant(
    manifest: DatasetManifest, source: CachedSource, instant: pd.Timestamp
) -> DatasetAsOf | None:
    bars, vintages = {}, {}
    for symbol in manifest.dataset.symbols:
        stored = source.versioned_bars.get(symbol)
        earlier = stored.as_of(instant) if stored else None
        listed = stored.vintage_at(instant) if stored else None
        if earlier is None or listed is None:
            return None
        bars[symbol] = earlier
        digest = hash_bars(earlier)[:SHORT_HASH_LENGTH]
        # Vintages that only extended the bars are not all listed.
        vintages[symbol] = (
            listed if listed.id == digest else Vintage(digest, instant, len(earlier), 0, None)
        )
    return DatasetAsOf(source.source, bars, vintages, combine_vintage_ids(vintages))


def _vintage_not_found_error(
    manifest: DatasetManifest, sources: list[CachedSource], requested: str
) -> DataError:
    known = [
        f"{vintage.id} ({vintage.fetched_at:%Y-%m-%d %H:%M})"
        for source in sources
        for vintage in reversed(source.vintages)
    ]
    more = f" and {len(known) - _MAX_SHOWN} more" if len(known) > _MAX_SHOWN else ""
    return DataError(
        f"dataset {manifest.dataset.name} has no such vintage",
        expected=", ".join(known[:_MAX_SHOWN]) + more or "a vintage; nothing was pulled yet",
        found=requested,
        where=str(manifest.path),
        fix=f"`backtest data show {manifest.reference}` lists all"
        if known
        else f"pull it first: backtest data pull {manifest.reference}",
    )
