"""Bars as rows of numbers, the form in which a state keeps them between two bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix


def bars_to_rows(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> Matrix:
    """Some columns of the bars of several symbols.

    Args:
        tables: Bars of each symbol on the same timestamps; index UTC.
        columns: Columns of every table.

    Returns:
        Shape (n, 1 + symbols x columns): the open in microseconds since 1970, which float64 holds
        exactly until the year 2255, followed by the columns of each table.
    """
    index = pd.DatetimeIndex(tables[0].index).tz_convert(None)
    opens = index.to_numpy().astype("datetime64[us]").astype(np.float64)
    values = (table[column].to_numpy("float64") for table in tables for column in columns)
    return np.column_stack([opens, *values])


def rows_to_bars(rows: Matrix, columns: Sequence[str], symbols: int) -> list[pd.DataFrame]:
    """The bars of each symbol, index UTC named `timestamp`, from what `bars_to_rows` returned."""
    opens = rows[:, 0].astype(np.int64).astype("datetime64[us]")
    index = pd.DatetimeIndex(opens, name="timestamp").tz_localize("UTC")
    return [
        pd.DataFrame(dict(zip(columns, values, strict=True)), index=index)
        for values in rows[:, 1:].T.reshape(symbols, len(columns), len(rows))
    ]
