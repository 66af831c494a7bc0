"""Rows at which a leak reads later bars: all, a random share, or special ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import BoolVector
    from engine.selftest.leaks.planting import Plant

RowChoice: TypeAlias = "Callable[[pd.Series[float], Plant], BoolVector]"
"""Closes by time -> the rows at which a later bar is read."""

LARGE_MOVE = 0.03
"""A move of 3 %; in the markets of the leak test about one bar in sixty falls or rises so much."""

_MOVE_DEVIATIONS = 1.5


def every_row(close: pd.Series[float], plant: Plant) -> BoolVector:
    """All of them."""
    return np.ones(len(close), dtype=bool)


def random_share(share: float) -> RowChoice:
    """Rows that are drawn, each with this probability."""

    def choose(close: pd.Series[float], plant: Plant) -> BoolVector:
        return plant.draw_rows(len(close), share)

    return choose


def one_stretch(share: float) -> RowChoice:
    """Consecutive out-of-sample rows, as many as this share of all rows of the real history."""

    def choose(close: pd.Series[float], plant: Plant) -> BoolVector:
        last = plant.prepared.windows[-1].test.stop
        first = plant.prepared.windows[0].test.start
        length = max(1, int(share * last))
        start = first + plant.seed % max(1, last - first - length)
        rows = np.arange(len(close))
        return (rows >= start) & (rows < start + length)

    return choose


def last_business_day(period: Literal["M", "Q"]) -> RowChoice:
    """Bars on the last weekday of a month or a quarter."""

    def choose(close: pd.Series[float], plant: Plant) -> BoolVector:
        days = pd.DatetimeIndex(close.index).tz_localize(None).normalize()
        following = days + pd.offsets.BDay(1)
        return np.asarray(days.to_period(period) != following.to_period(period))

    return choose


def fridays(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars on a Friday."""
    return np.asarray(pd.DatetimeIndex(close.index).day_of_week == 4)


def before_gaps(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars before a pause that is longer than the usual distance: weekends and holidays."""
    waits = np.diff(pd.DatetimeIndex(close.index).asi8)
    return np.append(waits > 1.5 * np.median(waits), False)


def before_holidays(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars before a pause of four days and more, or of two from Monday to Thursday.

    Among bars that are longer than a day there is none.
    """
    stamps = pd.DatetimeIndex(close.index)
    days = np.diff(stamps.tz_localize(None).to_numpy()) / np.timedelta64(1, "D")
    if np.median(days) > 1.0:
        return np.zeros(len(stamps), dtype=bool)
    usual = np.where(stamps[:-1].day_of_week == 4, 3, 1)
    return np.append(days > usual, False)


def before_falls(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars before a fall of more than one and a half standard deviations of the 60 bars before."""
    return np.asarray(_moves_ahead(close) < -_MOVE_DEVIATIONS)


def before_rallies(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars before a rise of as much."""
    return np.asarray(_moves_ahead(close) > _MOVE_DEVIATIONS)


def at_records(close: pd.Series[float], plant: Plant) -> BoolVector:
    """Bars whose close is the highest or the lowest of the last 20."""
    window = close.rolling(20)
    return np.asarray((close == window.max()) | (close == window.min()))


def _moves_ahead(close: pd.Series[float]) -> pd.Series[float]:
    """The next return in standard deviations of the last 60, 0 where either is not known."""
    returns = close.pct_change()
    return (returns.shift(-1) / returns.rolling(60).std()).fillna(0.0)


def next_return(close: pd.Series[float], bars: int = 1) -> pd.Series[float]:
    """The return over the next bars; 0 where there are not as many."""
    return (close.shift(-bars) / close - 1.0).fillna(0.0)
