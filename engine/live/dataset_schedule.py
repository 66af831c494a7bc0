"""When the bars of a dataset come: by its calendar, or by those of its symbols."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.data.bars import NO_DELAY
from engine.live.bar_schedule import BarSchedule
from engine.live.row_schedule import RowSchedule

if TYPE_CHECKING:
    import pandas as pd

    from engine.data import Dataset
    from engine.live.row_schedule import Schedule
    from engine.strategy import Strategy


def schedule_of_dataset(
    dataset: Dataset, spec: Strategy, delay: pd.Timedelta = NO_DELAY
) -> Schedule:
    """The bars that the calendars of a dataset expect, as a strategy trades them.

    Args:
        dataset: The dataset.
        spec: What is traded of it.
        delay: How long after the close of a session the source completes its bar.
    """
    if not dataset.has_own_clocks:
        return BarSchedule(dataset.interval, dataset.calendar, dataset.day_begin, delay)
    return RowSchedule(
        {symbol: dataset.of_symbol(symbol).bar_times for symbol in dataset.traded_symbols},
        None if spec.data.is_book else dataset.choose_target(spec.data.single_target),
        spec.is_panel,
        delay,
    )
