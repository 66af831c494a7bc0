"""Trials whose returns go together: which of them are one and the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector

MIN_COMMON_BARS = 30
"""Common bars below which two trials are taken for independent, as nothing tells otherwise."""

UNCORRELATED_DISTANCE = float(np.sqrt(0.5))
"""Distance of two trials without correlation."""

MIN_SILHOUETTE = 0.8
"""Mean silhouette from which a cluster is one trial: its members lie at most a fifth as far from
each other as from the nearest others; among unrelated ones rho > 0.96. Kaufman & Rousseeuw (1990)
call 0.71 a strong structure, but the best of many trials on one market, rho = 0.9, is still far
better than any one of them: see the tests of this on noise."""

DUPLICATE_DISTANCE = 1e-6
"""Distance below which two trials are the same one: rounding apart, their returns are equal."""


def cluster_trials(returns: Matrix) -> IntVector:
    """Which trials are one and the same: clusters of correlated returns.

    1. The distance of two trials is d = sqrt((1 - rho) / 2), rho their correlation over the bars
       that both have: 0 of a trial and its copy, sqrt(1/2) of unrelated ones.
    2. Copies are joined: how often one trial stands there shall not weigh.
    3. Average linkage makes a tree of clusters, from every trial alone to all in one.
    4. Each cut through it is looked at. The silhouette of a trial is (b - a) / max(a, b), a its
       mean distance to its own cluster and b that to the nearest other one; an unrelated trial
       counts as one of the others throughout, so that all in one cluster, which has no other, has
       a silhouette too. A cluster whose mean is below `MIN_SILHOUETTE` is none: its trials stand
       alone, and a trial alone has 0. It is better to count a trial too many than to call luck
       skill.
    5. The cut with the highest mean silhouette is taken.

    Args:
        returns: A row a bar, a column a trial; NaN where a trial has no bar. Trials with fewer
            than `MIN_COMMON_BARS` in common are taken for unrelated. Those whose returns never
            vary
            are one trial together: all do the same nothing.

    Returns:
        A number a trial, the same for trials of one cluster, from 0 in order of appearance.

    Source: Lopez de Prado & Lewis (2019), Detection of false investment strategies using
    unsupervised learning methods, Quantitative Finance 19(9): distance, silhouettes, clusters as
    trials; there by k-means, which knows neither one cluster nor trials alone. Rousseeuw (1987),
    Silhouettes, J. of Computational and Applied Mathematics 20.
    """
    count = returns.shape[1]
    moving = has_variance(returns)
    labels = count + np.arange(count)
    labels[moving] = _cluster_distances(correlation_distances(returns[:, moving]))
    labels[~moving & (np.isfinite(returns).sum(axis=0) >= MIN_COMMON_BARS)] = 2 * count
    return _relabel_in_order(labels)


def has_variance(returns: Matrix) -> npt.NDArray[np.bool_]:
    """Whether a trial's returns differ by more than rounding, on the bars that it has."""
    low = np.where(np.isnan(returns), np.inf, returns).min(axis=0, initial=np.inf)
    high = np.where(np.isnan(returns), -np.inf, returns).max(axis=0, initial=-np.inf)
    return np.asarray(high - low > 1e-12 * np.maximum(np.abs(low), np.abs(high)))


def correlation_distances(returns: Matrix) -> Matrix:
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
    known = (
        (bars >= MIN_COMMON_BARS) & np.isfinite(rho) & (variance > 1e-12) & (variance.T > 1e-12)
    )
    apart = np.sqrt((1.0 - np.clip(np.where(known, rho, 0.0), -1.0, 1.0)) / 2.0)
    np.fill_diagonal(apart, 0.0)
    return apart


def _cluster_distances(distances: Matrix) -> IntVector:
    """Steps 2 to 5 of `cluster_trials`."""
    if len(distances) < 2:
        return np.zeros(len(distances), dtype=np.int64)
    copies = _first_duplicates(distances)
    _, first = np.unique(copies, return_index=True)
    labels = _best_cut(distances[np.ix_(first, first)])
    return labels[np.unique(copies, return_inverse=True)[1]]


def _first_duplicates(distances: Matrix) -> IntVector:
    """The first trial that each is a copy of, itself where there is none before it."""
    return np.asarray(np.argmax(distances < DUPLICATE_DISTANCE, axis=1))


def _best_cut(distances: Matrix) -> IntVector:
    """The clusters of the cut with the highest mean silhouette; what is in none stands alone."""
    count = len(distances)
    labels, best = np.arange(count), 0.0
    looked_at = _cluster_counts_to_try(count)
    for clusters, cut, sums in _average_linkage(distances):
        if clusters not in looked_at:
            continue
        silhouettes = _silhouettes(cut, sums)
        held = _in_cohesive_cluster(cut, silhouettes)
        mean = float(silhouettes[held].sum()) / count
        if mean > best:
            best, labels = mean, np.where(held, cut, count + np.arange(count))
    return labels


def _in_cohesive_cluster(labels: IntVector, silhouettes: Vector) -> npt.NDArray[np.bool_]:
    """Whether the mean silhouette of a trial's cluster is at least `MIN_SILHOUETTE`."""
    sizes = np.maximum(np.bincount(labels), 1)
    return np.asarray((np.bincount(labels, silhouettes) / sizes >= MIN_SILHOUETTE)[labels])


def _cluster_counts_to_try(count: int) -> set[int]:
    """Numbers of clusters to look at: all up to 128, then in steps of 2 %; each costs count^2."""
    spread = np.geomspace(min(count, 128), count, num=128).round().astype(int)
    return {*range(1, min(count, 128) + 1), *spread.tolist()}


def _average_linkage(distances: Matrix) -> Iterator[tuple[int, IntVector, Matrix]]:
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


def _silhouettes(labels: IntVector, sums: Matrix) -> Vector:
    """(b - a) / max(a, b) of each trial, 0 of one alone; b is at most that to an unrelated one."""
    rows = np.arange(len(labels))
    sizes = np.bincount(labels, minlength=len(labels))
    alone = sizes[labels] == 1
    own = sums[rows, labels] / np.maximum(sizes[labels] - 1, 1)
    means = sums / np.maximum(sizes, 1)
    means[rows, labels] = np.inf
    nearest = np.minimum(means.min(axis=1), UNCORRELATED_DISTANCE)
    return np.where(
        alone, 0.0, (nearest - own) / np.maximum(np.maximum(nearest, own), DUPLICATE_DISTANCE)
    )


def _relabel_in_order(labels: IntVector) -> IntVector:
    """The same clusters, numbered from 0 as they appear."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse]
