"""Candles of a long fetch, saved so that an interrupted fetch can resume."""

from __future__ import annotations

import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from glob import escape
from typing import TYPE_CHECKING
from urllib.parse import quote

import numpy as np

from engine.core.storage import DRAFT_SUFFIX, replace_atomically

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.sources.exchange._candle_requests import CandleRow
    from engine.data.sources.exchange._pages import CandlePager

_PAGES_BEFORE_SAVE = 20
"""Pages before the first save; later ones follow each time a quarter of all rows is new, so that
writing never takes longer than fetching."""

_MAX_AGE_S = 86_400.0
"""Older checkpoints are not resumed: the exchange may have corrected candles since."""


@dataclass
class PullCheckpoint:
    """The candles of one market that were fetched so far.

    The file is written under a temporary name and renamed; a completed fetch deletes it. It is not
    part of the cache: only the fetch that resumes reads it.

    Attributes:
        path: The file; None saves nothing.
        rows: Candles, ascending, each once.
    """

    path: Path | None
    rows: list[CandleRow] = field(default_factory=list)
    _unsaved_rows: int = 0

    @classmethod
    def load(cls, folder: Path | None, pager: CandlePager, since: int) -> PullCheckpoint:
        """Reads what an interrupted fetch of the same candles from the same start left."""
        if folder is None:
            return cls(None)
        exchange, market = pager.client.name, quote(pager.market["symbol"], safe="")
        path = folder / quote(exchange, safe="") / f"{market}.{pager.interval}.{since}.npy"
        try:
            recent = time.time() - path.stat().st_mtime < _MAX_AGE_S
            rows = np.load(path, allow_pickle=False).reshape(-1, 6).tolist() if recent else []
        except (OSError, ValueError, EOFError):
            # No file, or a damaged one, which counts as none.
            rows = []
        return cls(path, rows)

    def resume(self, pager: CandlePager, until: int) -> int | None:
        """The timestamp to resume from, in milliseconds; None to fetch everything.

        The last candle is fetched again. If it has changed, all saved candles are discarded.
        """
        if not self.rows:
            return None
        last = self.rows.pop()
        page, _ = next(pager.iter_pages(int(last[0]), until))
        if page[:1] == [last]:
            return int(last[0])
        self.rows.clear()
        return None

    def add_page(self, page: list[CandleRow]) -> None:
        """Adds a page, and saves from time to time in case the process is killed."""
        self.rows += page
        self._unsaved_rows += len(page)
        if page and self._unsaved_rows >= max(_PAGES_BEFORE_SAVE * len(page), len(self.rows) // 4):
            self._write()

    @contextmanager
    def save_on_failure(self) -> Iterator[None]:
        """Context of a fetch: saves the rows if it fails, deletes the file if it completes."""
        try:
            yield
        except BaseException:
            if self._unsaved_rows:
                self._write()
            raise
        if self.path is not None:
            # Checkpoints of other starts go too: the cache now has their candles.
            # So do unfinished files of killed processes; another process that fetches the same
            # candles at this moment writes its own again.
            name = escape(self.path.stem.rpartition(".")[0])
            with suppress(OSError):
                for pattern in (f"{name}.*.npy", f".{name}.*{DRAFT_SUFFIX}"):
                    for obsolete in self.path.parent.glob(pattern):
                        obsolete.unlink(missing_ok=True)

    def _write(self) -> None:
        if self.path is None:
            return
        # The cache reports a folder that cannot be written when it stores the bars.
        with suppress(OSError):
            self.path.parent.mkdir(parents=True, exist_ok=True)
            with (
                replace_atomically(self.path, f".{self.path.name}") as draft,
                draft.open("wb") as file,
            ):
                np.save(file, np.array(self.rows, dtype=np.float64))
        self._unsaved_rows = 0
