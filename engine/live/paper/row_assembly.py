"""The rows of an account on several exchanges, of the bars of each symbol as they come.

A bar arrives at the close of its own exchange. A row is joined by the rule of a backtest, of the
bars that had come before it was decided; a bar that comes later is never part of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.types import BAR_COLUMNS, TIMESTAMP_DTYPE
from engine.data.assembly import MAX_RATE_AGE
from engine.data.bars import VALUE_COLUMNS, utc_datetime64
from engine.data.sessions import DAY_US

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from engine.core.types import BarsFrame
    from engine.data.assembly import Assembly
    from engine.data.bar_times import TradingTimes
    from engine.live.journal.rows import ArrivalRow
    from engine.live.row_schedule import RowSchedule

FETCHED_BEFORE = pd.Timedelta(days=10)
"""So long before the newest row bars are asked for again: those that close after it may have
earlier dates, and others come late."""

_KEPT_BEFORE = MAX_RATE_AGE + pd.Timedelta(days=30)
"""Bars that are kept from before the newest row: of rates, and those of watched rows."""

_LOOKED_BACK_DAYS = 15

Key = tuple[str, pd.Timestamp]


@dataclass(frozen=True)
class AssembledRow:
    """A row that can be decided.

    Attributes:
        bars: A row a symbol that has the bar, in the order of the market.
        late_symbols: Symbols whose bar was expected and has not come.
        late_rates: Exchange rates of which an older bar is used.
    """

    bars: BarsFrame
    late_symbols: tuple[str, ...] = ()
    late_rates: tuple[str, ...] = ()


@dataclass(frozen=True)
class TakenBars:
    """Bars that were not known.

    Attributes:
        fresh: All of them.
        unused: Symbol -> those that came after their row was decided.
    """

    fresh: BarsFrame
    unused: Mapping[str, list[str]]


class RowAssembler:
    """Joins the bars of symbols on several exchanges into rows.

    Args:
        assembly: How they are joined, with the bars that the account began with.
        schedule: When rows come.
        delisted_after: Days without a bar after which a symbol of a panel is not waited for.
        wait: How long after the end of a row a bar is waited for that is expected.
    """

    def __init__(
        self,
        assembly: Assembly,
        schedule: RowSchedule,
        *,
        delisted_after: pd.Timedelta,
        wait: pd.Timedelta,
    ) -> None:
        self._assembly, self._schedule = assembly, schedule
        self._delisted_after, self._wait = delisted_after, wait
        self._order = {symbol: place for place, symbol in enumerate(assembly.symbols)}
        self._rates = tuple(dict.fromkeys(assembly.rates.values()))
        self._bars: dict[str, BarsFrame] = {}
        self._known: set[Key] = set()
        for symbol, frame in assembly.frames.items():
            self._bars[symbol] = frame
            self._known |= {(symbol, stamp) for stamp in frame["timestamp"]}

    @classmethod
    def of_arrivals(
        cls,
        assembly: Assembly,
        arrivals: Iterable[ArrivalRow],
        schedule: RowSchedule,
        *,
        delisted_after: pd.Timedelta,
        wait: pd.Timedelta,
    ) -> RowAssembler:
        """After the bars that have come since the account began."""
        own = cls(assembly, schedule, delisted_after=delisted_after, wait=wait)
        for after_bar, came in groupby(arrivals, key=lambda row: row.after_bar):
            own.take(arrivals_to_frame(came), after_bar)
        return own

    def take(self, fetched: BarsFrame, newest: pd.Timestamp) -> TakenBars:
        """Takes bars that were not known.

        Args:
            fetched: Long bars in the currencies of their symbols; of those that are known the
                values stay what they were.
            newest: The row that was decided last: a bar of it or of an earlier one is not used,
                but that of a rate from now on.
        """
        keys = list(zip(fetched["symbol"].tolist(), fetched["timestamp"].tolist(), strict=True))
        new = np.array([key not in self._known for key in keys], dtype=bool)
        fresh = fetched[new & fetched["symbol"].isin(list(self._bars)).to_numpy()]
        unused: dict[str, list[str]] = {}
        for name, bars in fresh.groupby("symbol", sort=False):
            symbol, own = str(name), bars[list(BAR_COLUMNS)]
            self._known |= {(symbol, stamp) for stamp in own["timestamp"]}
            if symbol not in self._rates:
                is_pending = self._is_pending(symbol, own, newest)
                if not is_pending.all():
                    passed = own["timestamp"][~is_pending]
                    unused[symbol] = [stamp.isoformat() for stamp in passed]
                own = own[is_pending]
            joined = pd.concat([self._bars[symbol], own])
            self._bars[symbol] = joined.sort_values("timestamp", ignore_index=True)
        return TakenBars(fresh, unused)

    def join_row(self, stamp: pd.Timestamp, newest: pd.Timestamp) -> BarsFrame:
        """The bars of one row, whether it is complete or not.

        Args:
            stamp: Of the row.
            newest: The row that was decided before it.
        """
        joined = self._join_pending(newest)
        return self._in_order(joined[joined["timestamp"] == stamp])

    def waiting(self, newest: pd.Timestamp) -> BarsFrame:
        """The bars that have come and belong to a row after one, by their own dates."""
        own = [bars[self._is_pending(name, bars, newest)] for name, bars in self._traded()]
        return pd.concat(own, ignore_index=True)

    def rows(self, newest: pd.Timestamp, now: pd.Timestamp) -> list[AssembledRow]:
        """The rows after one that can be decided now, in order.

        A row is complete at the last close of its date, or at the close of the target; a bar that
        is expected by then and has not come is waited for, and no later row goes first.

        Raises:
            InvalidBarsError: A price cannot be converted.
        """
        self._forget(newest)
        joined = self._join_pending(newest)
        found: list[AssembledRow] = []
        for stamp, group in joined.groupby("timestamp", sort=True):
            row = self._assemble(pd.Timestamp(stamp), group, now)  # type: ignore[arg-type] # a timestamp
            if row is None:
                break
            found.append(row)
        return found

    def join_revised(self, fetched: BarsFrame, first: pd.Timestamp) -> BarsFrame | None:
        """The rows from one on, with other values of the bars that they were made of.

        Args:
            fetched: Long bars in the currencies of their symbols; a bar that is not known is none
                of theirs.
            first: The first row.

        Returns:
            None where no known bar has other values.
        """
        now_by_key = fetched.set_index(["symbol", "timestamp"])
        frames, is_revised = {}, False
        for symbol, own in self._bars.items():
            kept = own[own["timestamp"] >= first - _KEPT_BEFORE].reset_index(drop=True)
            index = pd.MultiIndex.from_frame(kept[["symbol", "timestamp"]])
            at = now_by_key.index.get_indexer(index)
            values = kept[list(VALUE_COLUMNS)].to_numpy(copy=True)
            now = now_by_key[list(VALUE_COLUMNS)].to_numpy()[at[at >= 0]]
            is_revised |= not np.array_equal(values[at >= 0], now, equal_nan=True)
            values[at >= 0] = now
            kept[list(VALUE_COLUMNS)] = values
            frames[symbol] = kept
        if not is_revised:
            return None
        bars, _ = self._assembly.with_frames(frames).unite()
        rows: BarsFrame = bars[(bars["timestamp"] >= first) & bars["close"].notna()]
        return rows

    def _traded(self) -> list[tuple[str, BarsFrame]]:
        return [(name, self._bars[name]) for name in self._order]

    def _in_order(self, group: BarsFrame) -> BarsFrame:
        ordered = group.sort_values("symbol", key=lambda names: names.map(self._order))
        return ordered.reset_index(drop=True)

    def _join_pending(self, newest: pd.Timestamp) -> BarsFrame:
        """The rows after one, of the bars that have come, in the book's currency."""
        pending = {
            name: bars[self._is_pending(name, bars, newest)] for name, bars in self._traded()
        }
        begins = [own["timestamp"].iloc[0] for own in pending.values() if len(own)]
        if not begins:
            return next(iter(self._bars.values())).iloc[:0]
        first = min(begins) - MAX_RATE_AGE - pd.Timedelta(days=5)
        rates = {name: self._bars[name] for name in self._rates}
        known = {name: own[own["timestamp"] >= first] for name, own in rates.items()}
        frames = {name: (pending | known)[name] for name in self._bars}
        joined, _ = self._assembly.with_frames(
            {name: frame.reset_index(drop=True) for name, frame in frames.items()}
        ).unite()
        rows: BarsFrame = joined[(joined["timestamp"] > newest) & joined["close"].notna()]
        return rows

    def _is_pending(
        self, symbol: str, bars: BarsFrame, newest: pd.Timestamp
    ) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        """Whether bars of a symbol belong to a row after one."""
        if self._schedule.target is None:
            return (bars["timestamp"] > newest).to_numpy()
        last = self._schedule.is_traded_until(newest).value // 1_000
        closes = self._assembly.times[symbol].closes(utc_datetime64(bars).astype(np.int64))
        return np.asarray(closes > last, dtype=np.bool_)

    def _assemble(
        self, stamp: pd.Timestamp, group: BarsFrame, now: pd.Timestamp
    ) -> AssembledRow | None:
        """A row, where it is complete, or was waited for long enough."""
        there = set(group["symbol"])
        waited = self._waited_for(stamp)
        complete_at = self._schedule.of_symbols(waited | there).is_complete_at(stamp)
        if now < complete_at:
            return None
        symbols = self._late_symbols(stamp, waited, there)
        rates = self._late_rates(stamp, there)
        if (symbols or rates) and now < complete_at + self._wait:
            return None
        return AssembledRow(self._in_order(group), symbols, rates)

    def _waited_for(self, stamp: pd.Timestamp) -> set[str]:
        """The symbols that may have a bar at a row: of a panel those that are not delisted."""
        if not self._schedule.panel:
            return set(self._order)
        return {
            symbol
            for symbol in self._order
            if (newest := self._newest(symbol)) is not None
            and stamp - newest <= self._delisted_after
        }

    def _late_symbols(
        self, stamp: pd.Timestamp, waited: set[str], there: set[str]
    ) -> tuple[str, ...]:
        if self._schedule.target is not None:
            close = self._schedule.is_traded_until(stamp)
            return tuple(name for name in self._order if self._lacks(name, close))
        label = np.array([stamp.value // 1_000])
        return tuple(
            name
            for name in self._order
            if name in waited - there and bool(self._assembly.times[name].have_sessions(label)[0])
        )

    def _late_rates(self, stamp: pd.Timestamp, there: set[str]) -> tuple[str, ...]:
        """Rates whose newest bar by the closes of a row has not come."""
        late = []
        for symbol in self._order:
            rate = self._assembly.rates.get(symbol)
            if rate is None or symbol not in there or rate in late:
                continue
            times = self._assembly.times[symbol]
            at_target = self._schedule.target is not None
            close = self._schedule.is_traded_until(stamp) if at_target else times.close(stamp)
            if self._lacks(rate, close):
                late.append(rate)
        return tuple(late)

    def _lacks(self, symbol: str, instant: pd.Timestamp) -> bool:
        """Whether a bar of a symbol that closed by an instant is later than its newest known."""
        times = self._assembly.times[symbol]
        expected = _newest_close(times, instant.value // 1_000)
        if expected is None:
            return False
        newest = self._newest(symbol, instant)
        if newest is None:
            return True
        return int(times.closes(np.array([newest.value // 1_000]))[0]) < expected

    def _newest(self, symbol: str, until: pd.Timestamp | None = None) -> pd.Timestamp | None:
        """The newest known bar, or that of those that have closed by an instant."""
        stamps = self._bars[symbol]["timestamp"]
        if until is not None:
            micro = utc_datetime64(self._bars[symbol]).astype(np.int64)
            closed = self._assembly.times[symbol].closes(micro) <= until.value // 1_000
            stamps = stamps[closed]
        return None if stamps.empty else pd.Timestamp(stamps.iloc[-1])

    def _forget(self, newest: pd.Timestamp) -> None:
        """Leaves out bars that no row needs any more; the newest of a symbol stays."""
        oldest = newest - _KEPT_BEFORE
        for symbol, own in self._bars.items():
            kept = own["timestamp"] >= oldest
            if not kept.all() and len(own) > 1:
                kept.iloc[-1] = True
                self._bars[symbol] = own[kept].reset_index(drop=True)


def arrivals_to_frame(arrivals: Iterable[ArrivalRow]) -> BarsFrame:
    """Long bars of rows of the journal, in the order in which they came."""
    rows = [
        (row.bar, row.symbol, *(getattr(row, name) for name in VALUE_COLUMNS)) for row in arrivals
    ]
    types = dict.fromkeys(VALUE_COLUMNS, "float64")
    bars: BarsFrame = pd.DataFrame(rows, columns=list(BAR_COLUMNS))
    return bars.astype({"timestamp": TIMESTAMP_DTYPE, "symbol": "str", **types})


def _newest_close(times: TradingTimes, instant: int) -> int | None:
    """The last close of a daily bar by an instant, microseconds since 1970."""
    days = instant // DAY_US * DAY_US + DAY_US * np.arange(-_LOOKED_BACK_DAYS, 2)
    closes = times.closes(days)[times.have_sessions(days)]
    passed = closes[closes <= instant]
    return int(passed.max()) if passed.size else None
