"""How many independent trials the configurations that were tried amount to.

Ten runs that hardly differ are hardly more than one try at luck; ten unrelated ideas are ten.
The deflated Sharpe ratio asks for the number of independent trials and for how much their Sharpe
ratios differ, and both are found here from the returns of the runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.evaluation.clusters import FEWEST_BARS, cluster, distances, varies
from engine.evaluation.measures import sharpe

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.types import Matrix, Rows, Vector

OWN = "this"


@dataclass(frozen=True)
class Trials:
    """The trials on the bars of a run, itself among them.

    Attributes:
        runs: Runs of other configurations that ended, and this one.
        failed: Those among them that failed or were interrupted.
        distinct: Configurations that finished, this one among them.
        effective: Independent trials that they amount to; from 1 to `distinct`.
        tuning: Configurations that were tried within runs, on train rows; no trials in themselves.
        sharpe_deviation: Standard deviation (ddof 1) of the Sharpe ratio a bar over the
            independent trials; None where fewer than two have one.
        noise_deviation: What that deviation would be expected to be of trials without any skill
            that are as alike as these; None where fewer than two vary.
        since: When the first run of another configuration began; None where there is none.
        returns: Of every configuration on the bars of this run: this one in the first column
            (`this`), then the others by number of run; NaN where one has no bar.
    """

    runs: int
    failed: int
    distinct: int
    effective: int
    tuning: int
    sharpe_deviation: float | None
    noise_deviation: float | None
    since: str | None
    returns: pd.DataFrame = field(repr=False, compare=False)

    def told(self) -> dict[str, Any]:
        """Every figure, for `significance.json`."""
        names = ("runs", "failed", "distinct", "effective", "tuning", "sharpe_deviation", "since")
        return {name: getattr(self, name) for name in names}

    def aligned(self, share: float = 0.5) -> Matrix:
        """Returns without a gap, for figures that need every trial on every bar.

        Args:
            share: Part of this run's bars that another trial needs to be among them.

        Returns:
            A row a bar that all of them have, a column a trial, this run's first.
        """
        enough = self.returns.columns[self.returns.notna().mean() >= share]
        return self.returns[enough].dropna().to_numpy(dtype=np.float64)


def count_trials(
    own: pd.Series[float],
    others: Mapping[int, pd.Series[float]],
    *,
    runs: int,
    failed: int,
    tuning: int,
    since: str | None,
) -> Trials:
    """The trials of a run and of the other configurations on its bars.

    Args:
        own: Net returns of this run; index of timestamps.
        others: Of the other configurations, by number of run; only bars of this run count.
        runs: As in `Trials`.
        failed: As in `Trials`.
        tuning: As in `Trials`.
        since: As in `Trials`.
    """
    columns = {OWN: own} | {str(run): held.reindex(own.index) for run, held in others.items()}
    table = pd.DataFrame(columns, index=own.index, dtype=np.float64)
    matrix = table.to_numpy()
    labels = cluster(matrix)
    return Trials(
        runs=runs,
        failed=failed,
        distinct=matrix.shape[1],
        effective=len(np.unique(labels)),
        tuning=tuning,
        sharpe_deviation=sharpe_deviation(matrix, labels),
        noise_deviation=noise_deviation(matrix, labels),
        since=since,
        returns=table,
    )


def effective_trials(returns: Matrix) -> int:
    """Independent trials that the columns of `returns` amount to: the clusters of `cluster`.

    Returns:
        From 1 to the number of columns.
    """
    return max(1, len(np.unique(cluster(returns))))


def sharpe_deviation(returns: Matrix, labels: Rows) -> float | None:
    """Standard deviation (ddof 1) of the Sharpe ratio a bar over the clusters.

    Each is represented as `representatives` does it.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        Per bar, not a year; None where fewer than two clusters have a Sharpe ratio over
        `FEWEST_BARS` or more.
    """
    stand_ins = representatives(returns, labels)
    ratios = [sharpe(column[np.isfinite(column)], periods_per_year=1.0) for column in stand_ins.T]
    known = [ratio for ratio in ratios if ratio is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def noise_deviation(returns: Matrix, labels: Rows) -> float | None:
    """What `sharpe_deviation` is to be expected of clusters without any skill.

    sqrt((1 - rho) / n): Sharpe ratios a bar of n bars vary by 1 / sqrt(n) each (Lo 2002), and by
    as much less among each other as their returns go together; rho is the mean correlation of two
    clusters. Of few trials the deviation that was seen may be small by luck; this one is not.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        Per bar; None where fewer than two clusters vary.
    """
    stand_ins = representatives(returns, labels)
    stand_ins = stand_ins[:, varies(stand_ins)]
    count = stand_ins.shape[1]
    if count < 2:
        return None
    correlations = 1.0 - 2.0 * distances(stand_ins) ** 2
    mean = (correlations.sum() - count) / (count * (count - 1))
    return float(np.sqrt(max(0.0, 1.0 - mean) / len(returns)))


def representatives(returns: Matrix, labels: Rows) -> Matrix:
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
    return np.column_stack([_mean_of(returns[:, labels == label]) for label in np.unique(labels)])


def _mean_of(members: Matrix) -> Vector:
    members = members[:, varies(members)]
    held = np.isfinite(members)
    some = held.any(axis=1)
    mean = np.full(len(members), np.nan)
    if some.sum() >= FEWEST_BARS:
        weights = held * (1.0 / np.nanvar(members, axis=0))
        mean[some] = np.nansum(members * weights, axis=1)[some] / weights.sum(axis=1)[some]
    return mean
