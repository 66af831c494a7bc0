"""How many independent trials the configurations that were tried amount to.

Ten runs that differ in a seed are hardly more than one try at luck; ten unrelated ideas are ten.
The deflated Sharpe ratio asks for the number of independent trials and for how much their Sharpe
ratios differ, and both are found here from the returns of the runs.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.evaluation.measures import sharpe

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from engine.types import Matrix, Rows, Vector

FEWEST_BARS = 30
"""Common bars below which two trials are taken for independent, as nothing tells otherwise."""

UNRELATED = float(np.sqrt(0.5))
"""Distance of two trials without correlation."""

COHESION = 0.5
"""Mean silhouette from which a cluster is one trial: its members lie less than half as far from
each other as from the nearest others. "A reasonable structure" in Kaufman & Rousseeuw (1990)."""

CLONE = 1e-6
"""Distance below which two trials are the same one: rounding apart, their returns are equal."""

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
        since=since,
        returns=table,
    )


def effective_trials(returns: Matrix) -> int:
    """Independent trials that the columns of `returns` amount to: the clusters of `cluster`.

    Returns:
        From 1 to the number of columns.
    """
    return max(1, len(np.unique(cluster(returns))))


def cluster(returns: Matrix) -> Rows:
    """Which trials are one and the same: clusters of correlated returns.

    1. The distance of two trials is d = sqrt((1 - rho) / 2), rho their correlation over the bars
       that both have: 0 of a trial and its copy, sqrt(1/2) of unrelated ones.
    2. Copies are joined: how often one trial stands there shall not weigh.
    3. Average linkage makes a tree of clusters, from every trial alone to all in one.
    4. Of all cuts through it the one with the highest mean silhouette is taken. The silhouette of
       a trial is (b - a) / max(a, b), a its mean distance to its own cluster and b that to the
       nearest other one, and 0 of a trial alone. An unrelated trial counts as one of the others
       throughout, so that all in one cluster, which has no other, has a silhouette too.
    5. A cluster whose mean silhouette is below `COHESION` is none: its trials stand alone. It is
       better to count a trial too many than to call luck skill.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar. Trials with fewer
            than `FEWEST_BARS` in common are taken for unrelated. Those whose returns never vary
            are one trial together: all do the same nothing.

    Returns:
        A number a trial, the same for trials of one cluster, from 0 in order of appearance.

    Source: Lopez de Prado & Lewis (2019), Detection of false investment strategies using
    unsupervised learning methods, Quantitative Finance 19(9): distance, silhouettes, clusters as
    trials; there by k-means, which knows neither one cluster nor trials alone. Rousseeuw (1987),
    Silhouettes, J. of Computational and Applied Mathematics 20.
    """
    count = returns.shape[1]
    varies = _varies(returns)
    labels = count + np.arange(count)
    labels[varies] = _clusters(_distances(returns[:, varies]))
    labels[~varies & (np.isfinite(returns).sum(axis=0) >= FEWEST_BARS)] = 2 * count
    return _in_order(labels)


def sharpe_deviation(returns: Matrix, labels: Rows) -> float | None:
    """Standard deviation (ddof 1) of the Sharpe ratio a bar over the clusters.

    A cluster's returns are the mean of its members' on each bar, weighted by 1 / variance, as in
    Lopez de Prado & Lewis (2019); on a bar that some of them have not, of the others.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar.
        labels: The cluster of each.

    Returns:
        Per bar, not a year; None where fewer than two clusters have a Sharpe ratio over
        `FEWEST_BARS` or more.
    """
    ratios = [_sharpe_of(returns[:, labels == label]) for label in np.unique(labels)]
    known = [ratio for ratio in ratios if ratio is not None]
    return float(np.std(known, ddof=1)) if len(known) > 1 else None


def _sharpe_of(members: Matrix) -> float | None:
    members = members[:, _varies(members)]
    held = np.isfinite(members)
    some = held.any(axis=1)
    if some.sum() < FEWEST_BARS:
        return None
    weights = held * (1.0 / np.nanvar(members, axis=0))
    mean = np.nansum(members * weights, axis=1)[some] / weights.sum(axis=1)[some]
    return sharpe(mean, periods_per_year=1.0)


def _varies(returns: Matrix) -> npt.NDArray[np.bool_]:
    """Whether a trial's returns differ by more than rounding, on the bars that it has."""
    low = np.where(np.isnan(returns), np.inf, returns).min(axis=0, initial=np.inf)
    high = np.where(np.isnan(returns), -np.inf, returns).max(axis=0, initial=-np.inf)
    return np.asarray(high - low > 1e-12 * np.maximum(np.abs(low), np.abs(high)))


