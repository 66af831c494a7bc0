"""The candles of an exchange, a page at a time, and the ways in which pages go wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import groupby, pairwise
from statistics import mode
from typing import TYPE_CHECKING

from tests.servers.candles import Candle

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


@dataclass
class Market:
    """Books of candles, all of one length, from which longer candles are made.

    `largest` bounds a page whatever is asked; `newest` is how many of the last candles are handed
    out at all. `stuck` makes every page the first page, `endless` goes on after the last candle
    for ever, `overlap` begins a page so many candles too early, `repeat_last` sends the last
    candle of a page twice, `backwards` sends the newest first, `skip` empties the page of that
    number once. `from_end` counts a page from the last candle wanted, not from the first, and
    `silent` are spans (step, first and last, in seconds) whose candles are never sent.
    """

    books: dict[str, list[Candle]] = field(default_factory=dict)
    largest: int = 1_000
    newest: int | None = None
    stuck: bool = False
    endless: bool = False
    overlap: int = 0
    repeat_last: bool = False
    backwards: bool = False
    empty_once: set[int] = field(default_factory=set)
    asked: int = 0
    from_end: bool = False
    silent: list[tuple[int, int, int]] = field(default_factory=list)

    def page(
        self, pair: str, step: int, limit: int, wanted: Callable[[int], bool]
    ) -> list[Candle]:
        """At most `limit` candles of `step` seconds whose open is wanted."""
        self.asked += 1
        if self.asked in self.empty_once:
            return []
        book = [
            candle
            for candle in longer(self.books[pair], step)
            if not any(
                of == step and begin <= candle.seconds <= end for of, begin, end in self.silent
            )
        ]
        book = book[-self.newest :] if self.newest else book
        limit = min(limit, self.largest)
        first = next((i for i, candle in enumerate(book) if wanted(candle.seconds)), len(book))
        last = next((i for i in range(first, len(book)) if not wanted(book[i].seconds)), len(book))
        page = book[max(0, first - self.overlap) : min(last, first + limit)]
        if self.from_end:
            page = book[max(first, last - limit) : last]
        if self.stuck:
            page = book[:limit]
        if self.endless and len(page) < limit:
            page = [*page, *_onwards(book[-1], step, limit, wanted)]
        if self.repeat_last:
            page = [*page, *page[-1:]]
        return page[::-1] if self.backwards else page


def longer(book: list[Candle], step: int) -> list[Candle]:
    """The candles of a book joined to candles of `step` seconds."""
    if len(book) < 2 or mode(b.seconds - a.seconds for a, b in pairwise(book)) >= step:
        return book
    return [
        _joined(start, own) for start, own in groupby(book, lambda c: c.seconds // step * step)
    ]


def _joined(start: int, own: Iterable[Candle]) -> Candle:
    parts = list(own)
    return Candle(
        start,
        parts[0].open,
        max(part.high for part in parts),
        min(part.low for part in parts),
        parts[-1].close,
        sum(part.volume for part in parts),
    )


def _onwards(last: Candle, step: int, limit: int, wanted: Callable[[int], bool]) -> list[Candle]:
    """Candles that have not happened yet."""
    start = last.seconds + step
    while not wanted(start):
        start += limit * step
    made = (Candle(start + i * step, 1.0, 1.0, 1.0, 1.0, 1.0) for i in range(limit))
    return [candle for candle in made if wanted(candle.seconds)]
