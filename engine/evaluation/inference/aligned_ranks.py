"""Friedman's aligned ranks test of several models, and the comparison of each with the best."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.multiple_testing import finner

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Matrix, Vector

TIE_TOLERANCE = 1e-12
"""Aligned scores that differ by less than this fraction of the row's largest one are tied."""


@dataclass(frozen=True)
class AlignedRanksTest:
    """Friedman's aligned ranks test of k models over n data sets.

    Attributes:
        average_ranks: Average aligned rank of each model, in the order of the columns; the best
            one has the lowest. Their mean is (n k + 1) / 2.
        statistic: Chi-square with `degrees` under H0: all models are equal; None if all scores
            are tied, or for a single model.
        p_value: None where there is no statistic.
        degrees: k - 1.
        datasets: n.
    """

    average_ranks: tuple[float, ...]
    statistic: float | None
    p_value: float | None
    degrees: int
    datasets: int


@dataclass(frozen=True)
class ControlComparison:
    """Comparison of one model with the control, the best model.

    Attributes:
        model_index: Column of the model.
        z: (its average aligned rank - that of the control) / standard error; 0 or more.
        p_value: Two-sided, from the normal distribution.
        p_value_finner: Adjusted for the k - 1 comparisons.
    """

    model_index: int
    z: float
    p_value: float
    p_value_finner: float


def friedman_aligned_ranks(
    scores: Matrix, *, higher_is_better: bool = False, tie_tolerance: float = TIE_TOLERANCE
) -> AlignedRanksTest:
    """Tests H0: k models have equal scores over n data sets.

    Each score is aligned by subtracting the mean of its row, and all n k of them are ranked
    together; ties get their mean rank. With R_j the rank total of model j, R_i that of data set i
    and r each rank,

        T = (k - 1) (sum_j R_j^2 - k n^2 (k n + 1)^2 / 4) / (sum r^2 - sum_i R_i^2 / k).

    Without ties sum r^2 is k n (k n + 1) (2 k n + 1) / 6, the form usually printed. Summing the
    actual ranks keeps the mean of T over all permutations within rows at k - 1 with ties too.

    Args:
        scores: Shape (n data sets, k models); no NaN.
        higher_is_better: Whether the highest score gets rank 1; if not, the lowest does.
        tie_tolerance: Largest difference of tied scores, as a fraction of the row's largest
            absolute score. With 0 rounding errors order scores that are mathematically equal, as
            in some published tables.

    Source: Hodges & Lehmann (1962), Rank Methods for Combination of Independent Experiments in
    Analysis of Variance, Annals of Mathematical Statistics 33; in this form Garcia, Fernandez,
    Luengo & Herrera (2010), Information Sciences 180.
    """
    from scipy.special import chdtrc

    datasets, models = scores.shape
    aligned = scores - scores.mean(axis=1, keepdims=True)
    if higher_is_better:
        aligned = -aligned
    tolerance = np.broadcast_to(
        tie_tolerance * np.abs(scores).max(axis=1, keepdims=True), scores.shape
    )
    ranks = _rank_with_ties(aligned.ravel(), tolerance.ravel()).reshape(scores.shape)
    by_model, by_dataset = ranks.sum(axis=0), ranks.sum(axis=1)
    between = np.sum((by_model - datasets * (models * datasets + 1) / 2) ** 2)
    within = np.sum(ranks**2) - np.sum(by_dataset**2) / models
    # Ranks are multiples of one half: a smaller value is a rounding error.
    statistic = float((models - 1) * between / within) if within > 1e-6 else None
    return AlignedRanksTest(
        average_ranks=tuple(float(each) for each in by_model / datasets),
        statistic=statistic,
        p_value=None if statistic is None else float(chdtrc(models - 1, statistic)),
        degrees=models - 1,
        datasets=datasets,
    )


def compare_with_control(
    average_ranks: Sequence[float], datasets: int
) -> tuple[int, list[ControlComparison]]:
    """Compares each model with the control, the one of the lowest average aligned rank.

    z = (average of the model - average of the control) / sqrt(k (n k + 1) / 6): of n k ranks the
    variance is (n k)^2 - 1 over 12, as in a Kruskal-Wallis test. (Garcia et al. print k (n + 1) /
    6, which the tables of Livieris et al. 2021, Electronics 10(3), do not follow either.)

    The test assumes independent ranks within a row, but aligned ranks are not: between equal
    models the standard deviation of z is sqrt(k / (k - 1)) instead of 1. Kept as published: a
    rejection by this test without one by the joint test is weak evidence.

    Args:
        average_ranks: Average aligned rank of each of the k models.
        datasets: n.

    Returns:
        The column of the control (the first of several equally good models) and a comparison for
        each other model, in the order given.

    Source: Garcia, Fernandez, Luengo & Herrera (2010), Information Sciences 180, section 3.
    """
    from scipy.special import ndtr

    ranks = np.asarray(average_ranks, dtype=np.float64)
    models = len(ranks)
    control = int(np.argmin(ranks))
    others = [model for model in range(models) if model != control]
    z = (ranks[others] - ranks[control]) / np.sqrt(models * (datasets * models + 1) / 6)
    p_values = 2 * ndtr(-z)
    adjusted = finner([float(each) for each in p_values])
    return control, [
        ControlComparison(model, float(z[row]), float(p_values[row]), adjusted[row])
        for row, model in enumerate(others)
    ]


def _rank_with_ties(values: Vector, tolerance: Vector) -> Vector:
    """Ranks from 1; adjacent values that differ by at most their tolerance get the mean rank."""
    order = np.argsort(values, kind="stable")
    gaps = np.diff(values[order])
    allowed = np.maximum(tolerance[order][1:], tolerance[order][:-1])
    group = np.concatenate([[0], np.cumsum(gaps > allowed)])
    size = np.bincount(group)
    last = np.cumsum(size)
    ranks = np.empty(len(values))
    ranks[order] = (last - (size - 1) / 2)[group]
    return ranks