def _distances(returns: Matrix) -> Matrix:
    """sqrt((1 - rho) / 2) of every pair, over the bars that both have."""
    held = np.isfinite(returns).astype(np.float64)
    spread = np.nanstd(returns, axis=0)
    scaled = np.where(held > 0, (returns - np.nanmean(returns, axis=0)) / spread, 0.0)
    bars = held.T @ held
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (scaled.T @ held) / bars  # [i, j]: of i, over the bars that j has too
        variance = (scaled**2).T @ held / bars - mean**2
        rho = (scaled.T @ scaled / bars - mean * mean.T) / np.sqrt(variance * variance.T)
    # A trial that is flat wherever another has bars has no correlation with it either.
    known = (bars >= FEWEST_BARS) & np.isfinite(rho) & (variance > 1e-12) & (variance.T > 1e-12)
    distances = np.sqrt((1.0 - np.clip(np.where(known, rho, 0.0), -1.0, 1.0)) / 2.0)
    np.fill_diagonal(distances, 0.0)
    return distances


def _clusters(distances: Matrix) -> Rows:
    """Steps 2 to 5 of `cluster`."""
    if len(distances) < 2:
        return np.zeros(len(distances), dtype=np.int64)
    copies = _copies(distances)
    _, first = np.unique(copies, return_index=True)
    labels, silhouettes = _best_cut(distances[np.ix_(first, first)])
    for label in np.unique(labels):
        members = np.flatnonzero(labels == label)
        if len(members) > 1 and silhouettes[members].mean() < COHESION:
            labels[members] = labels.max() + 1 + np.arange(len(members))
    return labels[np.unique(copies, return_inverse=True)[1]]


def _copies(distances: Matrix) -> Rows:
    """The first trial that each is a copy of, itself where there is none before it."""
    return np.asarray(np.argmax(distances < CLONE, axis=1))


def _best_cut(distances: Matrix) -> tuple[Rows, Vector]:
    """The cut with the highest mean silhouette: the cluster and the silhouette of each trial."""
    count = len(distances)
    labels, silhouettes = np.arange(count), np.zeros(count)
    looked_at = _cuts(count)
    best = 0.0
    for clusters, cut, sums in _merged(distances):
        if clusters not in looked_at:
            continue
        found = _silhouettes(cut, sums)
        if found.mean() > best:
            best, labels, silhouettes = float(found.mean()), cut.copy(), found
    return labels, silhouettes


def _cuts(count: int) -> set[int]:
    """Numbers of clusters to look at: all up to 128, then in steps of 2 %; each costs count^2."""
    spread = np.geomspace(min(count, 128), count, num=128).round().astype(int)
    return {*range(1, min(count, 128) + 1), *spread.tolist()}


def _merged(distances: Matrix) -> Iterator[tuple[int, Rows, Matrix]]:
    """Average linkage, one merge after the other.

    Yields:
        The number of clusters; the cluster of each trial, a number below their count; the sum of
        the distances of each trial (row) to each cluster (column), infinite where a number is no
        longer used. Both arrays change with the next merge.
    """
    from scipy.cluster.hierarchy import linkage
    from scipy.spatial.distance import squareform

    count = len(distances)
    if count < 2:
        return
    labels, sums = np.arange(count), distances.copy()
    columns = list(range(count))
    for merge, (one, other) in enumerate(
        linkage(squareform(distances, checks=False), "average")[:, :2].astype(int), start=1
    ):
        kept, gone = columns[one], columns[other]
        columns.append(kept)
        labels[labels == gone] = kept
        sums[:, kept] += sums[:, gone]
        sums[:, gone] = np.inf
        yield count - merge, labels, sums


def _silhouettes(labels: Rows, sums: Matrix) -> Vector:
    """(b - a) / max(a, b) of each trial, 0 of one alone; b is at most that to an unrelated one."""
    rows = np.arange(len(labels))
    sizes = np.bincount(labels, minlength=len(labels))
    alone = sizes[labels] == 1
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[rows, labels] = np.inf
    nearest = np.minimum(means.min(axis=1), UNRELATED)
    return np.where(alone, 0.0, (nearest - own) / np.maximum(np.maximum(nearest, own), CLONE))


def _in_order(labels: Rows) -> Rows:
    """The same clusters, numbered from 0 as they appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
