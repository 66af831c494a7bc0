"""What a stream of candles shows of one symbol: which candles are whole, and which are not."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

    from engine.live.feeds.kept_bars import BarValues

Candle: TypeAlias = tuple[int, "BarValues"]
"""Open in milliseconds since 1970, and the values."""

_KEPT = 500
"""Closed candles that are kept until they are taken; the newest ones."""


@dataclass
class CandleStream:
    """The candles of one symbol, over one connection after another.

    A message has the values of a candle up to then. So a candle is whole if its beginning and the
    beginning of a later one came over one connection: of one that was open when a connection
    began or ended, the last message may be missing, and it looks like the others.

    Attributes:
        connection: Number of the connection of the last message.
        base: Open of the newest candle of that connection's first message; later ones are whole
            when they have closed.
        newest: Open of the newest candle that was seen over that connection.
    """

    connection: int = -1
    base: int | None = None
    newest: int | None = None
    _closed: dict[int, BarValues] = field(default_factory=dict)
    _seen: dict[int, BarValues] = field(default_factory=dict)

    def add(self, connection: int, candles: Iterable[Candle]) -> bool:
        """Takes what a message shows; whether a candle has closed, or one that had was corrected.

        Args:
            connection: Number of the connection over which it came.
            candles: Candles in any order, among them the newest.
        """
        rows = dict(candles)
        if not rows:
            return False
        last = max(rows)
        if connection != self.connection or self.base is None or self.newest is None:
            self.connection, self.base, self.newest = connection, last, last
            self._seen.clear()
            return True
        begun, self.newest = last > self.newest, max(last, self.newest)
        changed = {
            opened: values
            for opened, values in rows.items()
            if self.base < opened < self.newest and self._seen.get(opened) != values
        }
        self._closed |= changed
        self._seen |= changed
        for kept in (self._closed, self._seen):
            for oldest in sorted(kept)[:-_KEPT]:
                del kept[oldest]
        return bool(changed) or begun

    def take(self) -> dict[int, BarValues]:
        """Whole candles that closed or were corrected since the last call."""
        taken, self._closed = self._closed, {}
        return taken
