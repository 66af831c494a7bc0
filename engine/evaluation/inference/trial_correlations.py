"""Correlations of the trials' estimated Sharpe ratios, and of their leads over holding.

To first order a Sharpe ratio's error is the sum of its influence values over the bars. Two
estimates are therefore correlated by the influence values at the bars that both trials have:

    R_ij = sum over common bars of psi_i psi_j / sqrt(sum psi_i^2  sum psi_j^2),

each of the sums below the root over all bars of its own trial. Two spans that overlap by a half
give the same rule a correlation of one half, and spans without a common bar give any two trials
none. Copies have 1, whatever their leverage.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from engine.data.calendar import INTERVAL_LENGTHS, MONTH, interval_length
from engine.evaluation.inference.hac import MIN_BARS, sharpe_influence
from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix, Vector
    from engine.evaluation.inference.trial_set import Trial


_COPY_TOLERANCE = 1e-9
"""Influence values of a trial that differ by less from those of holding are the same."""


class InfluenceByBar(NamedTuple):
    """Influence of each bar on an estimate; timestamps ascending, values shape (n,)."""

    bars: pd.DatetimeIndex
    values: Vector


def sharpe_influences(trial: Trial) -> InfluenceByBar | None:
    """Influence of each bar on a trial's Sharpe ratio, as `hac.sharpe_influence`.

    Returns:
        None where it has no Sharpe ratio: below 30 bars, or constant.
    """
    returns = as_vector(trial.returns)
    return (
        InfluenceByBar(_bars(trial), sharpe_influence(returns)) if _has_sharpe(returns) else None
    )


def holding_influences(trials: Sequence[Trial]) -> list[Vector | None]:
    """Influence of each bar on the Sharpe ratio of holding, of each trial.

    Returns:
        None where holding is not known or has no Sharpe ratio. Trials that share the returns of
        holding share these values.
    """
    by_identity: dict[int, Vector | None] = {}
    for holding in (trial.holding for trial in trials):
        if holding is not None and id(holding) not in by_identity:
            returns = as_vector(holding)
            by_identity[id(holding)] = sharpe_influence(returns) if _has_sharpe(returns) else None
    return [by_identity.get(id(trial.holding)) for trial in trials]


def lead_influences(trial: Trial, holding: Vector | None) -> InfluenceByBar | None:
    """Influence of each bar on a trial's lead: its Sharpe ratio less that of holding.

    Args:
        trial: The trial.
        holding: Influence of each bar on the Sharpe ratio of its holding, see
            `holding_influences`; None where that is not known.

    Returns:
        None where one of the two is not known or has no Sharpe ratio, and where the trial is
        holding itself at some leverage.
    """
    returns = as_vector(trial.returns)
    if holding is None or not _has_sharpe(returns):
        return None
    lead = sharpe_influence(returns) - holding
    return InfluenceByBar(_bars(trial), lead) if np.abs(lead).max() > _COPY_TOLERANCE else None


def correlate_influences(
    influences: Sequence[InfluenceByBar | None], intervals: Sequence[str]
) -> Matrix:
    """Correlations of the estimates to which the bars have these influences.

    Trials of one interval are matched bar by bar. Of two intervals the values of the shorter one
    are summed over each bar of the longer one, from its start to the start of the next. An unknown
    interval is uncorrelated with every other one.

    Args:
        influences: Of each trial; None where they are not known: uncorrelated with all others.
        intervals: Interval of each trial.

    Returns:
        Shape (k, k), from -1 to 1, a diagonal of 1. An entry depends on its two trials only, and
        on the bars of the trials with the same interval.
    """
    groups: dict[str, list[int]] = {}
    for number, (values, interval) in enumerate(zip(influences, intervals, strict=True)):
        if values is not None:
            groups.setdefault(interval, []).append(number)
    tables = {
        interval: _as_table([influences[number] for number in numbers])
        for interval, numbers in groups.items()
    }
    correlations = np.eye(len(influences))
    for interval, (_, table) in tables.items():
        correlations[np.ix_(groups[interval], groups[interval])] = table.T @ table
    # Of an interval that this version does not know nothing can be summed.
    by_length = sorted(tables.keys() & {*INTERVAL_LENGTHS, MONTH}, key=interval_length)
    for shorter, longer in combinations(by_length, 2):
        starts, coarse = tables[longer]
        fine = _sum_over_bars(*tables[shorter], starts, interval_length(longer))
        block = fine.T @ coarse
        correlations[np.ix_(groups[shorter], groups[longer])] = block
        correlations[np.ix_(groups[longer], groups[shorter])] = block.T
    np.fill_diagonal(correlations, 1.0)
    return np.clip(correlations, -1.0, 1.0)


def as_vector(values: pd.Series[float]) -> Vector:
    """The values of a series."""
    return np.asarray(values, dtype=np.float64)


def _as_table(columns: Sequence[InfluenceByBar | None]) -> tuple[pd.DatetimeIndex, Matrix]:
    """All bars of some trials, and on them a column of each, with a sum of squares of 1.

    A trial has 0 on a bar that it lacks.
    """
    known = [column for column in columns if column is not None]
    index = known[0].bars
    for column in known[1:]:
        if not index.equals(column.bars):
            index = index.union(column.bars)
    table = np.zeros((len(index), len(known)))
    for number, (bars, values) in enumerate(known):
        rows = slice(None) if index.equals(bars) else index.get_indexer(bars)
        table[rows, number] = values / np.sqrt(values @ values)
    return index, table


def _sum_over_bars(
    index: pd.DatetimeIndex, table: Matrix, starts: pd.DatetimeIndex, last: pd.Timedelta
) -> Matrix:
    """Sums of the rows of `table` over the bars that begin at `starts`, the last `last` long.

    Rows before and after these bars are in no sum. A column is scaled to a sum of squares of 1,
    that of such rows included.
    """
    bar = starts.searchsorted(index, side="right") - 1
    inside = (bar >= 0) & (index < starts[-1] + last)
    summed = np.zeros((len(starts), table.shape[1]))
    np.add.at(summed, bar[inside], table[inside])
    squares = (summed**2).sum(axis=0) + (table[~inside] ** 2).sum(axis=0)
    return np.asarray(summed / np.sqrt(np.maximum(squares, 1e-300)))


def _has_sharpe(returns: Vector) -> bool:
    return len(returns) >= MIN_BARS and sharpe(returns, 1.0) is not None


def _bars(trial: Trial) -> pd.DatetimeIndex:
    index = trial.returns.index
    # Not only for speed: trials with one index object need no comparison of their bars.
    return index if isinstance(index, pd.DatetimeIndex) else pd.DatetimeIndex(index)
