"""The bars of a dataset as they were once pulled, without any network."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from engine.data.collect import Collected, open_feeds, within
from engine.data.digest import SHORT, digest
from engine.data.pulling import held_of
from engine.data.vintages import Held, Moment, Vintage, combined, moments
from engine.errors import BadBarsError, DataError, UsageError

if TYPE_CHECKING:
    from engine.data.access import Access
    from engine.data.manifests import Manifest
    from engine.data.sources.feed import Feed
    from engine.types import BarsFrame

_ID = re.compile(r"[0-9a-f]{4,12}")
_SHOWN = 5


@dataclass(frozen=True)
class Shelf:
    """What is held of one source of a dataset.

    Attributes:
        feed: The source.
        held: Symbol -> what is held of it, of those of which anything is.
        moments: The vintages of all symbols together, oldest first.
    """

    feed: Feed
    held: dict[str, Held]
    moments: list[Moment]


@dataclass(frozen=True)
class Replayed:
    """A dataset as it was.

    Attributes:
        feed: The source it came from.
        bars: Symbol -> all its bars, whatever the dataset's start and end.
        vintages: Symbol -> the vintage these are.
        id: The name of these vintages together.
    """

    feed: Feed
    bars: dict[str, BarsFrame]
    vintages: dict[str, Vintage]
    id: str


def replay(manifest: Manifest, access: Access, wanted: str) -> Collected:
    """Bars as they were once pulled, within the dataset's start and end.

    Args:
        manifest: The dataset.
        access: Where they are kept; told which vintage it is.
        wanted: See `recall`.

    Raises:
        UsageError: `wanted` is neither an id nor a date, or the dataset's bars are not cached.
        DataError: There is no such vintage.
        BadBarsError: What is held is not what was pulled, or cannot be trusted.
    """
    found = recall(manifest, access, wanted)
    last = max(vintage.pulled for vintage in found.vintages.values())
    access.notice(
        f"{found.feed.label}: vintage {found.id} is used, pulled at {last:%Y-%m-%d %H:%M} UTC"
    )
    frames = {
        symbol: within(bars, symbol, found.feed, manifest.dataset, access)
        for symbol, bars in found.bars.items()
    }
    origins = {symbol: found.feed.origin(symbol) for symbol in frames}
    return Collected(frames, origins, found.vintages)


def recall(manifest: Manifest, access: Access, wanted: str) -> Replayed:
    """All bars that are held of a dataset as they were once pulled.

    Args:
        manifest: The dataset.
        access: Where they are kept.
        wanted: First digits of the id of a vintage of the dataset or of one symbol, or a date or
            instant in ISO 8601: a date means its end, an instant without an offset is UTC.

    Raises:
        UsageError: `wanted` is neither, or names several vintages, or no source is cached.
        DataError: There is no such vintage.
        BadBarsError: What is held is not what was pulled.
    """
    cached = shelves(manifest, access)
    text = wanted.strip().lower()
    instant = None if _ID.fullmatch(text) else _instant(text)
    if instant is None:
        return _by_id(manifest, cached, text)
    for shelf in cached:
        found = _as_of(manifest, shelf, instant)
        if found:
            return found
    raise _no_vintage(manifest, cached, f"all symbols pulled by {instant:%Y-%m-%d %H:%M} UTC")


def shelves(manifest: Manifest, access: Access) -> list[Shelf]:
    """What is held of each source of a dataset that is cached, in their order.

    Raises:
        UsageError: No source is.
    """
    dataset = manifest.dataset
    feeds = [feed for feed in open_feeds(manifest, access) if feed.cache_key is not None]
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
        found = {symbol: held_of(feed, symbol, dataset, access) for symbol in dataset.symbols}
        held = {symbol: one for symbol, one in found.items() if one is not None}
        whole = len(held) == len(found)
        cached.append(Shelf(feed, held, moments(held) if whole else []))
    return cached


def _instant(text: str) -> pd.Timestamp:
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


def _by_id(manifest: Manifest, cached: list[Shelf], text: str) -> Replayed:
    found = {
        moment.id: (shelf, moment)
        for shelf in cached
        for moment in reversed(shelf.moments)
        if moment.id.startswith(text)
        or any(moment.vintages[name].id.startswith(text) for name in moment.news)
    }
    if not found:
        raise _no_vintage(manifest, cached, text)
    if len(found) > 1:
        raise UsageError(
            "that names several vintages",
            expected="more of the digits",
            found=f"{text}, with which {', '.join(found)} begin, or a symbol's own in them",
            fix="give one of those whole",
        )
    ((shelf, moment),) = found.values()
    bars = {
        symbol: _as_pulled(shelf, symbol, vintage) for symbol, vintage in moment.vintages.items()
    }
    return Replayed(shelf.feed, bars, moment.vintages, moment.id)


def _as_pulled(shelf: Shelf, symbol: str, vintage: Vintage) -> BarsFrame:
    bars = shelf.held[symbol].as_of(vintage.pulled)
    if bars is None or digest(bars)[:SHORT] != vintage.id:
        raise BadBarsError(
            f"the cached bars of {symbol} are not those of vintage {vintage.id}",
            expected=f"{vintage.bars} bars with that hash",
            found="none" if bars is None else f"{len(bars)} bars, hash {digest(bars)[:SHORT]}",
            where=f"{symbol}: {shelf.feed.place(symbol)}",
            fix="restore the file from a backup; the newest bars can be had with `data pull`",
        )
    return bars


def _as_of(manifest: Manifest, shelf: Shelf, instant: pd.Timestamp) -> Replayed | None:
    bars, vintages = {}, {}
    for symbol in manifest.dataset.symbols:
        held = shelf.held.get(symbol)
        then = held.as_of(instant) if held else None
        listed = held.vintage_of(instant) if held else None
        if then is None or listed is None:
            return None
        bars[symbol] = then
        found = digest(then)[:SHORT]
        # Between the listed vintages lie those of extensions that are too many to list.
        vintages[symbol] = (
            listed if listed.id == found else Vintage(found, instant, len(then), 0, None)
        )
    return Replayed(shelf.feed, bars, vintages, combined(vintages))


def _no_vintage(manifest: Manifest, cached: list[Shelf], wanted: str) -> DataError:
    known = [
        f"{moment.id} ({moment.pulled:%Y-%m-%d %H:%M})"
        for shelf in cached
        for moment in reversed(shelf.moments)
    ]
    more = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
    return DataError(
        f"dataset {manifest.dataset.name} has no such vintage",
        expected=", ".join(known[:_SHOWN]) + more or "one: nothing was pulled yet",
        found=wanted,
        where=str(manifest.path),
        fix=f"`backtest data show {manifest.reference}` lists all"
        if known
        else f"pull it first: backtest data pull {manifest.reference}",
    )
