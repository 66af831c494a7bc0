"""Returns by size: bins, tails, and what a normal distribution would have there."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import IntVector, Vector

MIN_BINS = 12
MAX_BINS = 80
MAX_RANKS_IN_FULL = 60
MAX_TAIL_POINTS = 120
CURVE_POINTS = 201


def bin_edges(values: Vector) -> Vector:
    """Edges of equal bins over all values, one of them at 0.

    The width is Freedman and Diaconis', 2 x interquartile range / n^(1/3), between 12 and 80 bins.

    Args:
        values: Shape (n,).

    Returns:
        Shape (bins + 1,), ascending.

    Source: Freedman & Diaconis (1981), On the histogram as a density estimator.
    """
    if not len(values) or np.ptp(values) == 0:
        centre = float(values[0]) if len(values) else 0.0
        return np.linspace(min(0.0, centre) - 1.0, max(0.0, centre) + 1.0, MIN_BINS + 1)
    spread = float(np.subtract(*np.quantile(values, [0.75, 0.25])))
    length = float(np.ptp(values))
    wanted = 2.0 * spread / len(values) ** (1 / 3)
    width = min(max(wanted, length / MAX_BINS), length / MIN_BINS)
    first, last = np.floor(values.min() / width), np.floor(values.max() / width) + 1
    edges: Vector = np.arange(first, last + 1) * width
    return edges


def exceedance_curve(sizes: Vector) -> tuple[Vector, IntVector]:
    """Sizes above 0 and how many of all are at least as large, the largest first.

    Args:
        sizes: Shape (n,), losses above 0 or gains above 0.

    Returns:
        Shapes (m,): sizes and ranks; every rank of the largest 60, of the others as many as are
        distinguished on a log axis.
    """
    ordered = np.sort(sizes[sizes > 0])[::-1]
    ranks = np.arange(1, len(ordered) + 1)
    if len(ordered) > MAX_RANKS_IN_FULL:
        rare = np.geomspace(MAX_RANKS_IN_FULL, len(ordered), MAX_TAIL_POINTS)
        ranks = np.unique(np.concatenate((ranks[:MAX_RANKS_IN_FULL], np.rint(rare).astype(int))))
    return ordered[ranks - 1], ranks


def fit_normal(values: Vector) -> NormalDist | None:
    """The normal distribution of the same mean and standard deviation (ddof 1).

    Returns:
        None without variation.
    """
    spread = float(values.std(ddof=1)) if len(values) > 1 else 0.0
    return NormalDist(float(values.mean()), spread) if spread > 0 else None


def normal_bin_shares(normal: NormalDist, edges: Vector) -> tuple[Vector, Vector]:
    """Share of a normal distribution, in per cent, in a bin around each of 201 values.

    Args:
        normal: The distribution.
        edges: Of equal bins.

    Returns:
        Values from the first to the last edge and the density there times the width of a bin.
    """
    values = np.linspace(edges[0], edges[-1], CURVE_POINTS)
    width = float(edges[1] - edges[0])
    return values, np.array([100.0 * width * normal.pdf(value) for value in values.tolist()])


def normal_tail_shares(normal: NormalDist, largest: float) -> tuple[Vector, Vector]:
    """Share of a normal distribution, in per cent, below each of 201 losses from 0 to `largest`.

    Returns:
        Losses as numbers above 0, and the shares.
    """
    sizes = np.linspace(0.0, largest, CURVE_POINTS)
    return sizes, np.array([100.0 * normal.cdf(-size) for size in sizes.tolist()])
