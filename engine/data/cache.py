"""Pulled bars and what was revised of them, as Parquet: one file a feed, symbol and interval."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote
from uuid import uuid4

import numpy as np
import pandas as pd

from engine.data.bars import VALUE_COLUMNS, normalise
from engine.data.lock import alone, unwritable
from engine.data.revisions import Revision
from engine.data.vintages import Held, Past, Vintage

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    import numpy.typing as npt

    from engine.data.spec import Interval
    from engine.types import BarsFrame

# The name of the note tells one format from another: a version of this engine that does not know
# it finds no bars it could read, and pulls them anew.
_NOTE = b"backtest vintages"
_FIRST_FORMAT = b"backtest"
_KNOWN, _UNTIL = "known", "until"
_COLUMNS = ["timestamp", *VALUE_COLUMNS]


@dataclass(frozen=True)
class Key:
    """What tells one cached file from another.

    Attributes:
        feed: Everything that tells the bars of one feed from another's: exchange, adjustment.
        ticker: The feed's own name of the symbol.
        interval: Length of a bar.
    """

    feed: str
    ticker: str
    interval: Interval

    def path(self, home: Path) -> Path:
        """Where the file lies; characters that are odd in a file name are escaped."""
        folder, file = quote(self.feed, safe="+"), quote(self.ticker, safe="")
        return home / "bars" / folder / f"{file}.{self.interval}.parquet"


@dataclass(frozen=True)
class Damaged:
    """A file that cannot be read whole: altered, cut off, or another key's.

    Attributes:
        path: Where it lies.
        reason: What reading it said.
    """

    path: Path
    reason: str


def read(home: Path, key: Key, symbol: str) -> Held | Damaged | None:
    """What is held under a dataset's name for it; None where nothing is.

    A file of the first format, without vintages, is read as the first vintage.
    """
    import pyarrow

    path = key.path(home)
    try:
        return _read(path, key, symbol)
    except FileNotFoundError:
        return None
    except (OSError, pyarrow.ArrowException, ValueError, LookupError, TypeError) as error:
        return Damaged(path, " ".join(str(error).split())[:200])


def write(home: Path, key: Key, held: Held) -> None:
    """Keeps the bars, in place of the earlier file.

    The file is written beside and moved over, so that another process reads the one or the other
    and never half of one. Of two that write the later wins, and the other's vintage is lost:
    `pulling` keeps them apart.

    Raises:
        DataError: The folder cannot be written, or the disk is full.
    """
    path = key.path(home)
    draft = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(draft, key, held)
        os.replace(draft, path)  # noqa: PTH105  the one call that is named for replacing
    except OSError as error:
        raise unwritable(path.parent, error) from error
    finally:
        with suppress(OSError):
            draft.unlink(missing_ok=True)


@contextmanager
def pulling(home: Path, key: Key, waiting: Callable[[str], None]) -> Iterator[None]:
    """Around a pull of one file's bars: no other process pulls them meanwhile.

    What a process that was killed left half written is swept away.

    Raises:
        UnreachableError: Another process did not end its pull within ten minutes.
        DataError: The folder cannot be written.
    """
    path = key.path(home)
    with alone(path.with_name(f".{path.name}.lock"), waiting):
        for draft in path.parent.iterdir():
            if draft.name.startswith(f".{path.name}.") and draft.suffix == ".tmp":
                draft.unlink(missing_ok=True)
        yield


def _read(path: Path, key: Key, symbol: str) -> Held:
    import pyarrow.parquet

    # Through one open file: given a path, pyarrow opens it twice, and another process may have
    # put a file of another length there in between.
    with (
        path.open("rb") as file,
        pyarrow.parquet.ParquetFile(file, page_checksum_verification=True) as parquet,
    ):
        told = parquet.schema_arrow.metadata or {}
        note = json.loads(told[_NOTE] if _NOTE in told else told[_FIRST_FORMAT])
        table = parquet.read()
    if note["key"] != _key_note(key):
        raise ValueError(f"these are bars of {' '.join(map(str, note['key']))}")
    bars = normalise(table.select(_COLUMNS).to_pandas(), symbol)
    since = None if note["since"] is None else pd.Timestamp(note["since"])
    pulled = pd.Timestamp(note["pulled"])
    if _NOTE not in told:
        return Held.first(bars, since, pulled)
    known, until = (table[name].to_numpy().astype("datetime64[us]") for name in (_KNOWN, _UNTIL))
    # The bars of now come first; slices of them cost nothing.
    now = int(np.isnat(until).sum())
    return Held(
        bars=bars.iloc[:now],
        known=known[:now],
        past=Past(bars.iloc[now:].reset_index(drop=True), known[now:], until[now:]),
        vintages=tuple(_vintage(one) for one in note["vintages"]),
        since=since,
        pulled=pulled,
    )


def _write(path: Path, key: Key, held: Held) -> None:
    import pyarrow
    import pyarrow.parquet

    note = {
        "key": _key_note(key),
        "since": None if held.since is None else held.since.isoformat(),
        "pulled": held.pulled.isoformat(),
        "vintages": [_vintage_note(vintage) for vintage in held.vintages],
    }
    never = np.full(len(held.bars), np.datetime64("NaT"), dtype="datetime64[us]")
    parts = [_rows(held.bars, held.known, never)]
    if not held.past.bars.empty:
        parts.append(_rows(held.past.bars, held.past.known, held.past.until))
    table = pyarrow.Table.from_pandas(pd.concat(parts, ignore_index=True), preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _NOTE: json.dumps(note).encode()}
    pyarrow.parquet.write_table(
        table.replace_schema_metadata(metadata), path, write_page_checksum=True
    )


def _rows(
    bars: BarsFrame,
    known: npt.NDArray[np.datetime64],
    until: npt.NDArray[np.datetime64],
) -> pd.DataFrame:
    return bars.drop(columns="symbol").assign(**{_KNOWN: known, _UNTIL: until})


def _vintage_note(vintage: Vintage) -> dict[str, Any]:
    return {
        "id": vintage.id,
        "pulled": vintage.pulled.isoformat(),
        "bars": vintage.bars,
        "extended": vintage.extended,
        "revision": None if vintage.revision is None else vintage.revision.as_json(),
    }


def _vintage(note: dict[str, Any]) -> Vintage:
    revision = note["revision"]
    return Vintage(
        id=note["id"],
        pulled=pd.Timestamp(note["pulled"]),
        bars=note["bars"],
        extended=note["extended"],
        revision=None if revision is None else Revision.of_json(revision),
    )


def _key_note(key: Key) -> list[str]:
    return [key.feed, key.ticker, key.interval]
