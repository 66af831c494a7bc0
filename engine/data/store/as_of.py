"""The bars of a dataset as they were once pulled, without any network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.core.errors import DataError, InvalidBarsError, UsageError
from engine.data.fetch.dataset import DatasetBars, create_sources, select_valid_bars
from engine.data.fetch.symbol import read_cached_symbol
from engine.data.store.hashing import SHORT_HASH_LENGTH, hash_bars
from engine.data.store.vintages import (
    DatasetVintage,
    VersionedBars,
    Vintage,
    combine_vintage_ids,
    list_dataset_vintages,
)

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.context import DataContext
    from engine.data.manifests import DatasetManifest
    from engine.data.sources.base import BarSource

_ID_PATTERN = re.compile(r"[0-9a-f]{4,12}")
_MAX_SHOWN = 5


@dataclass(frozen=True)
class CachedSource:
    """What is held of one source of a dataset.

    Attributes:
        source: The source.
        versioned_bars: Symbol -> what is held of it, of those of which anything is.
        vintages: The vintages of all symbols together, oldest first.
    """

    source: BarSource
    versioned_bars: dict[str, VersionedBars]
    vintages: list[DatasetVintage]


@dataclass(frozen=True)
class DatasetAsOf:
    """A dataset as it was.

    Attributes:
        source: The source it came from.
        bars: Symbol -> all its bars, whatever the dataset's start and end.
        vintages: Symbol -> the vintage these are.
        vintage_id: The name of these vintages together.
    """

    source: BarSource
    bars: dict[str, BarsFrame]
    vintages: dict[str, Vintage]
    vintage_id: str


def load_as_of(
    manifest: DatasetManifest, context: DataContext, vintage_or_date: str
) -> DatasetBars:
    """Bars as they were once pulled, within the dataset's start and end.

    Args:
        manifest: The dataset.
        context: Where they are kept; told which vintage it is.
        vintage_or_date: See `read_as_of`.

    Raises:
        UsageError: `vintage_or_date` is neither an id nor a date, or the dataset's bars are not
            cached.
        DataError: There is no such vintage.
        InvalidBarsError: What is held is not what was pulled, or cannot be trusted.
    """
    found = read_as_of(manifest, context, vintage_or_date)
    last = max(vintage.fetched_at for vintage in found.vintages.values())
    context.notify(
        f"{found.source.label}: vintage {found.vintage_id} is used, pulled at "
        f"{last:%Y-%m-%d %H:%M} UTC"
    )
    frames = {
        symbol: select_valid_bars(bars, symbol, found.source, manifest.dataset, context)
        for symbol, bars in found.bars.items()
    }
    origins = {symbol: found.source.origin(symbol) for symbol in frames}
    return DatasetBars(frames, origins, found.vintages)


def read_as_of(
    manifest: DatasetManifest, context: DataContext, vintage_or_date: str
) -> DatasetAsOf:
    """All bars that are held of a dataset as they were once pulled.

    Args:
        manifest: The dataset.
        context: Where they are kept.
        vintage_or_date: First digits of the id of a vintage of the dataset or of one symbol, or a
            date or
            instant in ISO 8601: a date means its end, an instant without an offset is UTC.

    Raises:
        UsageError: `vintage_or_date` is neither, or names several vintages, or no source is
            cached.
        DataError: There is no such vintage.
        InvalidBarsError: What is held is not what was pulled.
    """
    cached = list_cached_sources(manifest, context)
    text = vintage_or_date.strip().lower()
    instant = None if _ID_PATTERN.fullmatch(text) else _parse_instant(text)
    if instant is None:
        return _read_by_id(manifest, cached, text)
    for shelf in cached:
        found = _read_at_instant(manifest, shelf, instant)
        if found:
            return found
    raise _vintage_not_found_error(
        manifest, cached, f"all symbols pulled by {instant:%Y-%m-%d %H:%M} UTC"
    )


def list_cached_sources(manifest: DatasetManifest, context: DataContext) -> list[CachedSource]:
    """What is held of each source of a dataset that is cached, in their order.

    Raises:
        UsageError: No source is.
    """
    dataset = manifest.dataset
    feeds = [feed for feed in create_sources(manifest, context) if feed.cache_key is not None]
    if not feeds:
        raise UsageError(
            f"dataset {dataset.name} keeps no vintages",
            expected="a source that is pulled over the network",
            found=", ".join(source.kind for source in dataset.sources),
            where=str(manifest.path),
            fix="keep copies of its files, and name the copy you mean in a manifest of its own",
        )
    cached = []
    for feed in feeds:
        found = {
            symbol: read_cached_symbol(feed, symbol, dataset, context)
            for symbol in dataset.symbols
        }
        held = {symbol: one for symbol, one in found.items() if one is not None}
        whole = len(held) == len(found)
        cached.append(CachedSource(feed, held, list_dataset_vintages(held) if whole else []))
    return cached


def _parse_instant(text: str) -> pd.Timestamp:
    stamp = pd.to_datetime(text.upper(), format="ISO8601", errors="coerce")
    if pd.isna(stamp) or "-" not in text:
        raise UsageError(
            "that is no vintage",
            expected="the first 4 to 12 digits of an id, or a date such as 2024-05-10",
            found=text,
            fix="`backtest data show DATASET` lists them",
        )
    if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        stamp += pd.Timedelta(days=1) - pd.Timedelta(microseconds=1)
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp.tz_convert("UTC")


def _read_by_id(
    manifest: DatasetManifest, sources: list[CachedSource], vintage_id: str
) -> DatasetAsOf:
    found = {
        moment.id: (shelf, moment)
        for shelf in sources
        for moment in reversed(shelf.vintages)
        if moment.id.startswith(vintage_id)
        or any(moment.vintages[name].id.startswith(vintage_id) for name in moment.updated_symbols)
    }
    if not found:
        raise _vintage_not_found_error(manifest, sources, vintage_id)
    if len(found) > 1:
        raise UsageError(
            "that names several vintages",
            expected="more of the digits",
            found=f"{vintage_id}, with which {', '.join(found)} begin, or a symbol's own in them",
            fix="give one of those whole",
        )
    ((shelf, moment),) = found.values()
    bars = {
        symbol: _read_vintage(shelf, symbol, vintage)
        for symbol, vintage in moment.vintages.items()
    }
    return DatasetAsOf(shelf.source, bars, moment.vintages, moment.id)


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
        held = source.versioned_bars.get(symbol)
        then = held.as_of(instant) if held else None
        listed = held.vintage_at(instant) if held else None
        if then is None or listed is None:
            return None
        bars[symbol] = then
        found = hash_bars(then)[:SHORT_HASH_LENGTH]
        # Between the listed vintages lie those of extensions that are too many to list.
        vintages[symbol] = (
            listed if listed.id == found else Vintage(found, instant, len(then), 0, None)
        )
    return DatasetAsOf(source.source, bars, vintages, combine_vintage_ids(vintages))


def _vintage_not_found_error(
    manifest: DatasetManifest, sources: list[CachedSource], requested: str
) -> DataError:
    known = [
        f"{moment.id} ({moment.fetched_at:%Y-%m-%d %H:%M})"
        for shelf in sources
        for moment in reversed(shelf.vintages)
    ]
    more = f" and {len(known) - _MAX_SHOWN} more" if len(known) > _MAX_SHOWN else ""
    return DataError(
        f"dataset {manifest.dataset.name} has no such vintage",
        expected=", ".join(known[:_MAX_SHOWN]) + more or "one: nothing was pulled yet",
        found=requested,
        where=str(manifest.path),
        fix=f"`backtest data show {manifest.reference}` lists all"
        if known
        else f"pull it first: backtest data pull {manifest.reference}",
    )
