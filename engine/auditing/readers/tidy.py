"""Timestamps in order and values without gaps, of files and of values in Python."""

from __future__ import annotations

import numpy as np
import pandas as pd

from engine.core.errors import UsageError


def to_utc(index: pd.Index, where: str) -> pd.DatetimeIndex:
    """The timestamps of an index, UTC; naive ones are taken as UTC.

    Raises:
        UsageError: It holds none.
    """
    if not isinstance(index, pd.DatetimeIndex):
        raise UsageError(
            "the index has no timestamps",
            expected="a pandas.DatetimeIndex",
            found=type(index).__name__,
            where=where,
            fix="set the index to the times of the bars",
        )
    return index.tz_localize("UTC") if index.tz is None else index.tz_convert("UTC")


def tidy_returns(
    stamps: pd.DatetimeIndex, values: pd.Series[float] | pd.DataFrame, path: str
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Values by ascending timestamps, each once.

    Rows with the newest first are reversed, and first rows without a value left out; with notes.

    Raises:
        UsageError: Timestamps repeat or are out of order, or a later value is missing or infinite.
    """
    frame = values.to_frame() if isinstance(values, pd.Series) else values
    frame = frame.set_axis(stamps, axis=0)
    notes: list[str] = []
    steps = np.diff(stamps.asi8)
    if len(steps) and (steps < 0).all():
        frame = frame.iloc[::-1]
        notes.append("the file has its newest bar first")
    elif len(steps) and (steps <= 0).any():
        raise _order_error(stamps, int((steps <= 0).argmax()), path)
    array = frame.to_numpy(dtype=np.float64)
    finite = np.isfinite(array).all(axis=1)
    start = int(finite.argmax()) if finite.any() else len(finite)
    if start:
        count = "1 row" if start == 1 else f"{start:,} rows"
        notes.append(f"{count} without a value at the start left out")
        frame, finite = frame.iloc[start:], finite[start:]
    if len(frame) < 2:
        raise UsageError(
            "the audited file has too few bars",
            expected="at least 2 rows with values, and 30 for an interval",
            found="1 row" if len(frame) else "no row with a value",
            where=path,
            fix="export every bar, not the summary",
        )
    if not finite.all():
        row = int((~finite).argmax())
        raise UsageError(
            "a value is missing or infinite",
            expected="a number at every bar; 0 where nothing was held",
            found=f"{int((~finite).sum()):,} rows without one, the first at {frame.index[row]}",
            where=path,
            fix="fill the bars without a position with 0, and export again",
        )
    return frame, tuple(notes)


def _order_error(stamps: pd.DatetimeIndex, row: int, path: str) -> UsageError:
    repeated = stamps[row] == stamps[row + 1]
    return UsageError(
        "timestamps repeat" if repeated else "timestamps are out of order",
        expected="ascending timestamps, each once",
        found=f"{stamps[row]}, then {stamps[row + 1]}",
        where=f"{path}, row {row + 2:,}",
        fix="sum or compound the returns of one bar before you export them; export one strategy"
        if repeated
        else "sort the file by time",
    )
