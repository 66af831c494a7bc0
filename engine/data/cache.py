"""Pulled bars, kept as Parquet: one file a feed, symbol and interval."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import pandas as pd

from engine.data.bars import normalise
from engine.data.calendar import interval_length

if TYPE_CHECKING:
    from pathlib import Path

    from engine.data.spec import Interval
    from engine.types import BarsFrame

_METADATA = b"backtest"


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
class Cached:
    """Bars that were pulled earlier.

    Attributes:
        bars: As they were pulled, without the bar that was unfinished then.
        since: First instant that was asked for; None for all there was.
        pulled: When.
    """

    bars: BarsFrame
    since: pd.Timestamp | None
    pulled: pd.Timestamp

    def reaches_back(self, since: pd.Timestamp | None) -> bool:
        """Whether all that was asked for from `since` on is here."""
        return self.since is None or (since is not None and self.since <= since)

    def is_current(self, interval: Interval, until: pd.Timestamp) -> bool:
        """Whether no bar can have finished after the pull and up to `until`.

        Bars finish at whole intervals after the last one here. No calendar is asked, so that the
        bars of an exchange are pulled once a day over a weekend too.
        """
        if self.bars.empty:
            return False
        last, length = self.bars["timestamp"].max(), interval_length(interval)
        return bool((until - last) // length <= (self.pulled - last) // length)


def read(home: Path, key: Key, symbol: str) -> Cached | None:
    """The cached bars under a dataset's name for them; None where none can be read whole."""
    import pyarrow
    import pyarrow.parquet

    try:
        # Through one open file: given a path, pyarrow opens it twice, and another process may have
        # put a file of another length there in between.
        with key.path(home).open("rb") as file:
            table = pyarrow.parquet.read_table(file)
        note = json.loads(table.schema.metadata[_METADATA])
        if note["key"] != _key_note(key):
            return None
        since = None if note["since"] is None else pd.Timestamp(note["since"])
        bars = normalise(table.to_pandas(), symbol)
        return Cached(bars, since, pd.Timestamp(note["pulled"]))
    except (OSError, pyarrow.ArrowException, ValueError, LookupError, TypeError):
        # Another version of this cache, or a file that was damaged: as good as none.
        return None


def write(home: Path, key: Key, cached: Cached) -> None:
    """Keeps the bars, in place of any earlier ones.

    The file is written beside and moved over, so that another process reads the one or the other
    and never half of one; of two that write, the later wins.
    """
    import pyarrow
    import pyarrow.parquet

    note = {
        "key": _key_note(key),
        "since": None if cached.since is None else cached.since.isoformat(),
        "pulled": cached.pulled.isoformat(),
    }
    table = pyarrow.Table.from_pandas(cached.bars, preserve_index=False)
    metadata = {**(table.schema.metadata or {}), _METADATA: json.dumps(note).encode()}
    path = key.path(home)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{uuid4().hex}.tmp")
    try:
        pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), draft)
        os.replace(draft, path)  # noqa: PTH105  the one call that is named for replacing
    finally:
        draft.unlink(missing_ok=True)


def _key_note(key: Key) -> list[str]:
    return [key.feed, key.ticker, key.interval]
