"""Bars of files that another program appends to or replaces."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from engine.core.errors import SourceError
from engine.live.feeds.request_times import RequestTimes
from engine.live.feeds.requested_bars import RequestedBars

if TYPE_CHECKING:
    from engine.core.types import BarsFrame
    from engine.data.sources import BarSource
    from engine.data.sources.files import FilesBarSource
    from engine.live.feeds.config import FolderFeedSpec
    from engine.live.feeds.context import FeedContext

_FileState: TypeAlias = tuple[tuple[str, int, int, int], ...]
"""Path, inode, size and time of change of each file of a symbol."""


class FolderFeed:
    """The bars of a folder of files, which are read again when they have changed.

    A last line without a line break is not finished and no bar. Files that are no text, or
    compressed, must be replaced by renaming; one that cannot be read is read again, and is an
    error the third time.

    Args:
        spec: How often to look.
        source: The source of the bars.
        files: The source of the files, which are looked at.
        context: Dataset and clock.
    """

    is_exhausted = False

    def __init__(
        self,
        spec: FolderFeedSpec,
        source: BarSource,
        files: FilesBarSource,
        context: FeedContext,
    ) -> None:
        self._check = pd.Timedelta(seconds=spec.check_s)
        self._clock = context.clock
        self._files = files
        self._bars = RequestedBars(source, context)
        self._times = RequestTimes(context.dataset, pd.Timedelta(0), self._check)
        self._symbols = context.dataset.symbols
        self._read: dict[str, tuple[_FileState, pd.Timestamp]] = {}
        self._again_at: pd.Timestamp | None = None

    def wait(self, timeout_s: float) -> None:
        """Looks at the files until one has changed, or a bar has ended, or for the time-out."""
        now = self._clock.now()
        end = now + pd.Timedelta(seconds=timeout_s)
        while now < end and not self._find_changed(now):
            self._clock.sleep_until(min(end, now + self._check))
            now = self._clock.now()

    def fetch(self, after: pd.Timestamp) -> BarsFrame:
        """As of every feed; a file is read only where it has changed, or a bar in it ended."""
        now = self._clock.now()
        changed = self._find_changed(now)
        states = {symbol: (self._state(symbol), now) for symbol in changed}
        failed = self._bars.request(changed, after)
        self._read |= states
        self._again_at = now + self._check if failed else None
        for symbol in failed:
            self._read.pop(symbol, None)
        return self._bars.kept.later_than(after)

    def close(self) -> None:
        """No file stays open between two readings."""

    def _find_changed(self, now: pd.Timestamp) -> list[str]:
        if self._again_at is not None and now < self._again_at:
            return []
        return [symbol for symbol in self._symbols if self._has_changed(symbol, now)]

    def _has_changed(self, symbol: str, now: pd.Timestamp) -> bool:
        """Whether a file is another than when it was read, or its unfinished bar has ended."""
        if symbol not in self._read:
            return True
        state, read_at = self._read[symbol]
        if state != self._state(symbol) or now < read_at:
            return True
        newest = self._bars.kept.newest(symbol)
        if newest is None:
            return False
        ended, had_ended = (
            bool(self._times.lagging({symbol: newest}, instant)) for instant in (now, read_at)
        )
        return ended and not had_ended

    def _state(self, symbol: str) -> _FileState:
        """What changes when a file is written; nothing where there is none now."""
        try:
            paths = [file.path for file in self._files.find_files(symbol)]
            found = [(str(path), path.stat()) for path in paths]
        except (SourceError, FileNotFoundError):
            return ()
        return tuple((name, at.st_ino, at.st_size, at.st_mtime_ns) for name, at in found)
