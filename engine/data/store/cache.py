"""The cache of pulled bars and their revisions: a Parquet file a source, symbol and interval."""

from __future__ import annotations

import errno
import json
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import numpy as np
import pandas as pd

from engine.core.home import CHOOSE_HOME
from engine.core.storage import (
    DRAFT_SUFFIX,
    create_private_folder,
    describe_fault,
    replace_atomically,
    translate_disk_faults,
)
from engine.data.bars import VALUE_COLUMNS, normalise_bars
from engine.data.store.file_lock import CANNOT_STORE_BARS, exclusive_lock
from engine.data.store.revisions import Revision
from engine.data.store.vintages import SupersededBars, VersionedBars, Vintage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from engine.core.types import BarsFrame
    from engine.data.calendar import BarInterval
    from engine.data.config import Dataset
    from engine.data.sources.base import BarSource

# The metadata key identifies the format: a version of this engine that does not know it cannot
# read the bars, and pulls them again.
_METADATA_KEY = b"backtest vintages"
_LEGACY_METADATA_KEY = b"backtest"
_KNOWN_COLUMN, _UNTIL_COLUMN = "known", "until"
_BAR_COLUMNS = ["timestamp", *VALUE_COLUMNS]
_PASSING_FAULTS = {errno.EIO, errno.ESTALE, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
"""Faults on reading that say nothing about the file: a network drive that was away."""


@dataclass(frozen=True)
class CacheKey:
    """What distinguishes one cached file from another.

    Attributes:
        source: What distinguishes the bars of one source from another's: exchange, adjustment.
        ticker: The source's own name of the symbol.
        interval: Length of a bar.
    """

    source: str
    ticker: str
    interval: BarInterval

    def path(self, home: Path) -> Path:
        """Path of the file; characters that a file name cannot hold everywhere are escaped."""
        folder, file = quote(self.source, safe="+"), quote(self.ticker, safe="")
        return home / "bars" / folder / f"{file}.{self.interval}.parquet"


@dataclass(frozen=True)
class DamagedCacheFile:
    """A file that cannot be read: altered, truncated, or written for another key.

    Attributes:
        path: The file.
        reason: The message of the error on reading.
        disk_fault: The error, where it is one of the disk and the file itself may be intact.
    """

    path: Path
    reason: str
    disk_fault: OSError | None = None

    @classmethod
    def from_error(cls, path: Path, error: Exception) -> DamagedCacheFile:
        """The file that raised an error on reading; the reason is one line of it."""
        reason, disk_fault = f"{error}", None
        if isinstance(error, OSError) and error.errno is not None:
            reason = describe_fault(error)
            disk_fault = error if error.errno in _PASSING_FAULTS else None
        return cls(path, " ".join(reason.split())[:200], disk_fault)


def read_cache(home: Path, key: CacheKey, symbol: str) -> VersionedBars | DamagedCacheFile | None:
    """The cached bars of a key, under a dataset's symbol; None where there are none.

    A file of the first format, without vintages, is read as the first vintage.
    """
    import pyarrow

    path = key.path(home)
    try:
        return _read_parquet(path, key, symbol)
    except FileNotFoundError:
        return None
    except (OSError, pyarrow.ArrowException, ValueError, LookupError, TypeError) as error:
        return DamagedCacheFile.from_error(path, error)


def read_cached_symbol(
    home: Path, source: BarSource, symbol: str, interval: BarInterval
) -> VersionedBars | None:
    """The cached bars of a source's symbol; None where nothing can be read."""
    cached = _read_symbol(home, source, symbol, interval)
    return None if isinstance(cached, DamagedCacheFile) else cached


def report_damaged_files(
    home: Path, source: BarSource, dataset: Dataset, notify: Callable[[str], None]
) -> list[str]:
    """Each file of a source's cached bars that cannot be read: symbol, path and reason.

    Args:
        home: Folder of the cache.
        source: The source.
        dataset: Its symbols and interval.
        notify: Receives a sentence for each file.
    """
    cached = {
        symbol: _read_symbol(home, source, symbol, dataset.interval) for symbol in dataset.symbols
    }
    damaged = [
        f"{symbol}: {found.path} ({found.reason})"
        for symbol, found in cached.items()
        if isinstance(found, DamagedCacheFile)
    ]
    for each in damaged:
        notify(f"cached bars are damaged: {each}")
    return damaged


def _read_symbol(
    home: Path, source: BarSource, symbol: str, interval: BarInterval
) -> VersionedBars | DamagedCacheFile | None:
    if source.cache_key is None:
        return None
    return read_cache(home, CacheKey(source.cache_key, source.ticker(symbol), interval), symbol)


def write_cache(home: Path, key: CacheKey, versioned_bars: VersionedBars) -> None:
    """Stores the bars, in place of the earlier file.

    The file is written under another name and renamed, so that another process reads the old file
    or the new one and never half of one. Of two processes that write, the later wins and the
    other's vintage is lost; `fetch_lock` prevents that.

    Raises:
        StorageError: The folder cannot be written, or the disk is full.
    """
    path = key.path(home)
    with translate_disk_faults(CANNOT_STORE_BARS, path, CHOOSE_HOME):
        create_private_folder(path.parent)
        with replace_atomically(path, f".{path.name}") as draft:
            _write_parquet(draft, key, versioned_bars)


def keep_damaged_file(damaged: DamagedCacheFile, now: pd.Timestamp) -> Path:
    """Renames a file that cannot be read, so that a new one takes its place; returns its new path.

    Raises:
        StorageError: The folder cannot be written.
    """
    kept = damaged.path.with_name(f"{damaged.path.name}.{now:%Y%m%dT%H%M%S%f}.damaged")
    with translate_disk_faults(CANNOT_STORE_BARS, damaged.path, CHOOSE_HOME):
        damaged.path.rename(kept)
    return kept


@contextmanager
def fetch_lock(home: Path, key: CacheKey, on_wait: Callable[[str], None]) -> Iterator[None]:
    """A section in which no other process pulls the bars of one file.

    Deletes the unfinished files of killed processes.

    Raises:
        UnreachableError: Another process did not end its pull within ten minutes.
        StorageError: The folder cannot be written.
    """
    path = key.path(home)
    with exclusive_lock(path.with_name(f".{path.name}.lock"), on_wait):
        for draft in path.parent.iterdir():
            if draft.name.startswith(f".{path.name}.") and draft.suffix == DRAFT_SUFFIX:
                draft.unlink(missing_ok=True)
        yield


def _read_parquet(path: Path, key: CacheKey, symbol: str) -> VersionedBars:
    import pyarrow.parquet

    # Through one open file: given a path, pyarrow opens it twice, and another process may have
    # replaced the file in between.
    with (
        path.open("rb") as file,
        pyarrow.parquet.ParquetFile(file, page_checksum_verification=True) as parquet,
    ):
        metadata = parquet.schema_arrow.metadata or {}
        is_legacy = _METADATA_KEY not in metadata
        note = json.loads(metadata[_LEGACY_METADATA_KEY if is_legacy else _METADATA_KEY])
        table = parquet.read()
    if note["key"] != _key_to_json(key):
        raise ValueError(f"these are bars of {' '.join(map(str, note['key']))}")
    bars = normalise_bars(table.select(_BAR_COLUMNS).to_pandas(), symbol)
    since = None if note["since"] is None else pd.Timestamp(note["since"])
    pulled = pd.Timestamp(note["pulled"])
    if is_legacy:
        return VersionedBars.from_first_fetch(bars, since, pulled)
    known, until = (
        table[name].to_numpy().astype("datetime64[us]") for name in (_KNOWN_COLUMN, _UNTIL_COLUMN)
    )
    # The current bars come first; slices of them are not copied.
    current = int(np.isnat(until).sum())
    return VersionedBars(
        bars=bars.iloc[:current],
        known_since=known[:current],
        superseded=SupersededBars(
            bars.iloc[current:].reset_index(drop=True), known[current:], until[current:]
        ),
        vintages=tuple(_vintage_from_json(one) for one in note["vintages"]),
        requested_since=since,
        fetched_at=pulled,
    )


def _write_parquet(path: Path, key: CacheKey, versioned_bars: VersionedBars) -> None:
    import pyarrow
    import pyarrow.parquet

    note = {
        "key": _key_to_json(key),
        "since": None
        if versioned_bars.requested_since is None
        else versioned_bars.requested_since.isoformat(),
        "pulled": versioned_bars.fetched_at.isoformat(),
        "vintages": [_vintage_to_json(vintage) for vintage in versioned_bars.vintages],
    }
    never = np.full(len(versioned_bars.bars), np.datetime64("NaT"), dtype="datetime64[us]")
    parts = [_versioned_rows(versioned_bars.bars, versioned_bars.known_since, never)]
    if not versioned_bars.superseded.bars.empty:
        parts.append(
            _versioned_rows(
                versioned_bars.superseded.bars,
                versioned_bars.superseded.known_since,
                versioned_bars.superseded.known_until,
            )
        )
    table = pyarrow.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA_KEY: json.dumps(note).encode()}
    pyarrow.parquet.write_table(
        table.replace_schema_metadata(metadata), path, write_page_checksum=True
    )


def _versioned_rows(
    bars: BarsFrame,
    known: npt.NDArray[np.datetime64],
    until: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    return bars.drop(columns="symbol").assign(**{_KNOWN_COLUMN: known, _UNTIL_COLUMN: until})


def _vintage_to_json(vintage: Vintage) -> dict[str, Any]:
    return {
        "id": vintage.id,
        "pulled": vintage.fetched_at.isoformat(),
        "bars": vintage.bars,
        "extended": vintage.extended_by,
        "revision": None if vintage.revision is None else vintage.revision.as_json(),
    }


def _vintage_from_json(document: dict[str, Any]) -> Vintage:
    revision = document["revision"]
    return Vintage(
        id=document["id"],
        fetched_at=pd.Timestamp(document["pulled"]),
        bars=document["bars"],
        extended_by=document["extended"],
        revision=None if revision is None else Revision.from_json(revision),
    )


def _key_to_json(key: CacheKey) -> list[str]:
    return [key.source, key.ticker, key.interval]
