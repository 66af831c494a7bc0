"""Positions by bar, held over a file of bars."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.auditing.backtest import AuditedBacktest
from engine.auditing.positions import HeldPositions
from engine.auditing.readers._cells import (
    find_time_column,
    numeric_columns,
    read_numbers,
    read_stamps,
)
from engine.auditing.readers.close import read_close
from engine.auditing.readers.tidy import tidy_returns
from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.auditing.readers._content import AuditedFile

_MAX_LEVERAGE = 20.0
"""Weights above it are units or money."""


def read_positions(file: AuditedFile, bars: AuditedFile, cost_bps: float) -> AuditedBacktest:
    """Reads weights, a column a symbol, and holds them over bars.

    A weight at the time of a bar is held from the close of that bar to the close of the next: what
    was decided with a bar cannot earn that bar's move.

    Args:
        file: A column of dates, and a weight for each symbol, as a fraction of the equity.
        bars: Closes: one column called `close` for one symbol, else a column a symbol.
        cost_bps: Paid on every change of a weight.

    Raises:
        UsageError: A weight or close is missing, weights are no fractions, or the bars lack a
            symbol or more than a tenth of the times.
    """
    weights, notes = _read_table(file, None)
    highest = float(np.abs(weights.to_numpy()).max())
    if highest > _MAX_LEVERAGE:
        raise UsageError(
            "positions are no fractions of the equity",
            expected=f"weights such as 1 or -0.5, at most {_MAX_LEVERAGE:g} in size",
            found=f"{highest:g}",
            where=str(file.path),
            fix="divide the value of each position by the equity at that bar",
        )
    if weights.shape[1] == 1:
        closes = read_close(bars).to_frame(str(weights.columns[0]))
    else:
        closes, _ = _read_table(bars, tuple(map(str, weights.columns)))
    shared = weights.index.intersection(closes.index)
    if len(shared) < max(2, 0.9 * len(weights)):
        raise UsageError(
            "the bars lack times of the positions",
            expected=f"a bar at each of the {len(weights):,} times",
            found=f"{len(shared):,}; positions {weights.index[0]} to {weights.index[-1]}, bars "
            f"{closes.index[0]} to {closes.index[-1]}",
            where=str(bars.path),
            fix="use the bars that the positions were decided on",
        )
    if len(shared) < len(weights):
        notes += (f"{len(weights) - len(shared):,} positions at times without a bar left out",)
    span = closes.loc[(closes.index >= shared[0])]
    held = weights.loc[shared].reindex(span.index).ffill().to_numpy(dtype=np.float64)[:-1]
    prices = span.to_numpy(dtype=np.float64)
    positions = HeldPositions(held, prices[1:] / prices[:-1] - 1.0, cost_bps)
    returns = pd.Series(positions.net_returns(), index=span.index[1:])
    return AuditedBacktest(
        "positions",
        returns,
        round_trips=positions.count_round_trips(),
        held=positions,
        notes=(*notes, "a position at a bar's time is held from its close to the next close"),
    )


def _read_table(
    file: AuditedFile, names: tuple[str, ...] | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """The numbers by time; all columns with numbers, or those named."""
    time = find_time_column(file)
    numeric = numeric_columns(file, time)
    wanted = numeric if names is None else list(names)
    missing = [name for name in wanted if name not in numeric]
    if missing or not wanted:
        raise UsageError(
            f"there is no column {', '.join(missing)}" if missing else "there are no numbers",
            expected="a column of numbers for each symbol",
            found=file.describe(),
            where=str(file.path),
            fix="name the columns of bars and positions alike",
        )
    table = pd.DataFrame({name: read_numbers(file, name)[0] for name in wanted})
    return tidy_returns(read_stamps(file, time), table, str(file.path))
