"""Features of the time at which a bar opens, in UTC; they do not depend on prices.

A phase of a cycle has a sine and a cosine, one feature each. Together they determine the phase,
December is close to January, and unlike dummy variables they are not collinear with the intercept
of a linear model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field

from engine.features.base import Indicator

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector

Cycle = Literal["hour_of_day", "day_of_week", "month_of_year"]

_MINUTES_A_DAY = 1_440


class CalendarFeature(Indicator):
    """Phase of the bar's open in a cycle: sin(2 pi position / length), or the cosine.

    The position in a day is counted in minutes from midnight UTC, in a week in days from Monday,
    in a year in months from January. Both waves are needed to determine the phase: list the
    feature twice. It is constant where every bar opens at the same position: the hour of daily
    bars, the day of weekly bars.

    Attributes:
        cycle: The cycle.
        wave: `sine` or `cosine` of the phase.
    """

    required_columns: ClassVar[tuple[str, ...]] = ()

    kind: Literal["calendar"] = "calendar"
    cycle: Cycle = "day_of_week"
    wave: Literal["sine", "cosine"] = "sine"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The wave at the open of each bar."""
        phase = 2.0 * np.pi * _elapsed_fraction(pd.DatetimeIndex(bars.index), self.cycle)
        return pd.Series(np.sin(phase) if self.wave == "sine" else np.cos(phase), index=bars.index)


def _elapsed_fraction(opens: pd.DatetimeIndex, cycle: Cycle) -> Vector:
    """The elapsed fraction of the cycle, in [0, 1)."""
    if cycle == "hour_of_day":
        minutes: Vector = (60.0 * opens.hour + opens.minute).to_numpy() / _MINUTES_A_DAY
        return minutes
    if cycle == "day_of_week":
        return opens.day_of_week.to_numpy() / 7.0
    return (opens.month.to_numpy() - 1.0) / 12.0


class TurnOfMonth(Indicator):
    """1 on the last `last` and the first `first` days of a month, else 0 (Ariel 1987).

    The defaults are the days -1 to +3 of Lakonishok & Smidt (1988, Rev. Financial Studies 1).
    The remaining sessions of a month are not in the bars, so days are counted by the date only:
    all days, or Mondays to Fridays, holidays included.

    Attributes:
        last: Days at the end of a month.
        first: Days at its beginning.
        days: `all` days count, or `weekdays` only, for markets closed at the weekend.
    """

    required_columns: ClassVar[tuple[str, ...]] = ()

    kind: Literal["turn_of_month"] = "turn_of_month"
    last: int = Field(default=1, ge=0, le=10)
    first: int = Field(default=3, ge=0, le=10)
    days: Literal["all", "weekdays"] = "all"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """1 or 0 at the open of each bar."""
        opens = pd.DatetimeIndex(bars.index).tz_localize(None).to_numpy()
        day = opens.astype("datetime64[D]")
        begin = opens.astype("datetime64[M]")
        end = (begin + np.timedelta64(1, "M")).astype("datetime64[D]")
        since, until = (
            self._count_days(begin.astype("datetime64[D]"), day),
            self._count_days(day, end),
        )
        is_turn = (since < self.first) | (until <= self.last)
        return pd.Series(is_turn.astype(np.float64), index=bars.index)

    def _count_days(self, start: IntVector, stop: IntVector) -> IntVector:
        """Days from start to stop, stop excluded."""
        if self.days == "weekdays":
            return np.busday_count(start, stop)
        return (stop - start).astype(np.int64)
