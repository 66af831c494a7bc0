"""Whether a line belongs to the series of its symbol: the grid of its bars, and their volume."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.data.bar_grid import next_bar_spans
from engine.data.calendar import ALWAYS_OPEN, MONTH, interval_length
from engine.live.feeds.bar_line import bad_line_error

if TYPE_CHECKING:
    from engine.data import Dataset
    from engine.live.feeds.kept_bars import BarValues

_HOUR = pd.Timedelta(hours=1)


class LineRules:
    """Judges lines one by one by the rules `off_grid` and `missing_values`, where they are errors.

    One line that breaks them would make all bars around it fail.

    Args:
        dataset: Interval, calendar and quality rules.
    """

    def __init__(self, dataset: Dataset) -> None:
        self._dataset = dataset
        self._has: dict[tuple[str, str], bool] = {}

    def require(
        self, number: int, symbol: str, stamp: pd.Timestamp, values: BarValues, known: pd.Timestamp
    ) -> None:
        """Refuses a line beside the grid, or with columns that the first line does not have.

        Args:
            number: Of the line.
            symbol: Of the bar.
            stamp: Of the bar.
            values: Of the bar.
            known: Timestamp of a bar of the account.

        Raises:
            InvalidBarsError: The line is no bar of its series.
        """
        quality, interval = self._dataset.quality, self._dataset.interval
        if quality.get("off_grid", "error") == "error" and not self._is_on_grid(stamp, known):
            raise bad_line_error(
                number,
                f"the open of a bar of {interval}, such as {known:%Y-%m-%dT%H:%M:%SZ}",
                f"timestamp {stamp:%Y-%m-%dT%H:%M:%SZ}, between two bars",
                "label each bar by its open",
            )
        if quality.get("missing_values", "error") == "error":
            self._require_columns(number, symbol, values)

    def _require_columns(self, number: int, symbol: str, values: BarValues) -> None:
        """Refuses a line that has a volume, or more than a close, where the first has none."""
        for column, value in (("volume", values[-1]), ("open, high and low", values[0])):
            has = bool(np.isfinite(value))
            expected = self._has.setdefault((symbol, column), has)
            if has != expected:
                raise bad_line_error(
                    number,
                    f"{'a' if expected else 'no'} {column}, as in the first line of {symbol}",
                    f"a line with{'' if has else 'out'} {'one' if column == 'volume' else 'them'}",
                    f"send the {column} in every line of a symbol, or in none",
                )

    def _is_on_grid(self, stamp: pd.Timestamp, known: pd.Timestamp) -> bool:
        """Whole intervals from a bar, an hour beside by daylight saving, or by the calendar."""
        interval, calendar = self._dataset.interval, self._dataset.calendar
        if interval == MONTH:
            return True  # the rule judges months together
        length = interval_length(interval)
        beside = (stamp - known.ceil("s")) % length
        moved = length > _HOUR and beside in (_HOUR, length - _HOUR)
        if beside == pd.Timedelta(0) or moved or calendar == ALWAYS_OPEN:
            return bool(beside == pd.Timedelta(0) or moved)
        before = stamp - pd.Timedelta(microseconds=1)
        labels = next_bar_spans(before, interval, calendar, 1, self._dataset.day_begin)[0]
        return len(labels) > 0 and int(labels[0]) == stamp.value // 1_000
