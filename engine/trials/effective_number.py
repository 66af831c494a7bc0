"""How many independent trials the configurations that were tried amount to.

Ten runs that hardly differ are hardly more than one try at luck; ten unrelated ideas are ten.
The deflated Sharpe ratio asks for the number of independent trials and for how much their Sharpe
ratios differ, and both are found here from the returns of the runs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.inference.trial_set import TrialSet
from engine.evaluation.metrics.return_metrics import sharpe
from engine.trials.clustering import (
    MIN_COMMON_BARS,
    cluster_trials,
    correlation_distances,
    has_variance,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import IntVector, Matrix, Vector

OWN_COLUMN = "this"


def build_trial_set(
    own_returns: pd.Series[float],
    other_returns: Mapping[int, pd.Series[float]],
    *,
    runs: int,
    failed: int,
    tuning: int,
    since: str | None,
) -> TrialSet:
    """The trials of a run and of the other configurations on its bars.

    Args:
        own_returns: Net returns of this run; index of timestamps.
        other_returns: Of the other configurations, by number of run; only bars of this run count.
        runs: As in `TrialSet`.
        failed: As in `TrialSet`.
        tuning: As in `TrialSet`.
        since: As in `TrialSet`.
    """
    columns = {OWN_COLUMN: own_returns} | {
        str(run): held.reindex(own_returns.index) for run, held in other_returns.items()
    }
    table = pd.DataFrame(columns, index=own_returns.index, dtype=np.float64)
    matrix = table.to_numpy()
    labels = cluster_trials(matrix)
    return TrialSet(
        runs=runs,
        failed=failed,
        distinct=matrix.shape[1],
        effective=len(np.unique(labels)),
        tuning=tuning,
        sharpe_deviation=trial_sharpe_deviation(matrix, labels),
        noise_deviation=expected_noise_deviation(matrix, labels),
        since=since,
        returns=table,
    )


def effective_number_of_trials(returns: Matrix) -> int:
    """Independent trials that the columns of `returns` amount to: the clusters of `cluster`.

    Returns:
        From 1 to the number of columns.
    """
    return max(1, len(np.unique(cluster_trials(returns))))


def trial_sharpe_deviation(returns: Matrix, labels: IntVector) -> float | None:
    """Standard deviation (ddof 1) of the Sharpe ratio a bar over the clusters.

    Each is represented as `cluster_returns` does it.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        Per bar, not a year; None where fewer than two clusters have a Sharpe ratio over
        `FEWEST_BARS` or more.
    """
    stand_ins = cluster_returns(returns, labels)
    ratios = [sharpe(column[np.isfinite(column)], periods_per_year=1.0) for column in stand_ins.T]
    known = [ratio for ratio in ratios if ratio is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def expected_noise_deviation(returns: Matrix, labels: IntVector) -> float | None:
    """What `trial_sharpe_deviation` is to be expected of clusters without any skill.

    sqrt((1 - rho) / n): Sharpe ratios a bar of n bars vary by 1 / sqrt(n) each (Lo 2002), and by
    as much less among each other as their returns go together; rho is the mean correlation of two
    clusters. Of few trials the deviation that was seen may be small by luck; this one is not.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        Per bar; None where fewer than two clusters vary.
    """
    stand_ins = cluster_returns(returns, labels)
    stand_ins = stand_ins[:, has_variance(stand_ins)]
    count = stand_ins.shape[1]
    if count < 2:
        return None
    correlations = 1.0 - 2.0 * correlation_distances(stand_ins) ** 2
    mean = (correlations.sum() - count) / (count * (count - 1))
    return float(np.sqrt(max(0.0, 1.0 - mean) / len(returns)))


def cluster_returns(returns: Matrix, labels: IntVector) -> Matrix:
    """Returns of each cluster: the mean of its members', weighted by 1 / variance.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        A row a bar, a column a cluster in the order of their numbers; on a bar that some members
        have not, the mean of the others; NaN where none has it, and throughout where fewer than
        `FEWEST_BARS` are left or nothing varies.

    Source: Lopez de Prado & Lewis (2019).
    """
    return np.column_stack(
        [_inverse_variance_mean(returns[:, labels == label]) for label in np.unique(labels)]
    )


def _inverse_variance_mean(members: Matrix) -> Vector:
    members = members[:, has_variance(members)]
    held = np.isfinite(members)
    some = held.any(axis=1)
    mean = np.full(len(members), np.nan)
    if some.sum() >= MIN_COMMON_BARS:
        weights = held * (1.0 / np.nanvar(members, axis=0))
        mean[some] = np.nansum(members * weights, axis=1)[some] / weights.sum(axis=1)[some]
    return mean
