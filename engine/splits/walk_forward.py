"""Walk-forward windows: train, validation and test rows of each."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property, lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.splits.config import DURATION_PATTERN

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.splits.config import Duration, WindowSpec

_Instants: TypeAlias = "npt.NDArray[np.datetime64]"

_MONTHS_PER_UNIT = {"y": 12, "mo": 1}
_DAYS_PER_UNIT = {"w": 7, "d": 1}
_SHORTEST_MONTH = 28
"""Days."""


@dataclass(frozen=True)
class WalkForwardWindow:
    """One walk-forward window: three ranges of rows, in time order.

    Between the parts there are `horizon` + `embargo` rows that belong to none: the label of row i
    uses the close of row i + horizon, which is before the first row of the next part.

    Attributes:
        index: 0 for the earliest window.
        train: Rows to fit on.
        validation: Rows for early stopping.
        test: Out-of-sample rows; those of all windows follow each other without a gap.
    """

    index: int
    train: range
    validation: range
    test: range


def make_walk_forward_windows(
    timestamps: pd.DatetimeIndex,
    spec: WindowSpec,
    *,
    first_row: int,
    horizon: int,
    delay: Fraction = Fraction(0),
) -> tuple[WalkForwardWindow, ...]:
    """Splits the bars into windows whose test parts tile the rest of the history.

    The first test part begins at the first row with room for a complete train and validation part
    after `first_row`. The others begin every `spec.test` from there (calendar lengths are counted
    from the first start, so that month ends do not drift), and the last one ends with the bars.
    Validation and train parts are measured back from the test part. A part of a
    calendar length L that ends before bar e holds the bars from (time of e) - L on.

    Args:
        timestamps: Timestamps of all bars, ascending, shape (n,).
        spec: Lengths in bars or calendar terms.
        first_row: First row that may be trained on (after warm-up and lookback).
        horizon: Longest horizon of a label in bars; as many are left out between the parts, plus
            `spec.embargo`.
        delay: Share of a test part, at least 0 and below 1, by which the first test part, and
            with it all others, begins later; rounded down to whole bars where the length is in
            bars.

    Returns:
        At least one window.

    Raises:
        UsageError: No window fits, or a part has no bar.
    """
    layout = _WindowLayout(timestamps, spec, first_row, horizon + spec.embargo)
    first_test = layout.first_test_row(delay)
    starts = [*_test_starts(timestamps, spec.test, first_test), len(timestamps)]
    return tuple(
        WalkForwardWindow(index, *layout.train_and_validation(start), range(start, stop))
        for index, (start, stop) in enumerate(pairwise(starts))
    )


def first_test_row(
    timestamps: pd.DatetimeIndex,
    spec: WindowSpec,
    *,
    first_row: int,
    horizon: int,
    delay: Fraction = Fraction(0),
) -> int:
    """First out-of-sample row of `make_walk_forward_windows` with the same arguments.

    Raises:
        UsageError: No window fits.
    """
    return _WindowLayout(timestamps, spec, first_row, horizon + spec.embargo).first_test_row(delay)


@dataclass(frozen=True)
class WindowClock:
    """Says of bars that arrive one after another whether a test part begins with them.

    Over the bars of a history it names the first test bars of `make_walk_forward_windows`.

    Attributes:
        length: Of a test part, `WindowSpec.test`.
        first: First test bar of the first window.
        count: Test bars so far; 0 before the first.
        due: Where the length is in calendar terms: a test part begins with the first bar at or
            after it.
    """

    length: Duration
    first: pd.Timestamp
    count: int
    due: pd.Timestamp

    @classmethod
    def after(
        cls, length: Duration, first: pd.Timestamp, newest: pd.Timestamp, count: int
    ) -> WindowClock:
        """The clock after the bars so far.

        Args:
            length: Of a test part.
            first: First test bar of the first window.
            newest: The newest bar.
            count: Test bars so far, the newest included.
        """
        due = first
        if count and not isinstance(length, int):
            times = 1
            while (due := first + calendar_offset(length, times)) <= newest:
                times += 1
        return cls(length, first, count, due)

    def begins(self, timestamp: pd.Timestamp) -> bool:
        """Whether a test part begins with the bar after those so far."""
        if self.count and isinstance(self.length, int):
            return self.count % self.length == 0
        return timestamp >= self.due

    def advance(self, timestamp: pd.Timestamp) -> WindowClock:
        """The clock after one more bar, a test bar."""
        if self.begins(timestamp):
            return WindowClock.after(self.length, self.first, timestamp, self.count + 1)
        return WindowClock(self.length, self.first, self.count + 1, self.due)


@dataclass(frozen=True)
class _WindowLayout:
    timestamps: pd.DatetimeIndex
    spec: WindowSpec
    first_row: int
    gap: int

    @cached_property
    def _calendar_starts(self) -> dict[str, npt.NDArray[np.int64]]:
        """Calendar length -> (n,) first row of the part before each row; -1 as in `part_start`."""
        instants, starts = _instants(self.timestamps), {}
        for length in (self.spec.validation, self.spec.train):
            if not isinstance(length, int):
                begins = _shift(instants, length, -1)
                rows = instants.searchsorted(begins)
                starts[length] = np.where(begins < instants[self.first_row], -1, rows)
        return starts

    def part_start(self, stop: int, length: Duration) -> int:
        """First row of the part of `length` that ends before row `stop`.

        -1 where the part would begin before `first_row`.
        """
        if stop <= self.first_row:
            return -1
        if isinstance(length, int):
            return stop - length if stop - length >= self.first_row else -1
        return int(self._calendar_starts[length][stop])

    def part_starts(self, test_start: int) -> tuple[int, int]:
        """First row of train and of validation before a test part; -1 as in `part_start`."""
        validation = self.part_start(test_start - self.gap, self.spec.validation)
        return self.part_start(validation - self.gap, self.spec.train), validation

    def has_room(self, test_start: int) -> bool:
        """Whether there is room for train and validation before a test part."""
        return self.part_starts(test_start)[0] >= 0

    def first_test_row(self, delay: Fraction) -> int:
        """First row of the first test part, `delay` of a test part later than it could be."""
        row = bisect_left(range(len(self.timestamps)), True, key=self.has_room)
        if row == len(self.timestamps):
            raise _too_few_bars_error(self)
        return _delayed_start(self, row, delay) if delay else row

    def train_and_validation(self, test_start: int) -> tuple[range, range]:
        """Train and validation rows before a test part for which there is room."""
        train_start, validation_start = self.part_starts(test_start)
        if self.spec.kind == "expanding":
            train_start = self.first_row
        train = range(train_start, validation_start - self.gap)
        validation = range(validation_start, test_start - self.gap)
        for name, part in (("train", train), ("validation", validation)):
            if not part:
                raise UsageError(
                    f"The {name} part before {self.timestamps[test_start]} has no bar",
                    expected="at least one bar in every part",
                    found=f"windows.{name}: {getattr(self.spec, name)}, no bar in it",
                    where=f"windows.{name}",
                    fix=f"raise windows.{name}, or give it in bars",
                )
        return train, validation


@lru_cache
def _parse_length(length: str) -> tuple[int, int]:
    """Months and days of a length such as `6mo`, one of them 0."""
    match = DURATION_PATTERN.fullmatch(length)
    if match is None:
        raise ValueError(f"{length} is not a calendar length")
    unit, count = match["unit"], int(match["count"])
    return count * _MONTHS_PER_UNIT.get(unit, 0), count * _DAYS_PER_UNIT.get(unit, 0)


@lru_cache
def calendar_offset(length: str, times: int = 1) -> pd.DateOffset:
    """`times` times a length such as `6mo`; months are calendar months."""
    months, days = _parse_length(length)
    return pd.DateOffset(months=times * months, days=times * days)


def _instants(timestamps: pd.DatetimeIndex) -> _Instants:
    """The timestamps in UTC without their zone, which are searched and shifted faster."""
    return timestamps.tz_convert(None).to_numpy(dtype="datetime64[us]")


def _shift(instants: _Instants, length: str, times: int | npt.NDArray[np.int64]) -> _Instants:
    """The instants moved by so many times a length, as `calendar_offset` moves each.

    A day that its month does not have becomes the last day of the month.
    """
    months, days = _parse_length(length)
    date = instants.astype("datetime64[D]")
    month = date.astype("datetime64[M]")
    moved = month + times * months
    last = (moved + 1).astype("datetime64[D]") - 1
    day = np.minimum(moved.astype("datetime64[D]") + (date - month.astype("datetime64[D]")), last)
    shifted: _Instants = (day + times * days).astype("datetime64[us]") + (instants - date)
    return shifted


def _test_starts(timestamps: pd.DatetimeIndex, length: Duration, first: int) -> list[int]:
    """First row of every test part; a calendar part without a bar is left out."""
    if isinstance(length, int):
        return list(range(first, len(timestamps), length))
    instants = _instants(timestamps)
    months, days = _parse_length(length)
    longest = (instants[-1] - instants[first]) // np.timedelta64(1, "D")
    times = np.arange(longest // (_SHORTEST_MONTH * months + days) + 2)
    starts = _shift(instants[first], length, times)
    return sorted(set(instants.searchsorted(starts[starts <= instants[-1]]).tolist()))


def _delayed_start(layout: _WindowLayout, first: int, delay: Fraction) -> int:
    """First row of the first test part that begins `delay` of a test part after row `first`."""
    timestamps, length = layout.timestamps, layout.spec.test
    if isinstance(length, int):
        row = first + int(delay * length)
    else:
        anchor = timestamps[first]
        part = anchor + calendar_offset(length) - anchor
        row = int(timestamps.searchsorted(anchor + part * float(delay)))
    if row < len(timestamps):
        return row
    raise UsageError(
        "There are too few bars for windows with other starts",
        expected=f"bars later than {delay} of a test part (windows.test: {length}) after "
        f"{timestamps[first]:%Y-%m-%d}, the first out-of-sample bar",
        found=f"bars up to {timestamps[-1]:%Y-%m-%d}",
        where="paths.offsets",
        fix="lower windows.test, or take a longer history",
    )


def _too_few_bars_error(layout: _WindowLayout) -> UsageError:
    spec, bars = layout.spec, layout.timestamps
    train, validation = (count_bars(bars, length) for length in (spec.train, spec.validation))
    needed = layout.first_row + train + validation + 2 * layout.gap + 1
    span = f", {bars[0]:%Y-%m-%d} to {bars[-1]:%Y-%m-%d}" if len(bars) else ""
    return UsageError(
        "No window fits into the bars",
        expected=f"at least {needed} bars: {layout.first_row} to warm up, {train} to train "
        f"(windows.train: {spec.train}), {validation} to validate (windows.validation: "
        f"{spec.validation}), {layout.gap} in each of two gaps, 1 to test",
        found=f"{len(bars)} bars{span}",
        where="windows",
        fix="lower windows.train or windows.validation, or take a longer history",
    )


def count_bars(timestamps: pd.DatetimeIndex, length: Duration) -> int:
    """Number of bars in a length; for a calendar length at the mean distance of bars."""
    if isinstance(length, int):
        return length
    if len(timestamps) < 2:
        return 1
    distance = (timestamps[-1] - timestamps[0]) / (len(timestamps) - 1)
    return max(1, round((timestamps[0] + calendar_offset(length) - timestamps[0]) / distance))
