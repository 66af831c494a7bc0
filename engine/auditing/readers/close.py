"""The closes of a file of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from engine.auditing.readers._cells import (
    find_column,
    find_time_column,
    normalise,
    numeric_columns,
    read_numbers,
    read_stamps,
)
from engine.auditing.readers.tidy import tidy_returns
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.auditing.readers._content import AuditedFile

_CLOSE_NAMES = (frozenset({"adj_close", "adjclose"}), frozenset({"close", "c", "last", "price"}))


def read_bars(file: AuditedFile) -> pd.DataFrame:
    """All columns of numbers, names in small letters; index of UTC timestamps.

    Raises:
        UsageError: There is none, or as for returns.
    """
    time = find_time_column(file)
    names = numeric_columns(file, time)
    if not names:
        raise UsageError(
            "the bars have no numbers",
            expected="columns such as open, high, low, close and volume",
            found=file.describe(),
            where=str(file.path),
            fix="export the bars again",
        )
    table = pd.DataFrame({normalise(name): read_numbers(file, name)[0] for name in names})
    return tidy_returns(read_stamps(file, time), table, str(file.path))[0]


def read_close(file: AuditedFile) -> pd.Series[float]:
    """The close of each bar, the adjusted one where there is one; index of UTC timestamps.

    Raises:
        UsageError: No column is the close, one is not above 0, or as for returns.
    """
    time = find_time_column(file)
    names = numeric_columns(file, time)
    found = (find_column(file, known) for known in _CLOSE_NAMES)
    column = next(filter(None, found), names[0] if len(names) == 1 else None)
    if column is None:
        raise UsageError(
            "the bars have no column of closes",
            expected="a column called close",
            found=file.describe(),
            where=str(file.path),
            fix="name the column close",
        )
    numbers, _ = read_numbers(file, column)
    tidy, _ = tidy_returns(read_stamps(file, time), numbers, str(file.path))
    close = tidy.iloc[:, 0]
    if (close <= 0).any():
        raise UsageError(
            "a close is not above 0",
            expected="prices above 0",
            found=f"{float(close.min()):g} at {close.idxmin()}",
            where=str(file.path),
            fix="correct the bars, or name other ones",
        )
    return close
