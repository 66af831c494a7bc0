"""Effective number of independent trials, and the standard deviation of their Sharpe ratios.

Ten nearly identical runs are hardly more than one trial; ten uncorrelated ones are ten. The
deflated Sharpe ratio needs the number of independent trials and the standard deviation of their
Sharpe ratios; both are computed here from the returns of the runs.
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
    """Builds the trial set of a run from its returns and those of other configurations.

    Args:
        own_returns: Net returns of this run; index of timestamps.
        other_returns: Net returns of the other configurations, by run number; only the bars of
            this run are used.
        runs: As in `TrialSet`.
        failed: As in `TrialSet`.
        tuning: As in `TrialSet`.
        since: As in `TrialSet`.
    """
    columns = {OWN_COLUMN: own_returns} | {
        str(run): series.reindex(own_returns.index) for run, series in other_returns.items()
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
    """Number of clusters of `cluster_trials`: the effective number of independent trials.

    Returns:
        From 1 to the number of columns.
    """
    return max(1, len(np.unique(cluster_trials(returns))))


def trial_sharpe_deviation(returns: Matrix, labels: IntVector) -> float | None:
    """Standard deviation (ddof 1) of the Sharpe ratio per bar over the clusters.

    The returns of a cluster are those of `cluster_returns`.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: Cluster of each trial.

    Returns:
        Per bar, not annualised; None where fewer than two clusters have a Sharpe ratio over at
        least `MIN_COMMON_BARS`.
    """
    clusters = cluster_returns(returns, labels)
    ratios = [sharpe(column[np.isfinite(column)], periods_per_year=1.0) for column in clusters.T]
    known = [ratio for ratio in ratios if ratio is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def expected_noise_deviation(returns: Matrix, labels: IntVector) -> float | None:
    """Expected value of `trial_sharpe_deviation` for clusters without skill.

    sqrt((1 - rho) / n): the standard error of a Sharpe ratio per bar is 1 / sqrt(n) (Lo 2002), and
    correlation reduces the deviation between trials; rho is the mean correlation of two clusters.
    With few trials the observed deviation may be small by chance; this one is not.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: Cluster of each trial.

    Returns:
        Per bar; None where fewer than two clusters have varying returns.
    """
    clusters = cluster_returns(returns, labels)
    clusters = clusters[:, has_variance(clusters)]
    count = clusters.shape[1]
    if count < 2:
        return None
    correlations = 1.0 - 2.0 * correlation_distances(clusters) ** 2
    mean = (correlations.sum() - count) / (count * (count - 1))
    return float(np.sqrt(max(0.0, 1.0 - mean) / len(returns)))


def cluster_returns(returns: Matrix, labels: IntVector) -> Matrix:
    """Returns of each cluster: the mean of its members, weighted by 1 / variance.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: Cluster of each trial.

    Returns:
        A row a bar, a column a cluster in the order of their numbers. On a bar that some members
        lack, the mean of the others; NaN where all lack it, and in the whole column where fewer
        than `MIN_COMMON_BARS` are left or the returns are constant.

    Source: Lopez de Prado & Lewis (2019).
    """
    return np.column_stack(
        [_inverse_variance_mean(returns[:, labels == label]) for label in np.unique(labels)]
    )


def _inverse_variance_mean(members: Matrix) -> Vector:
    members = members[:, has_variance(members)]
    present = np.isfinite(members)
    some = present.any(axis=1)
    mean = np.full(len(members), np.nan)
    if some.sum() >= MIN_COMMON_BARS:
        weights = present * (1.0 / np.nanvar(members, axis=0))
        mean[some] = np.nansum(members * weights, axis=1)[some] / weights.sum(axis=1)[some]
    return mean
