"""Clusters of trials with correlated returns; a cluster counts as one trial."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector

MIN_COMMON_BARS = 30
"""With fewer common bars two trials count as uncorrelated."""

UNCORRELATED_DISTANCE = float(np.sqrt(0.5))
"""Distance of two uncorrelated trials."""

MIN_SILHOUETTE = 0.8
"""Mean silhouette from which a cluster counts as one trial: the mean distance within it is at most
one fifth of that to the nearest other cluster; next to uncorrelated trials this is rho > 0.96.
Kaufman & Rousseeuw (1990) call 0.71 a strong structure, but the maximum of many trials on one
market with rho = 0.9 is still far above a single one: see the tests on noise."""

DUPLICATE_DISTANCE = 1e-6
"""Two trials closer than this are copies: equal returns, but for scale and rounding."""


def cluster_trials(returns: Matrix) -> IntVector:
    """Clusters trials by the correlation of their returns.

    1. The distance of two trials is d = sqrt((1 - rho) / 2), rho their correlation over common
       bars: 0 for copies, sqrt(1/2) for uncorrelated trials.
    2. Copies are merged first, so that the number of copies has no weight.
    3. Average linkage builds a tree of clusters, from single trials to one cluster of all.
    4. Every cut of the tree is scored. The silhouette of a trial is (b - a) / max(a, b), a its
       mean distance to its own cluster and b that to the nearest other one. An uncorrelated trial
       always counts as another cluster, so that a single cluster of all trials has a silhouette
       too. A cluster with a mean silhouette below `MIN_SILHOUETTE` is dissolved: its trials count
       as single ones, with silhouette 0. This errs towards counting too many trials.
    5. The cut with the highest mean silhouette is used.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar. Trials with fewer
            than `MIN_COMMON_BARS` in common count as uncorrelated. Trials with constant returns
            form one cluster.

    Returns:
        Cluster of each trial, numbered from 0 in order of appearance.

    Source: Lopez de Prado & Lewis (2019), Detection of false investment strategies using
    unsupervised learning methods, Quantitative Finance 19(9): distance, silhouettes, clusters as
    trials; there by k-means, which allows neither one cluster nor single trials. Rousseeuw (1987),
    Silhouettes, J. of Computational and Applied Mathematics 20.
    """
    count = returns.shape[1]
    varies = has_variance(returns)
    labels = count + np.arange(count)
    labels[varies] = _cluster_distances(correlation_distances(returns[:, varies]))
    labels[~varies & (np.isfinite(returns).sum(axis=0) >= MIN_COMMON_BARS)] = 2 * count
    return _relabel_in_order(labels)


def has_variance(returns: Matrix) -> npt.NDArray[np.bool_]:
    """Whether each trial's returns differ by more than rounding, on the bars that it has."""
    low = np.where(np.isnan(returns), np.inf, returns).min(axis=0, initial=np.inf)
    high = np.where(np.isnan(returns), -np.inf, returns).max(axis=0, initial=-np.inf)
    return np.asarray(high - low > 1e-12 * np.maximum(np.abs(low), np.abs(high)))


def correlation_distances(returns: Matrix) -> Matrix:
    """Correlation distance sqrt((1 - rho) / 2) of every pair of trials, over common bars."""
    present = np.isfinite(returns).astype(np.float64)
    deviation = np.nanstd(returns, axis=0)
    scaled = np.where(present > 0, (returns - np.nanmean(returns, axis=0)) / deviation, 0.0)
    bars = present.T @ present
    with np.errstate(invalid="ignore", divide="ignore"):
        mean = (scaled.T @ present) / bars  # [i, j]: of i, over the bars that j has too
        variance = (scaled**2).T @ present / bars - mean**2
        rho = (scaled.T @ scaled / bars - mean * mean.T) / np.sqrt(variance * variance.T)
    # A trial that is constant on the common bars has no correlation either.
    known = (
        (bars >= MIN_COMMON_BARS) & np.isfinite(rho) & (variance > 1e-12) & (variance.T > 1e-12)
    )
    distances = np.sqrt((1.0 - np.clip(np.where(known, rho, 0.0), -1.0, 1.0)) / 2.0)
    np.fill_diagonal(distances, 0.0)
    return distances


def _cluster_distances(distances: Matrix) -> IntVector:
    """Steps 2 to 5 of `cluster_trials`."""
    if len(distances) < 2:
        return np.zeros(len(distances), dtype=np.int64)
    copies = _first_duplicates(distances)
    _, first = np.unique(copies, return_index=True)
    labels = best_cut(distances[np.ix_(first, first)])
    return labels[np.unique(copies, return_inverse=True)[1]]


def _first_duplicates(distances: Matrix) -> IntVector:
    """The first trial that each one is a copy of, itself included."""
    return np.asarray(np.argmax(distances < DUPLICATE_DISTANCE, axis=1))


def best_cut(distances: Matrix) -> IntVector:
    """Clusters of the cut with the highest mean silhouette; the other trials are single."""
    count = len(distances)
    labels, best = np.arange(count), 0.0
    counts = _cluster_counts_to_try(count)
    for clusters, cut, sums in _average_linkage(distances):
        if clusters not in counts:
            continue
        scores = trial_silhouettes(cut, sums)
        kept = _in_cohesive_cluster(cut, scores)
        mean = float(scores[kept].sum()) / count
        if mean > best:
            best, labels = mean, np.where(kept, cut, count + np.arange(count))
    return labels


def _in_cohesive_cluster(labels: IntVector, silhouettes: Vector) -> npt.NDArray[np.bool_]:
    """Whether the mean silhouette of a trial's cluster is at least `MIN_SILHOUETTE`."""
    sizes = np.maximum(np.bincount(labels), 1)
    return np.asarray((np.bincount(labels, silhouettes) / sizes >= MIN_SILHOUETTE)[labels])


def _cluster_counts_to_try(count: int) -> set[int]:
    """Numbers of clusters to score: all up to 128, then in steps of 2 %; each costs count^2."""
    steps = np.geomspace(min(count, 128), count, num=128).round().astype(int)
    return {*range(1, min(count, 128) + 1), *steps.tolist()}


def _average_linkage(distances: Matrix) -> Iterator[tuple[int, IntVector, Matrix]]:
    """Average linkage, one merge at a time.

    Yields:
        The number of clusters; the cluster of each trial; the sum of the distances of each trial
        (row) to each cluster (column), infinite for unused cluster numbers. Both arrays are
        modified by the next merge.
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
        kept, merged = columns[one], columns[other]
        columns.append(kept)
        labels[labels == merged] = kept
        sums[:, kept] += sums[:, merged]
        sums[:, merged] = np.inf
        yield count - merge, labels, sums


def trial_silhouettes(labels: IntVector, sums: Matrix) -> Vector:
    """Silhouette of each trial, 0 for a single one; b is at most `UNCORRELATED_DISTANCE`.

    The denominator is at least `DUPLICATE_DISTANCE`, as smaller distances are rounding errors.
    """
    rows = np.arange(len(labels))
    sizes = np.bincount(labels, minlength=len(labels))
    single = sizes[labels] == 1
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[rows, labels] = np.inf
    nearest = np.minimum(means.min(axis=1), UNCORRELATED_DISTANCE)
    return np.where(
        single, 0.0, (nearest - own) / np.maximum(np.maximum(nearest, own), DUPLICATE_DISTANCE)
    )


def _relabel_in_order(labels: IntVector) -> IntVector:
    """The same clusters, numbered from 0 in order of appearance."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
