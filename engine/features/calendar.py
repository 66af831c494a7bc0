"""Features of the time at which a bar opens, in UTC; they do not depend on prices.

A phase of a cycle has a sine and a cosine, one feature each. Together they determine the phase,
December is close to January, and unlike dummy variables they are not collinear with the intercept
of a linear model.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

import numpy as np
import pandas as pd
from pydantic import Field
from typing_extensions import override

from engine.features.base import Indicator

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector, Vector
    from engine.data.next_bar import NextBar
    from engine.features.symbol_states import SymbolStates
    from engine.features.window_state import FeatureState

Cycle = Literal["hour_of_day", "day_of_week", "month_of_year"]

_MINUTES_A_DAY = 1_440


class OpenTime(Indicator, ABC):
    """A feature of the time at which a bar opens."""

    required_columns: ClassVar[tuple[str, ...]] = ()

    @abstractmethod
    def compute_at(self, opens: pd.DatetimeIndex) -> Vector:
        """The values of bars that open then, in UTC."""

    def compute_values(self, bars: pd.DataFrame) -> pd.Series[float]:
        """The value at the open of each bar."""
        return pd.Series(self.compute_at(pd.DatetimeIndex(bars.index)), index=bars.index)

    @override
    def advance_for_symbol(
        self,
        state: FeatureState,
        bar: NextBar,
        symbol: str,
    ) -> tuple[FeatureState, float]:
        """The value at the open of a single bar; the state has no rows."""
        return state, float(self.compute_at(bar.opens)[0])

    def advance_for_symbols(
        self, states: SymbolStates, bar: NextBar, symbols: Sequence[str]
    ) -> tuple[SymbolStates, Vector]:
        """The value at the open of a single bar, the same for all symbols."""
        return states, np.full(len(symbols), self.compute_at(bar.opens)[0])


class CalendarFeature(OpenTime):
    """Phase of the bar's open in a cycle: sin(2 pi position / length), or the cosine.

    The position in a day is counted in minutes from midnight UTC, in a week in days from Monday,
    in a year in months from January. Both waves are needed to determine the phase: list the
    feature twice. It is constant where every bar opens at the same position: the hour of daily
    bars, the day of weekly bars.

    Attributes:
        cycle: The cycle.
        wave: `sine` or `cosine` of the phase.
    """

    kind: Literal["calendar"] = "calendar"
    cycle: Cycle = "day_of_week"
    wave: Literal["sine", "cosine"] = "sine"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_at(self, opens: pd.DatetimeIndex) -> Vector:
        """The wave of bars that open then."""
        phase = 2.0 * np.pi * _elapsed_fraction(opens, self.cycle)
        wave: Vector = np.sin(phase) if self.wave == "sine" else np.cos(phase)
        return wave


def _elapsed_fraction(opens: pd.DatetimeIndex, cycle: Cycle) -> Vector:
    """The elapsed fraction of the cycle, in [0, 1)."""
    if cycle == "hour_of_day":
        minutes: Vector = (60.0 * opens.hour + opens.minute).to_numpy() / _MINUTES_A_DAY
        return minutes
    if cycle == "day_of_week":
        return opens.day_of_week.to_numpy() / 7.0
    return (opens.month.to_numpy() - 1.0) / 12.0


class TurnOfMonth(OpenTime):
    """1 on the last `last` and the first `first` days of a month, else 0 (Ariel 1987).

    The defaults are the days -1 to +3 of Lakonishok & Smidt (1988, Rev. Financial Studies 1).
    The remaining sessions of a month are not in the bars, so days are counted by the date only:
    all days, or Mondays to Fridays, holidays included.

    Attributes:
        last: Days at the end of a month.
        first: Days at its beginning.
        days: `all` days count, or `weekdays` only, for markets closed at the weekend.
    """

    kind: Literal["turn_of_month"] = "turn_of_month"
    last: int = Field(default=1, ge=0, le=10)
    first: int = Field(default=3, ge=0, le=10)
    days: Literal["all", "weekdays"] = "all"

    @property
    def warmup(self) -> int:
        """None: one bar is enough."""
        return 0

    def compute_at(self, opens: pd.DatetimeIndex) -> Vector:
        """1 or 0 of bars that open then."""
        times = opens.tz_localize(None).to_numpy()
        day = times.astype("datetime64[D]")
        begin = times.astype("datetime64[M]")
        end = (begin + np.timedelta64(1, "M")).astype("datetime64[D]")
        since, until = (
            self._count_days(begin.astype("datetime64[D]"), day),
            self._count_days(day, end),
        )
        is_turn = (since < self.first) | (until <= self.last)
        return is_turn.astype(np.float64)

    def _count_days(self, start: IntVector, stop: IntVector) -> IntVector:
        """Days from start to stop, stop excluded."""
        if self.days == "weekdays":
            return np.busday_count(start, stop)
        return (stop - start).astype(np.int64)
