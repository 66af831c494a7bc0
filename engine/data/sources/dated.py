"""A source whose daily bars are labelled by the dates of a dataset's own days."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.calendar import is_daily_or_longer
from engine.data.sessions import DAY_US, index_to_microseconds, label_days
from engine.data.sources.base import BarRequest, BarSource

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector
    from engine.data.sessions import DayBegin

# Servers of brokers change their clocks up to three weeks apart from New York, by an hour.
_TOLERANCE_US = 2 * 3_600_000_000


class DatedBarSource(BarSource):
    """The bars of another source; daily and longer ones labelled by midnight UTC of their date.

    The date is that of the day which begins within two hours of the timestamp; see `label_days`.

    Args:
        source: The source of the bars.
        day_begins: When a day begins.
    """

    def __init__(self, source: BarSource, day_begins: DayBegin) -> None:
        self.source = source
        self.day_begins = day_begins
        self.label = source.label
        self.cache_key = source.cache_key and f"{source.cache_key} {day_begins}"
        self.append_only = source.append_only

    def ticker(self, symbol: str) -> str:
        """As the source of the bars."""
        return self.source.ticker(symbol)

    def origin(self, symbol: str) -> str:
        """As the source of the bars."""
        return self.source.origin(symbol)

    def location(self, symbol: str) -> str:
        """As the source of the bars."""
        return self.source.location(symbol)

    def url(self) -> str | None:
        """As the source of the bars."""
        return self.source.url()

    def fetch(self, request: BarRequest) -> pd.DataFrame:
        """The bars as the source sends them, with the timestamps of daily ones as dates.

        A newest one whose day has not ended is left out.

        Raises:
            UnreachableError: As the source of the bars.
            SourceError: As the source of the bars.
            InvalidBarsError: As the source of the bars.
        """
        raw = self.source.fetch(request)
        if not is_daily_or_longer(request.interval) or raw.empty:
            return raw
        stamps = index_to_microseconds(
            pd.DatetimeIndex(pd.to_datetime(raw["timestamp"], utc=True))
        )
        dates = label_days(stamps, self.day_begins, _TOLERANCE_US)
        index = pd.DatetimeIndex(dates.astype("datetime64[us]")).tz_localize("UTC")
        labelled = raw.assign(timestamp=pd.Series(index, index=raw.index))
        return labelled[~self._is_unfinished(dates, request)]

    def _is_unfinished(self, dates: IntVector, request: BarRequest) -> npt.NDArray[np.bool_]:
        """The newest bar, if its day ends after now, which may be later than midnight UTC."""
        newest = dates == dates.max()
        days = {"1d": 1, "1w": 7}.get(request.interval, 0)
        end = self.day_begins.begins(dates[newest][:1] + days * DAY_US)[0]
        if not days or end <= request.now.value // 1_000:
            newest = np.zeros(len(dates), dtype=bool)
        return np.asarray(newest)
