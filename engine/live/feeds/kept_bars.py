"""The newest bars of each symbol that a feed keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from engine.core import limits
from engine.core.types import BAR_COLUMNS, TIMESTAMP_DTYPE
from engine.data.bars import VALUE_COLUMNS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from engine.core.types import BarsFrame
    from engine.live.feeds.notices import NoticeOnce

KEPT_BARS = 100
"""Bars of a symbol, of those that were handed out, which a feed keeps and gives again."""

BarValues: TypeAlias = tuple[float, ...]
"""Open, high, low, close and volume."""


_FEWEST_INCOMPLETE = 2_000
"""Bars of each symbol that are kept at least while another symbol has none, however many there
are: a day and a half of minutes."""


class KeptBars:
    """Complete bars by symbol and timestamp; a bar that comes again replaces the earlier one.

    Bars at times at which another symbol has none are kept too, because it may come later, but no
    more than `limits.MAX_INCOMPLETE_BARS`: of more the oldest are given up, and do not come again.

    Args:
        symbols: The dataset's symbols, in its order.
        notices: Receives that bars are given up.
    """

    def __init__(self, symbols: Sequence[str], notices: NoticeOnce) -> None:
        self._notices = notices
        self._given_up: dict[str, pd.Timestamp] = {}
        self._rows: dict[str, dict[pd.Timestamp, BarValues]] = {name: {} for name in symbols}
        self._newest: dict[str, pd.Timestamp] = {}

    def add(self, symbol: str, timestamp: pd.Timestamp, values: BarValues) -> None:
        """Adds one bar, in any order of time, unless that time was given up."""
        if symbol in self._given_up and timestamp <= self._given_up[symbol]:
            return
        self._rows[symbol][timestamp] = values
        if symbol not in self._newest or timestamp > self._newest[symbol]:
            self._newest[symbol] = timestamp

    def add_frame(self, symbol: str, bars: BarsFrame) -> None:
        """Adds the bars of one symbol."""
        values = bars[list(VALUE_COLUMNS)].to_numpy(dtype="float64")
        for timestamp, row in zip(bars["timestamp"], values.tolist(), strict=True):
            self.add(symbol, timestamp, tuple(row))

    def replace(self, symbol: str, bars: BarsFrame) -> None:
        """Keeps these bars of a symbol and no others."""
        self._rows[symbol].clear()
        self.add_frame(symbol, bars)

    def of_symbol(self, symbol: str, more: Mapping[pd.Timestamp, BarValues]) -> BarsFrame:
        """All bars of a symbol that are kept, and more of it, ascending."""
        rows = self._rows[symbol] | dict(more)
        return _to_frame([(stamp, symbol, *row) for stamp, row in sorted(rows.items())])

    def newest(self, symbol: str) -> pd.Timestamp | None:
        """Timestamp of a symbol's newest bar; None before the first."""
        return self._newest.get(symbol)

    def overlap_start(self, symbol: str) -> pd.Timestamp | None:
        """The first of a symbol's newest `KEPT_BARS` bars; None where there is none."""
        return next(iter(sorted(self._rows[symbol])[-KEPT_BARS:]), None)

    def given_up(self, symbol: str) -> pd.Timestamp | None:
        """Until when the bars of a symbol were given up; None where none were."""
        return self._given_up.get(symbol)

    def count_complete(self, after: pd.Timestamp) -> int:
        """Bars later than an instant at whose time every symbol has one."""
        return len(self._rows) * len(self._complete(after))

    def later_than(self, instant: pd.Timestamp) -> BarsFrame:
        """Long bars later than an instant; of those before it, the newest `KEPT_BARS` stay."""
        self._give_up(instant)
        found = []
        for order, (symbol, rows) in enumerate(self._rows.items()):
            passed = sorted(stamp for stamp in rows if stamp <= instant)
            for stamp in passed[:-KEPT_BARS]:
                del rows[stamp]
            found += [
                (stamp, order, symbol, *values)
                for stamp, values in rows.items()
                if stamp > instant
            ]
        return _to_frame([(stamp, *rest) for stamp, _, *rest in sorted(found)])

    def _complete(self, after: pd.Timestamp) -> set[pd.Timestamp]:
        """The times later than an instant at which every symbol has a bar."""
        first, *others = self._rows.values()
        times = {stamp for stamp in first if stamp > after}
        return times.intersection(*others)

    def _give_up(self, instant: pd.Timestamp) -> None:
        """Leaves the oldest bars out of too many that wait for another symbol."""
        most = max(_FEWEST_INCOMPLETE, limits.MAX_INCOMPLETE_BARS // len(self._rows))
        many = [symbol for symbol, rows in self._rows.items() if len(rows) > most]
        complete = self._complete(instant) if many else set()
        for symbol in many:
            waiting = [stamp for stamp in self._rows[symbol] if stamp > instant]
            oldest = sorted(set(waiting) - complete)[:-most]
            for stamp in oldest:
                del self._rows[symbol][stamp]
            if oldest:
                self._tell_given_up(symbol, oldest[-1])

    def _tell_given_up(self, symbol: str, last: pd.Timestamp) -> None:
        self._given_up[symbol] = max(last, self._given_up.get(symbol, last))
        lacking = [
            name for name, rows in self._rows.items() if last not in rows and name != symbol
        ]
        more = f" and {len(lacking) - 5} others" if len(lacking) > 5 else ""
        self._notices.notice_about(
            "given up",
            f"too many bars wait for {', '.join(lacking[:5])}{more}: those of {symbol} until "
            f"{last:%Y-%m-%d %H:%M} are given up and not decided",
        )


def _to_frame(rows: list[tuple[object, ...]]) -> BarsFrame:
    types = dict.fromkeys(VALUE_COLUMNS, "float64")
    bars: BarsFrame = pd.DataFrame(rows, columns=list(BAR_COLUMNS))
    return bars.astype({"timestamp": TIMESTAMP_DTYPE, "symbol": "str", **types})
