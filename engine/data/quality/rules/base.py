"""Input and output of a quality rule: the bars of one symbol, and violations."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from engine.core.types import PRICE_COLUMNS
from engine.data.bars import EVENT_COLUMNS, is_close_only
from engine.data.calendar import ALWAYS_OPEN, interval_length
from engine.data.sessions import Sessions

if TYPE_CHECKING:
    import pandas as pd

    from engine.core.types import BarsFrame, IntVector, Matrix, Vector
    from engine.data.calendar import BarInterval
    from engine.data.sessions import DayBegin

    TimestampsUs = npt.NDArray[np.int64]

SECOND_US = 1_000_000
DAY_US = 86_400 * SECOND_US

_ROUNDING = 1e-9

BLOCK_SIZE = 101
"""Number of bars in a block, whose median is the local level."""


@dataclass(frozen=True)
class LogPrices:
    """Logarithms of comparable prices: oldest first, one bar per timestamp, all prices above 0.

    Attributes:
        rows: Positions in the view, shape (n,).
        timestamps: Microseconds since 1970, strictly ascending, shape (n,).
        prices: Open, high, low and close, not their logarithms, shape (4, n).
    """

    rows: IntVector
    timestamps: TimestampsUs
    prices: Matrix

    @cached_property
    def opens(self) -> Vector:
        """Logarithms of the opens, shape (n,)."""
        return np.asarray(np.log(self.prices[0]))

    @cached_property
    def highs(self) -> Vector:
        """Logarithms of the highs, shape (n,)."""
        return np.asarray(np.log(self.prices[1]))

    @cached_property
    def lows(self) -> Vector:
        """Logarithms of the lows, shape (n,)."""
        return np.asarray(np.log(self.prices[2]))

    @cached_property
    def closes(self) -> Vector:
        """Logarithms of the closes, shape (n,)."""
        return np.asarray(np.log(self.prices[3]))

    @cached_property
    def max_step(self) -> float:
        """Size of the largest step from a close to the next open; it needs no logarithms."""
        return largest_log_ratio(self.prices[0, 1:], self.prices[3, :-1])

    @cached_property
    def open_close_path(self) -> Vector:
        """Open, close, open, close and so on, shape (2n,)."""
        return np.column_stack([self.opens, self.closes]).ravel()

    @cached_property
    def overnight_steps(self) -> Vector:
        """From each close to the next open, shape (n - 1,)."""
        return self.opens[1:] - self.closes[:-1]

    @cached_property
    def median_abs_return(self) -> float:
        """Median absolute log return from close to close; 0 for fewer than two bars."""
        return float(np.median(np.abs(np.diff(self.closes)))) if self.rows.size > 1 else 0.0


@dataclass(frozen=True)
class BarsView:
    """Columns of the bars of one symbol, in their original order.

    Attributes:
        interval: Length of a bar.
        calendar: `24/7`, or a code of exchange-calendars.
        now_us: The present instant, in microseconds since 1970.
        timestamps: Microseconds since 1970 of each bar's open, shape (n,).
        prices: Open, high, low, close, shape (n, 4).
        volume: Shape (n,); NaN in every row where the source has none.
        close_only: Whether the source has closes alone. `prices` then has the close four times,
            so that rules of price levels apply, and `RANGE_RULES` are skipped.
        events: `adj_close`, `dividends` and `split` if the source has them, shape (n,).
        day_begins: When a day begins, where the calendar does not say.
        timezone: Zone in which the source reads timestamps without an offset; None for UTC.
    """

    interval: BarInterval
    calendar: str
    now_us: int
    timestamps: TimestampsUs
    prices: Matrix
    volume: Vector
    close_only: bool = False
    events: dict[str, Vector] = field(default_factory=dict)
    day_begins: DayBegin | None = None
    timezone: str | None = None

    @classmethod
    def from_bars(
        cls,
        bars: BarsFrame,
        interval: BarInterval,
        calendar: str,
        now: pd.Timestamp,
        *,
        day_begins: DayBegin | None = None,
        timezone: str | None = None,
    ) -> BarsView:
        """Makes the view of normalised bars."""
        close_only = is_close_only(bars)
        columns = ["close"] * len(PRICE_COLUMNS) if close_only else list(PRICE_COLUMNS)
        return cls(
            interval=interval,
            calendar=calendar,
            now_us=now.value // 1_000,
            timestamps=bars["timestamp"].to_numpy(dtype="datetime64[us]").astype(np.int64),
            prices=bars[columns].to_numpy(dtype=np.float64),
            volume=bars["volume"].to_numpy(dtype=np.float64),
            close_only=close_only,
            events={
                name: bars[name].to_numpy(dtype=np.float64)
                for name in EVENT_COLUMNS
                if name in bars
            },
            day_begins=day_begins,
            timezone=timezone,
        )

    @property
    def bar_length_us(self) -> int:
        """Length of a bar in microseconds."""
        return interval_length(self.interval).value // 1_000

    @cached_property
    def has_volume(self) -> bool:
        """Whether any bar has a volume; a source without one leaves all rows NaN."""
        return not np.isnan(self.volume).all()

    @cached_property
    def unique_timestamps(self) -> TimestampsUs:
        """Distinct timestamps, ascending."""
        ascending = (self.timestamps[1:] > self.timestamps[:-1]).all()
        return self.timestamps if ascending else np.unique(self.timestamps)

    @cached_property
    def sessions(self) -> Sessions | None:
        """The known sessions around the bars; None on `24/7`, unless it says when a day begins.

        The view must have a bar.
        """
        if self.calendar == ALWAYS_OPEN and self.day_begins is None:
            return None
        stamps = self.unique_timestamps
        return Sessions.known_around(
            self.calendar, int(stamps[0]), int(stamps[-1]), self.day_begins
        )

    @cached_property
    def repeated_share(self) -> float:
        """The share of bars whose timestamp an earlier one has."""
        return 1.0 - self.unique_timestamps.size / max(self.timestamps.size, 1)

    @cached_property
    def log_prices(self) -> LogPrices:
        """Logarithms of the comparable prices."""
        columns = self.prices.T
        usable = np.logical_and.reduce([(prices > 0) & (prices < np.inf) for prices in columns])
        if usable.all() and self.unique_timestamps is self.timestamps:
            return LogPrices(np.arange(self.timestamps.size), self.timestamps, columns)
        rows = np.flatnonzero(usable)
        stamps = self.timestamps[rows]
        if not (np.diff(stamps) > 0).all():
            stamps, first = np.unique(stamps, return_index=True)
            rows = rows[first]
        return LogPrices(rows, stamps, columns[:, rows])


def largest_log_ratio(prices: Vector, others: Vector) -> float:
    """The largest size of log(price / other), rounded up in the last places; 0 without prices."""
    if not prices.size:
        return 0.0
    with np.errstate(over="ignore", under="ignore", divide="ignore"):
        ratios = prices / others
        return max(float(np.log(ratios.max())), -float(np.log(ratios.min()))) + _ROUNDING


def block_medians(values: Vector) -> Vector:
    """The median of each block of 101 values, shape (ceil(n / 101),).

    Blocks do not overlap, except that the last one has the last 101 values. A million values take
    0.04 s; a running median takes 0.25 s.
    """
    if not values.size:
        return np.empty(0)
    blocks = values[: values.size // BLOCK_SIZE * BLOCK_SIZE].reshape(-1, BLOCK_SIZE)
    medians = np.partition(blocks, BLOCK_SIZE // 2, axis=1)[:, BLOCK_SIZE // 2]
    if values.size % BLOCK_SIZE:
        medians = np.append(medians, np.median(values[-BLOCK_SIZE:]))
    return medians


@dataclass(frozen=True)
class RuleViolation:
    """Bars that break one rule.

    Attributes:
        rows: Their positions in the view, ascending. For missing bars: the bar after each gap.
        description: The defect, as in "12 of 4000 bars have no open" without the numbers.
        repair: Name of the repair; None where no repair could restore the true values.
        price_factor: Factor by which the repair multiplies prices.
        shift_us: Microseconds by which the repair moves timestamps back.
        by_month: Whether it moves them to the first day of their month instead.
        missing_span: First and last missing bar, in microseconds since 1970, and their number.
        advice: What the user can do, where there is no repair.
    """

    rows: IntVector
    description: str
    repair: str | None = None
    price_factor: float = 1.0
    shift_us: int = 0
    by_month: bool = False
    missing_span: tuple[int, int, int] | None = None
    advice: str = ""

    @property
    def count(self) -> int:
        """Number of bars concerned."""
        return self.missing_span[2] if self.missing_span else int(self.rows.size)

    def excluding(self, excluded: npt.NDArray[np.bool_]) -> RuleViolation:
        """The same violation without the excluded bars."""
        return replace(self, rows=self.rows[~excluded[self.rows]])

    def with_rows(self, rows: IntVector) -> RuleViolation:
        """The same violation with other positions."""
        return replace(self, rows=rows)
