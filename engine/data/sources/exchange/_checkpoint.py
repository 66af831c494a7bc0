"""The candles of a long pull, kept until it is whole, so that one that broke off goes on."""

from __future__ import annotations

import os
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import quote
from uuid import uuid4

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from engine.data.sources.exchange._pages import CandlePager, CandleRow

_PAGES_BEFORE_SAVE = 20
"""Pages after which what came is kept for the first time; then after every further quarter, so
that the writing never costs more than the pull."""

_MAX_AGE_S = 86_400.0
"""Older ones are not gone on with: an exchange may have corrected candles since."""


@dataclass
class PullCheckpoint:
    """What came so far of the candles of one market.

    A file is written beside and renamed, and a pull that is done leaves none. It is no part of
    the cache: nothing reads it but the pull that goes on.

    Attributes:
        path: The file; None keeps nothing.
        rows: Candles, ascending, each once.
    """

    path: Path | None
    rows: list[CandleRow] = field(default_factory=list)
    _unsaved_rows: int = 0

    @classmethod
    def load(cls, folder: Path | None, pager: CandlePager, since: int) -> PullCheckpoint:
        """What a pull of the same candles from the same instant on left, if it broke off."""
        if folder is None:
            return cls(None)
        exchange, market = pager.client.name, quote(pager.market["symbol"], safe="")
        path = folder / quote(exchange, safe="") / f"{market}.{pager.interval}.{since}.npy"
        try:
            recent = time.time() - path.stat().st_mtime < _MAX_AGE_S
            rows = np.load(path, allow_pickle=False).reshape(-1, 6).tolist() if recent else []
        except (OSError, ValueError, EOFError):
            # None, or a damaged one: as good as none.
            rows = []
        return cls(path, rows)

    def resume(self, pager: CandlePager, until: int) -> int | None:
        """The instant to go on from; None where all is to be asked for.

        The last candle is asked for again. If it is another one now, none of them is believed.
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
        """Another page; what came is written now and then, against a process that is killed."""
        self.rows += page
        self._unsaved_rows += len(page)
        if page and self._unsaved_rows >= max(_PAGES_BEFORE_SAVE * len(page), len(self.rows) // 4):
            self._write()

    @contextmanager
    def save_on_failure(self) -> Iterator[None]:
        """Around a pull: whatever ends it keeps what came, and a whole one leaves nothing."""
        try:
            yield
        except BaseException:
            if self._unsaved_rows:
                self._write()
            raise
        if self.path is not None:
            # Of other starts too: whoever wants those has the cache.
            name, _, _ = self.path.stem.rpartition(".")
            with suppress(OSError):
                for left in self.path.parent.glob(f"{name}.*.npy"):
                    left.unlink(missing_ok=True)

    def _write(self) -> None:
        if self.path is None:
            return
        draft = self.path.with_name(f".{self.path.name}.{uuid4().hex}.tmp")
        # A folder that cannot be written is told where the bars are to be kept.
        with suppress(OSError):
            try:
                self.path.parent.mkdir(parents=True, exist_ok=True)
                with draft.open("wb") as file:
                    np.save(file, np.array(self.rows, dtype=np.float64))
                os.replace(draft, self.path)  # noqa: PTH105  the one call that is named for it
            finally:
                draft.unlink(missing_ok=True)
        self._unsaved_rows = 0
