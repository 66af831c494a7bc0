"""The bars after which a function that looks ahead is most likely to show it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterator

    from engine.core.types import IntVector, Matrix

_PER_KIND = 10
_FEW_VALUES = 20
_WARMUP_SHARE = 10


def choose_rows(
    bars: pd.DataFrame, output: Matrix, count: int, rng: np.random.Generator
) -> IntVector:
    """Rows of special bars, and others spread over the history; ascending, the last bar left out.

    Special are ends of days, weeks, months and quarters, bars before gaps in time or price and
    before large moves, and those at which a signal changes.

    Args:
        bars: Index of timestamps.
        output: Of the function on all bars, shape (n, k).
        count: Number of rows, at most.
        rng: Chooses among many.
    """
    last = len(bars) - 2
    first = min(last, max(1, len(bars) // _WARMUP_SHARE))
    chosen: set[int] = set()
    for kind in _special_rows(bars, output):
        rows = kind[(kind >= first) & (kind <= last)]
        chosen.update(rng.permutation(rows)[:_PER_KIND].tolist())
    special = np.array(sorted(chosen), dtype=np.int64)
    if len(special) > count // 2:
        special = rng.permutation(special)[: count // 2]
    spread = np.linspace(first, last, max(1, count - len(special))).round().astype(np.int64)
    return np.unique(np.concatenate([special, spread]))


def _special_rows(bars: pd.DataFrame, output: Matrix) -> Iterator[IntVector]:
    if isinstance(bars.index, pd.DatetimeIndex):
        yield from _calendar_rows(bars.index)
    close = bars["close"] if "close" in bars.columns else bars.iloc[:, 0]
    values = close.to_numpy(dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.nan_to_num(values[1:] / values[:-1] - 1.0)
    ranked = np.argsort(moves, kind="stable")
    yield from (ranked[: 2 * _PER_KIND], ranked[-2 * _PER_KIND :])
    for column in output.T:
        if len(np.unique(column[np.isfinite(column)])) <= _FEW_VALUES:
            changed = np.flatnonzero(np.diff(column) != 0)
            yield changed
            yield changed + 1


def _calendar_rows(index: pd.DatetimeIndex) -> Iterator[IntVector]:
    """The last bar of each day, week, month and quarter, and those before longer gaps."""
    naive = index.tz_localize(None) if index.tz is not None else index
    days = naive.normalize().to_numpy().astype("datetime64[D]").astype(np.int64)
    months = naive.to_numpy().astype("datetime64[M]").astype(np.int64)
    for number in (days, (days + 3) // 7, months, months // 3):
        ends = np.flatnonzero(np.diff(number))
        if len(ends) < len(index) - 1:
            yield ends
    steps = np.diff(naive.to_numpy()).astype(np.int64)
    yield np.flatnonzero(steps > np.median(steps))
