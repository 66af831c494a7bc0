"""Annual rates by the time from which they were known."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.core.errors import UsageError
from engine.data.rates.by_bar import RatesByBar
from engine.data.rates.config import RateSeriesSpec
from engine.data.rates.rate_file import read_rate_file

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import Vector
    from engine.data.rates.config import Rate, RatesSpec
    from engine.data.rates.rate_file import RateFile

_LONG_GAP = np.timedelta64(100, "D")
"""Rates of a quarter, the rarest there are, are closer together."""

_ALWAYS = np.array(["0001-01-01"], dtype="datetime64[us]")


@dataclass(frozen=True, eq=False)
class RateHistory:
    """One annual rate over time.

    Attributes:
        key: Where the strategy configures it: `rates.risk_free`.
        known_from: When each value was published, UTC, ascending, shape (m,).
        values: Annual rates as fractions, shape (m,); no NaN.
        file: The file that it was read from; None for a constant.
    """

    key: str
    known_from: npt.NDArray[np.datetime64]
    values: Vector
    file: RateFile | None = None

    @classmethod
    def load(cls, key: str, rate: Rate) -> RateHistory:
        """Reads a configured rate.

        Raises:
            UsageError: As `read_rate_file`.
        """
        if not isinstance(rate, RateSeriesSpec):
            return cls(key, _ALWAYS, np.array([float(rate)]))
        file = read_rate_file(rate, key)
        lag = np.timedelta64(round(rate.lag_days * 86_400e6), "us")
        return cls(key, file.dates + lag, file.values, file)

    def at(self, bars: pd.DatetimeIndex) -> Vector:
        """The rate known at the open of each bar: the last one published strictly before it.

        Args:
            bars: Opens of n bars, UTC.

        Returns:
            Annual rates as fractions, shape (n,); no NaN.

        Raises:
            UsageError: No rate was known at the first bar.
        """
        self.require_known(bars[0])
        rows = np.searchsorted(self.known_from, bars.to_numpy(dtype="datetime64[us]")) - 1
        return self.values[rows]

    def at_bar(self, bar: pd.Timestamp) -> float:
        """The rate known at the open of one bar, see `at`.

        Raises:
            UsageError: No rate was known at it.
        """
        if self.file is None:
            return float(self.values[0])
        row = int(np.searchsorted(self.known_from, bar.asm8.astype("datetime64[us]"))) - 1
        if row < 0:
            self.require_known(bar)
        return float(self.values[row])

    def require_known(self, bar: pd.Timestamp) -> None:
        """Checks that a rate was known at the open of a bar.

        Raises:
            UsageError: None was published before it.
        """
        if self.known_from[0] >= np.datetime64(bar.tz_convert(None), "us"):
            raise UsageError(
                "The rate is not known yet at the first bar of the run",
                expected=f"a row that is published before {bar}",
                found=f"the first one is known from {pd.Timestamp(self.known_from[0], tz='UTC')}",
                where=f"{self.key}.file: {self.file.path if self.file else ''}",
                fix="take a longer series, or a later `start` of the dataset, so that the first "
                "test window begins later",
            )

    def describe_longest_gap(self, bars: pd.DatetimeIndex) -> str:
        """A sentence on the longest time over which one row applies; empty below 100 days.

        Args:
            bars: Opens of the bars, UTC, ascending.
        """
        stamps = bars.to_numpy(dtype="datetime64[us]")
        ends = np.append(self.known_from[1:], max(stamps[-1], self.known_from[-1]))
        lasts = np.minimum(ends, stamps[-1]) - np.maximum(self.known_from, stamps[0])
        longest = int(lasts.argmax())
        if self.file is None or lasts[longest] < _LONG_GAP:
            return ""
        return (
            f"{self.key}: the row of {self.file.dates[longest].astype('datetime64[D]')} in "
            f"{self.file.path} applies for {int(lasts[longest] / np.timedelta64(1, 'D'))} days, "
            "in which no other row was published"
        )

    def replace_from(self, bar: pd.Timestamp, rng: np.random.Generator) -> RateHistory:
        """The history with another value in every row that is not known before the open of a bar.

        Args:
            bar: Open of the bar, UTC.
            rng: Draws how far each value moves, by 1 to 2 percentage points.
        """
        later = self.known_from >= np.datetime64(bar.tz_convert(None), "us")
        moved = rng.uniform(0.01, 0.02, len(self.values)) * rng.choice([-1, 1], len(self.values))
        return replace(self, values=np.where(later, self.values + moved, self.values))


@dataclass(frozen=True, eq=False)
class InterestRates:
    """The rates of a strategy over time.

    Attributes:
        risk_free: Risk-free rate.
        cash: Yield on cash.
    """

    risk_free: RateHistory
    cash: RateHistory

    def on_bars(self, bars: pd.DatetimeIndex) -> RatesByBar:
        """Both rates as they are known at the open of each bar.

        What cash earns is earned without risk: where it is more than the configured risk-free
        rate, it is the risk-free rate. Otherwise a book that holds cash would have skill.

        Raises:
            UsageError: As `RateHistory.at`.
        """
        cash = self.cash.at(bars)
        columns = {"risk_free": np.maximum(self.risk_free.at(bars), cash), "cash": cash}
        return RatesByBar.of_table(pd.DataFrame(columns, index=bars))

    def require_known(self, bar: pd.Timestamp) -> None:
        """Checks that both were known at the open of a bar, see `RateHistory.require_known`."""
        self.risk_free.require_known(bar)
        self.cash.require_known(bar)

    def replace_from(self, bar: pd.Timestamp, rng: np.random.Generator) -> InterestRates:
        """Both histories with other values from a bar on, see `RateHistory.replace_from`."""
        return InterestRates(
            self.risk_free.replace_from(bar, rng), self.cash.replace_from(bar, rng)
        )

    def describe_gaps(self, bars: pd.DatetimeIndex) -> tuple[str, ...]:
        """A sentence a series with a long gap, see `RateHistory.describe_longest_gap`."""
        same = self.cash.file is self.risk_free.file
        series = (self.risk_free,) if same else (self.risk_free, self.cash)
        return tuple(filter(None, (each.describe_longest_gap(bars) for each in series)))

    @property
    def files(self) -> dict[str, RateFile]:
        """Key of the strategy -> its file, for the rates that are series."""
        histories = (self.risk_free, self.cash)
        return {each.key: each.file for each in histories if each.file is not None}


def load_rates(spec: RatesSpec) -> InterestRates:
    """Reads the rates that a strategy configures.

    Raises:
        UsageError: A file is missing, a cell of it is no date or no rate, or its rates are
            implausible in their unit.
    """
    risk_free = RateHistory.load("rates.risk_free", spec.risk_free)
    if spec.cash == "risk_free":
        return InterestRates(risk_free, replace(risk_free, key="rates.cash"))
    return InterestRates(risk_free, RateHistory.load("rates.cash", spec.cash))
