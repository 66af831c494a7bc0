"""A stretch of empty pages, and the longer candles of the same time."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.data.sources.exchange._candle_requests import CandleRow


@dataclass
class EmptyStretch:
    """Empty pages one after another, and the longer candles of the same time.

    Attributes:
        start: Where the first of them started.
        leading: Whether no candle came before it, so that the exchange may keep none so old.
        coarser_rows: Longer candles, ascending, from the one that holds `start` on.
        first_since: Where the first page since the last jump started; None after a jump.
        last_since: Where the last page started; None after a jump.
        widest: Most milliseconds that one of these pages was taken to cover.
        has_coarser_rows: Whether any longer candle came.
        older_dropped: Whether the exchange was found to keep no candles so old.
    """

    start: int
    leading: bool
    coarser_rows: Iterator[CandleRow]
    first_since: int | None = None
    last_since: int | None = None
    widest: int = 0
    has_coarser_rows: bool = False
    older_dropped: bool = False
    _waiting: list[CandleRow] = field(default_factory=list)

    def add(self, since: int, covered: int) -> None:
        """Records an empty page, and up to where it is taken to show that there is nothing."""
        self.first_since = since if self.first_since is None else self.first_since
        self.last_since = since
        self.widest = max(self.widest, covered - since)

    def jump(self) -> None:
        """Records that longer candles show no trade up to the start of the next page."""
        self.first_since = self.last_since = None
        self.widest = 0

    def restart(self, since: int) -> EmptyStretch:
        """The stretch when its pages are asked for again from `since` on."""
        self.first_since, self.last_since = since, None
        self.widest = 0
        return self

    def next_coarser_row(self) -> CandleRow | None:
        """The next longer candle, which stays the next one; None after the last."""
        if not self._waiting:
            self._waiting = list(islice(self.coarser_rows, 1))
            self.has_coarser_rows = self.has_coarser_rows or bool(self._waiting)
        return self._waiting[0] if self._waiting else None

    def coarser_rows_before(self, opens_before: int) -> Iterator[CandleRow]:
        """Takes the longer candles that open before a time, in milliseconds."""
        row = self.next_coarser_row()
        while row is not None and row[0] < opens_before:
            self._waiting.clear()
            yield row
            row = self.next_coarser_row()


def is_traded(row: CandleRow) -> bool:
    """Whether a candle shows a trade: exchanges fill pauses with flat candles without volume."""
    return row[5] != 0 or row[2] != row[3]
