"""The row of a bar that was written before the bar had ended."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.data.bar_times import TradingTimes

if TYPE_CHECKING:
    from pathlib import Path

    from engine.core.types import IntVector
    from engine.data.sources.base import BarRequest

_TICK = pd.Timedelta(milliseconds=10)
"""Systems stamp files by a clock that is up to one tick behind the one that programs ask."""


def when_written(path: Path) -> int:
    """When a file was last written, microseconds since 1970; 0 where there is none now.

    Ask before reading: what is written meanwhile then counts as not written.
    """
    try:
        return path.stat().st_mtime_ns // 1_000
    except OSError:
        return 0


def drop_early_rows(bars: pd.DataFrame, written: IntVector, request: BarRequest) -> pd.DataFrame:
    """The bars without the newest, where its row may show only a part of it.

    A program may write a bar while it is traded and complete it later. A bar is whole where its
    file was written at its close or later, or where a later bar is there, with which such programs
    begin when they have completed the one before. A bar that has not closed by `request.now` is
    left to the caller.

    Args:
        bars: Rows of one symbol.
        written: When the file of each row was last written, microseconds since 1970, (n,).
        request: The request: interval, calendar and time.
    """
    if bars.empty:
        return bars
    newest = pd.Timestamp(bars["timestamp"].max())
    is_newest = (bars["timestamp"] == newest).to_numpy()
    newest = newest.tz_localize("UTC") if newest.tz is None else newest
    at = pd.Timestamp(int(written[is_newest].max()), unit="us", tz="UTC") + _TICK
    close = _bar_times(request).close(newest)
    if at >= close or close > request.now:
        return bars
    return bars[~is_newest].reset_index(drop=True)


def _bar_times(request: BarRequest) -> TradingTimes:
    gate = request.gate
    if gate is None:
        return TradingTimes(request.interval)
    return TradingTimes(request.interval, gate.calendar, gate.day_begins)
