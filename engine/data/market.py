"""The result of the data stage: validated bars of all symbols, and their provenance."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.bar_table import BarTable
from engine.data.bar_times import TradingTimes
from engine.data.bars import NO_DELAY, VALUE_COLUMNS, format_timestamp, hash_bars
from engine.data.intervals import bar_ends
from engine.data.panel import (
    BEFORE_LISTING,
    carry_closes,
    find_listed,
    find_settlements,
)
from engine.data.sessions import index_to_microseconds
from engine.data.universe_config import DelistingSpec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BarsFrame, IntVector, Matrix, WideFrame
    from engine.data.assembly import Assembly
    from engine.data.calendar import BarInterval
    from engine.data.funding_rates import FundingRates
    from engine.data.membership import Membership
    from engine.data.sessions import DayBegin


@dataclass(frozen=True)
class Market(BarTable):
    """Validated bars of one or more symbols, on the timestamps they have in common or on all.

    On all of them it is a panel: a symbol that is not listed yet, is halted or was delisted has no
    bar at some timestamps, where its prices and its volume are NaN.

    Attributes:
        bars: See `BarTable`.
        symbols: In the dataset's order.
        interval: Length of a bar, such as `1d`.
        calendar: `24/7` or a code of exchange-calendars.
        periods_per_year: Bars a year; see `engine.data.annualisation`.
        provenance: For the manifest: `name`, `note`, `interval`, `calendar`, `annualisation`
            (`periods_per_year`, `basis`, `by_calendar`, `measured`), `offline` (bool: the
            offline dataset was used), `notices` (list of sentences), `quality` (`rules` that were
            applied, `findings` that remain, `repairs` that were made, `notices`: those about
            findings, repairs and bars left out), `vintage` (id; None where the source is not
            cached), `symbols`: symbol to `{source, first, last, rows, sha256, left_out}`, the last
            being its bars at times at which another symbol has none, and, where there is one, its
            own `vintage` and the time at which that was `pulled`.
        membership: Who belongs to the universe by day; None where every symbol always does.
        delisting: When a symbol without bars counts as delisted, and what is paid then.
        day_begins: When a day begins, where the calendar does not say.
        publication_delay: How long after the close of a session its bar may come.
        assembly: The bars before they were joined, where symbols have calendars or currencies of
            their own; None where all have one.
        funding: Funding rates of perpetuals, where they were asked for; those up to the close of
            the last bar are known.
    """

    interval: str
    calendar: str
    periods_per_year: float
    provenance: dict[str, Any]
    membership: Membership | None = None
    delisting: DelistingSpec = field(default_factory=DelistingSpec)
    day_begins: DayBegin | None = None
    publication_delay: pd.Timedelta = NO_DELAY
    assembly: Assembly | None = None
    funding: FundingRates | None = None

    @property
    def times(self) -> TradingTimes:
        """When its bars open and close."""
        return TradingTimes(self.interval, self.calendar, self.day_begins)

    @cached_property
    def is_panel(self) -> bool:
        """Whether a symbol is absent or no member at some timestamp."""
        return self.has_absences or not self.members.to_numpy().all()

    @property
    def panel_identity(self) -> dict[str, Any]:
        """What decides the results on a panel beside its bars."""
        return {
            "members": None if self.membership is None else self.membership.to_json(),
            "delisting": self.delisting.model_dump(mode="json"),
        }

    @cached_property
    def decided_at(self) -> IntVector:
        """When each row is decided, microseconds since 1970: at the last of its closes."""
        if self.assembly is None:
            return self.times.closes(index_to_microseconds(self._timestamps))
        return self.assembly.decided_at(self._timestamps, self.present)

    def fill_lags(self, price: Literal["open", "close"]) -> WideFrame | None:
        """Bars from each close to the first that orders can be filled at, wide, int.

        Args:
            price: Of the bar, at which orders are filled.

        Returns:
            None where the next bar will do everywhere, as with one calendar.
        """
        if self.assembly is None:
            return None
        lags = self.assembly.fill_lags(self._timestamps, self.present, price, self.symbols)
        return None if lags is None else self._as_wide(lags)

    def price_instants(self, price: Literal["open", "close"]) -> WideFrame:
        """When the open or the close of each bar is, wide, microseconds since 1970, ascending.

        A symbol without a bar has the instant of the one that its calendar expects.
        """
        times = dict.fromkeys(self.symbols, self.times)
        if self.assembly is not None and self.assembly.target is None:
            times |= {symbol: self.assembly.times[symbol] for symbol in self.symbols}
        place = ("open", "close").index(price)
        micro = index_to_microseconds(self._timestamps)
        columns = [times[symbol].spans(micro)[place] for symbol in self.symbols]
        return self._as_wide(np.maximum.accumulate(np.column_stack(columns)))

    def rejoined(self) -> Market:
        """The bars joined again, as `load_market` does, where they had to be joined."""
        if self.assembly is None:
            return self
        return replace(self, bars=self.assembly.join()[0])

    def with_assembly(self, assembly: Assembly) -> Market:
        """The same of other bars, which are joined as these are."""
        return replace(self, assembly=assembly).rejoined()

    @cached_property
    def members(self) -> WideFrame:
        """Whether each symbol belongs to the universe at each close, wide and bool."""
        if self.membership is None:
            return self._as_wide(np.ones((len(self._timestamps), len(self.symbols)), np.bool_))
        return self._as_wide(self.membership.at(self._timestamps, self.interval, self.symbols))

    @cached_property
    def listed(self) -> WideFrame:
        """From its first bar on until it is found to be delisted, wide and bool.

        A symbol that has a bar again afterwards is listed again.
        """
        days = self.delisting.after_days
        return self._as_wide(find_listed(self.present.to_numpy(), self._timestamps, days))

    @cached_property
    def settlements(self) -> WideFrame:
        """The bar of the panel at which each symbol is found to be delisted, wide and bool."""
        return self._as_wide(find_settlements(self.listed.to_numpy(), self.present.to_numpy()))

    @cached_property
    def marks(self) -> WideFrame:
        """What a unit is worth at each close, wide: the last close while there is no bar.

        From a settlement on it is what is paid; NaN before the first bar.
        """
        if not self.has_absences:
            return self.wide("close")
        returns = np.array([self.delisting.return_of(symbol) for symbol in self.symbols])
        masks = self.present.to_numpy(), self.settlements.to_numpy()
        return self._as_wide(carry_closes(self.wide("close").to_numpy(), *masks, returns))

    def tradable(self, column: str) -> WideFrame:
        """A price at every timestamp, wide and positive: that of the bar, else the mark.

        Args:
            column: `open`, `high`, `low` or `close`.

        Returns:
            1 before the first bar of a symbol, when nothing can be held of it.
        """
        if not self.has_absences:
            return self.wide(column)
        marks = self.marks.to_numpy()
        carried = np.where(np.isnan(marks), BEFORE_LISTING, marks)
        return self._as_wide(
            np.where(self.present.to_numpy(), self.wide(column).to_numpy(), carried)
        )

    @cached_property
    def carried(self) -> Market:
        """A market with a bar of every symbol at each timestamp, for costs that are of bars.

        Where a symbol has none, the prices are those of `tradable` and the volume is 0; both are
        NaN where its source has no such column. It is no history that a feature or a forecast
        may read.
        """
        if not self.has_absences:
            return self
        columns = [self._carry(name) for name in VALUE_COLUMNS[:-1]]
        volume = self.wide("volume").to_numpy()
        is_known = ~np.isnan(volume).all(axis=0)
        columns.append(np.where(~self.present.to_numpy() & is_known, 0.0, volume))
        other = self.with_values(np.stack([each.ravel() for each in columns], axis=1))
        vars(other).update(traded=self.traded, begun=self.begun)
        return other

    @cached_property
    def since_listing(self) -> Market:
        """`carried`, NaN in every column before the first bar of each symbol.

        For costs of a user's own, whose windows then hold nothing that was no bar.
        """
        if not self.has_absences or self.begun.to_numpy().all():
            return self.carried
        before = ~self.begun.to_numpy().ravel()
        values = self.carried.bars[list(VALUE_COLUMNS)].to_numpy(dtype=np.float64, copy=True)
        values[before] = np.nan
        other = self.with_values(values)
        vars(other).update(traded=self.traded, begun=self.begun)
        return other

    def _carry(self, column: str) -> Matrix:
        """`tradable`, NaN of a symbol whose bars lack that column."""
        lacks = self.present.to_numpy().any(axis=0) & self.wide(column).isna().to_numpy().all(
            axis=0
        )
        carried: Matrix = np.where(lacks, np.nan, self.tradable(column).to_numpy())
        return carried

    def of_symbol(self, symbol: str) -> Market:
        """The bars of one symbol, as if there were no other; who belongs to a universe is lost."""
        own = self.bars_by_symbol[symbol].reset_index()[list(self.bars.columns)]
        return replace(self, bars=own, symbols=(symbol,), membership=None)

    def of_symbols(self, symbols: Sequence[str]) -> Market:
        """The bars of some symbols, in the order of the market; without a list of members.

        Raises:
            ValueError: The bars are not every symbol at every timestamp in one order.
        """
        stamps, chosen = self._timestamps, set(symbols)
        places = [place for place, each in enumerate(self.symbols) if each in chosen]
        rows = np.arange(len(stamps))[:, None] * len(self.symbols) + places
        bars = self.bars.take(rows.ravel()).reset_index(drop=True)
        kept = tuple(self.symbols[place] for place in places)
        other = replace(self, bars=bars, symbols=kept, membership=None)
        vars(other)["_timestamps"] = stamps
        return other

    def with_bar_notices(self, sentences: Sequence[str]) -> Market:
        """The same with further notices about its bars in the provenance."""
        quality = self.provenance.get("quality", {})
        notices = [*self.provenance.get("notices", []), *sentences]
        about_bars = [*quality.get("notices", []), *sentences]
        changed = {"notices": notices, "quality": {**quality, "notices": about_bars}}
        return replace(self, provenance=self.provenance | changed)

    def until(self, timestamp: pd.Timestamp) -> Market:
        """The market as it was known at the close of a bar: that bar and those before it.

        Args:
            timestamp: Of the bar, with a time zone.

        Raises:
            UsageError: There is no time zone, or no bar up to that time.
        """
        if pd.Timestamp(timestamp).tzinfo is None:
            raise UsageError(
                "a time without a time zone names no bar",
                expected='a timestamp such as pd.Timestamp("2024-03-01", tz="UTC")',
                found=f"{timestamp}",
                where="Market.until",
            )
        known = self._first_bars(timestamp)
        if known.bars.empty:
            raise UsageError(
                "the market has no bar up to that time",
                expected=f"a time from {self.bars['timestamp'].min()} on",
                found=f"{timestamp}",
                where="Market.until",
            )
        return known

    def _first_bars(self, timestamp: pd.Timestamp) -> Market:
        if not (self.is_regular and self._timestamps.is_monotonic_increasing):
            kept = self.bars[self.bars["timestamp"] <= timestamp]
            return replace(self, bars=kept, funding=self._funding_until(kept))
        count = int(self._timestamps.searchsorted(timestamp, side="right"))
        kept = self.bars.iloc[: count * len(self.symbols)]
        known = replace(self, bars=kept, funding=self._funding_until(kept))
        vars(known)["_timestamps"] = self._timestamps[:count]
        return known

    def _funding_until(self, bars: BarsFrame) -> FundingRates | None:
        """The funding rates known at the close of the last of some bars."""
        if self.funding is None or bars.empty:
            return self.funding
        return self.funding.until(self.end_of(bars["timestamp"].max()))

    def end_of(self, bar: pd.Timestamp) -> int:
        """When a bar ends, microseconds since 1970."""
        return int(bar_ends(index_to_microseconds(pd.DatetimeIndex([bar])), self.interval)[0])


def symbol_provenance(bars: BarsFrame, source: str, interval: BarInterval) -> dict[str, Any]:
    """What identifies the bars of one symbol: `source, first, last, rows, sha256`."""
    return {
        "source": source,
        "first": format_timestamp(bars["timestamp"].iloc[0], interval),
        "last": format_timestamp(bars["timestamp"].iloc[-1], interval),
        "rows": len(bars),
        "sha256": hash_bars(bars),
    }
