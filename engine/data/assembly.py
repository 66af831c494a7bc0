"""Bars of symbols on different exchanges and in different currencies, joined by when they close.

A bar is known at its close, see `engine.data.bar_times`. Bars of one date on two exchanges are not
known together: Tokyo's close of a Tuesday is known in New York on that Tuesday, and New York's in
Tokyo on Wednesday.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import InvalidBarsError
from engine.data.bar_grid import next_bar_labels
from engine.data.bars import NO_DELAY, utc_datetime64
from engine.data.joins import align_symbols
from engine.data.panel import unite_symbols
from engine.data.sessions import index_to_microseconds

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Literal

    from engine.core.types import BarsFrame, BoolVector, IntMatrix, IntVector, Vector
    from engine.data.bar_times import TradingTimes

MAX_RATE_AGE = pd.Timedelta(days=10)
"""Longest time since the close of an exchange rate with which prices are converted."""

_FUTURE_LABELS = 10
"""Bars after the last that the calendars are asked for."""


@dataclass(frozen=True, eq=False)
class Assembly:
    """The bars of a market as their sources have them, and how they are joined.

    Attributes:
        frames: Symbol -> validated bars in its own currency, labelled by its own dates; also of
            the symbols that are exchange rates alone.
        times: Symbol -> when its bars open and close.
        target: The symbol at whose closes everything is decided; None of a book, which decides
            at the last close of each date.
        rates: Symbol in another currency -> the symbol whose closes are the units of the book's
            currency for one unit of its own.
        panel: Whether timestamps are kept that not every symbol has; of a book alone.
    """

    frames: Mapping[str, BarsFrame]
    times: Mapping[str, TradingTimes]
    target: str | None = None
    rates: Mapping[str, str] = field(default_factory=dict)
    panel: bool = False

    @property
    def symbols(self) -> tuple[str, ...]:
        """Those of the market; exchange rates are none."""
        used = set(self.rates.values())
        return tuple(symbol for symbol in self.frames if symbol not in used)

    def with_frames(self, frames: Mapping[str, BarsFrame]) -> Assembly:
        """The same of other bars."""
        return replace(self, frames=frames)

    def until(self, instant: pd.Timestamp) -> Assembly:
        """The bars that had closed at an instant."""
        return self.with_frames(
            {
                symbol: frame[self._closes(symbol) <= instant.value // 1_000]
                for symbol, frame in self.frames.items()
            }
        )

    def _closes(self, symbol: str) -> IntVector:
        """When the bars of a symbol close, microseconds since 1970."""
        return self.times[symbol].closes(utc_datetime64(self.frames[symbol]).astype(np.int64))

    def join(self) -> tuple[BarsFrame, list[str]]:
        """Long bars in the book's currency, as `align_symbols` and `unite_symbols` have them.

        Returns:
            The bars, and a sentence about each symbol of which bars are left out.

        Raises:
            InvalidBarsError: No rate is known, or it is too old, at which a price was converted;
                or no row is left.
        """
        bars, notices = self.unite()
        if bars.empty and not self.panel:
            raise InvalidBarsError(
                "no bar is left when the symbols are joined by their closes",
                expected="bars of every symbol over the same time",
                found=", ".join(f"{name}: {len(self.frames[name])} bars" for name in self.symbols),
                where="calendars of the dataset",
                fix="leave the symbol out whose bars end before the others begin",
            )
        return bars, notices

    def unite(self) -> tuple[BarsFrame, list[str]]:
        """As `join`; there may be no row."""
        own = {symbol: self._convert(symbol) for symbol in self.symbols}
        if self.target is not None:
            own = relabel_by_close(own, self.times, self.target)
        if self.panel:
            return unite_symbols(own), []
        return align_symbols(own)

    def _convert(self, symbol: str) -> BarsFrame:
        if symbol not in self.rates or self.frames[symbol].empty:
            return self.frames[symbol]
        series = self.rates[symbol]
        return convert_prices(
            self.frames[symbol],
            self.times[symbol],
            self.frames[series],
            self.times[series],
            name=f"{symbol}, converted with {series}",
        )

    def decided_at(self, stamps: pd.DatetimeIndex, present: pd.DataFrame) -> IntVector:
        """When the decision of each row is made: at its last close, microseconds since 1970.

        Args:
            stamps: (n,) timestamps of the rows, ascending.
            present: (n, symbols) whether each symbol has a bar.

        Returns:
            (n,) ascending.
        """
        micro = index_to_microseconds(stamps)
        if self.target is not None:
            return self.times[self.target].closes(micro)
        closes = np.column_stack([self.times[name].closes(micro) for name in self.symbols])
        missing = ~present[list(self.symbols)].to_numpy()
        return np.maximum.accumulate(np.where(missing, np.iinfo(np.int64).min, closes).max(axis=1))

    def ended_rows(
        self, stamps: pd.DatetimeIndex, now: pd.Timestamp, delay: pd.Timedelta = NO_DELAY
    ) -> BoolVector:
        """Whether each row can be decided by an instant: every session of its date has closed.

        With a target it is the session of the target: bars that close later belong to later rows.

        Args:
            stamps: (n,) timestamps of rows.
            now: The instant.
            delay: How long after the close of a session its bar may come.
        """
        micro = index_to_microseconds(stamps)
        ended = np.ones(len(micro), dtype=bool)
        names = self.symbols if self.target is None else (self.target,)
        for times in {self.times[symbol] for symbol in names}:
            known = now - delay if times.follow_sessions else now
            has_closed = times.closes(micro) <= known.value // 1_000
            ended &= has_closed | ~times.have_sessions(micro)
        return ended

    def fill_lags(
        self,
        stamps: pd.DatetimeIndex,
        present: pd.DataFrame,
        price: Literal["open", "close"],
        symbols: Sequence[str],
    ) -> IntMatrix | None:
        """Bars from each row's decision to the first whose price is not before it.

        A symbol whose next bar opens before the last close of the date waits for the one after:
        a share in Sydney, beside a coin whose day ends an hour after Sydney's next one opened.

        Args:
            stamps: (n,) timestamps of the rows, ascending.
            present: (n, symbols) whether each symbol has a bar.
            price: Of the bar, at which orders are filled.
            symbols: Columns of the answer.

        Returns:
            (n, symbols) at least 1; None where the next bar will do at all rows. Bars after the
            last row are those that the calendars expect.
        """
        if self.target is not None:
            return None
        decided = self.decided_at(stamps, present)
        micro = np.concatenate([index_to_microseconds(stamps), self.next_labels(stamps[-1])])
        rows = np.arange(len(stamps))
        lags = np.ones((len(stamps), len(symbols)), dtype=np.int64)
        for column, symbol in enumerate(symbols):
            opens, closes = self.times[symbol].spans(micro)
            instants = np.maximum.accumulate(opens if price == "open" else closes)
            first = np.searchsorted(instants, decided, side="left")
            lags[:, column] = np.maximum(first - rows, 1)
        return lags if (lags > 1).any() else None

    def row_instants(
        self, stamp: pd.Timestamp, present: Collection[str], price: Literal["open", "close"]
    ) -> tuple[pd.Timestamp, dict[str, pd.Timestamp]] | None:
        """When one row of a book is decided, and when its price of each symbol is.

        Args:
            stamp: Of the row.
            present: Symbols that have a bar, at least one.
            price: Of the bar, at which orders are filled.

        Returns:
            The decision, and symbol -> instant; None of one target, whose orders never wait for
            another exchange.
        """
        if self.target is not None:
            return None
        micro = index_to_microseconds(pd.DatetimeIndex([stamp]))
        spans = {times: times.spans(micro) for times in {self.times[s] for s in self.symbols}}
        place = ("open", "close").index(price)
        own = {symbol: spans[self.times[symbol]] for symbol in self.symbols}
        last = max(int(own[symbol][1][0]) for symbol in present)
        return _instant(last), {name: _instant(int(own[name][place][0])) for name in own}

    def next_labels(self, last: pd.Timestamp, count: int = _FUTURE_LABELS) -> IntVector:
        """Timestamps after a row at which the calendar of a symbol has a bar, ascending."""
        expected: set[int] = set()
        for times in {self.times[symbol] for symbol in self.symbols}:
            labels = next_bar_labels(last, times.interval, times.calendar, count)
            expected.update(index_to_microseconds(pd.DatetimeIndex(labels)).tolist())
        return np.array(sorted(expected)[:count], dtype=np.int64)


def _instant(micro: int) -> pd.Timestamp:
    return pd.Timestamp(micro, unit="us", tz="UTC")


def relabel_by_close(
    frames: Mapping[str, BarsFrame], times: Mapping[str, TradingTimes], target: str
) -> dict[str, BarsFrame]:
    """Bars labelled by the bar of the target at whose close they are known.

    A bar of another symbol gets the label of the first bar of the target that does not close
    before it. Of several the last is kept: of a coin's bars of a weekend Sunday's, and none
    where the target's last bar closes before it.

    Args:
        frames: Symbol -> bars, ascending.
        times: Symbol -> when they close.
        target: Symbol whose labels are taken.
    """
    own = frames[target]
    labels = utc_datetime64(own).astype(np.int64)
    closes = times[target].closes(labels)
    moved = {}
    for symbol, frame in frames.items():
        if symbol == target:
            moved[symbol] = frame
            continue
        stamps = utc_datetime64(frame).astype(np.int64)
        place = np.searchsorted(closes, times[symbol].closes(stamps), side="left")
        is_last = np.append(place[1:] != place[:-1], True) & (place < len(labels))
        kept = frame[is_last].reset_index(drop=True)
        kept["timestamp"] = own["timestamp"].iloc[place[is_last]].reset_index(drop=True)
        moved[symbol] = kept
    return moved


def convert_prices(
    bars: BarsFrame, times: TradingTimes, rates: BarsFrame, rate_times: TradingTimes, *, name: str
) -> BarsFrame:
    """Bars in another currency: each price times the last close of a rate that was known at it.

    The open is converted with the rate known at the open of the bar, the other prices with that
    known at its close; the high and the low hold the converted open and close.

    Args:
        bars: Of one symbol, ascending.
        times: When they open and close.
        rates: Bars of the rate: units of the new currency for one of the old.
        rate_times: When they close.
        name: For the message.

    Returns:
        Without the bars at whose open no rate was known yet.

    Raises:
        InvalidBarsError: No rate is known at any bar, or the newest known is older than
            `MAX_RATE_AGE`.
    """
    opens, closes = times.spans(utc_datetime64(bars).astype(np.int64))
    known_at = rate_times.closes(utc_datetime64(rates).astype(np.int64))
    values = rates["close"].to_numpy(dtype=np.float64)
    at_open, at_close = (
        np.searchsorted(known_at, each, side="right") - 1 for each in (opens, closes)
    )
    usable = at_open >= 0
    _require_known(bars, usable, name)
    _require_young(bars, opens, known_at, at_open, name)
    kept = bars[usable].reset_index(drop=True)
    first, last = values[at_open[usable]], values[at_close[usable]]
    opened = kept["open"].to_numpy() * first
    close, high, low = (kept[column].to_numpy() * last for column in ("close", "high", "low"))
    kept["open"], kept["close"] = opened, close
    kept["high"] = _widest(np.maximum, high, opened, close)
    kept["low"] = _widest(np.minimum, low, opened, close)
    return kept


def _widest(choose: np.ufunc, *prices: Vector) -> Vector:
    return np.asarray(choose.reduce(prices), dtype=np.float64)


def _require_known(bars: BarsFrame, usable: BoolVector, name: str) -> None:
    if not usable.any():
        raise InvalidBarsError(
            "no exchange rate is known at any bar",
            expected="a rate that begins before the bars end",
            found=f"{name}: {len(bars)} bars until {bars['timestamp'].max()}",
            where="fx of the dataset",
            fix="take a longer series of the rate",
        )


def _require_young(
    bars: BarsFrame, opens: IntVector, known_at: IntVector, place: IntVector, name: str
) -> None:
    age = opens - known_at[np.maximum(place, 0)]
    old = (place >= 0) & (age > MAX_RATE_AGE // pd.Timedelta(microseconds=1))
    if old.any():
        row = int(np.argmax(old))
        raise InvalidBarsError(
            f"the exchange rate is too old at {int(old.sum())} bars",
            expected=f"one that closed at most {MAX_RATE_AGE.days} days before the bar",
            found=f"{age[row] / 86_400e6:.0f} days at {bars['timestamp'].iloc[row]}",
            where=name,
            fix="take a series of the rate without such gaps, or set `start` or `end`",
        )
