"""Permutation importance out of sample: what a feature adds to forecast times outcome."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import hac_mean_test

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.interpretation.cell_groups import CellGroup
    from engine.interpretation.sequences import ForecastFunction, Sequences


def permutation_changes(
    forecast: ForecastFunction,
    rows: Sequences,
    groups: Sequence[CellGroup],
    *,
    permutations: int,
    block: int,
    rng: np.random.Generator,
) -> Matrix:
    """(n, g) each forecast, minus the mean forecast with the cells of a group from other rows.

    The rows that the cells are taken from are of the same test part and follow each other in
    blocks, so that a feature keeps its dependence over time; all other cells stay.

    Args:
        forecast: From sequences to (n,) forecasts.
        rows: Rows in time order.
        groups: Groups of cells, each permuted alone.
        permutations: Permutations that are averaged.
        block: Rows that stay together.
        rng: Draws the permutations.

    Source: Breiman (2001), Machine Learning 45; blocks as in Kuensch (1989), Annals of
    Statistics 17.
    """
    own = forecast(rows)
    changes = np.zeros((len(rows), len(groups)))
    for place, group in enumerate(groups):
        for _ in range(permutations):
            others = rows.take(permute_blocks(len(rows), block, rng))
            changes[:, place] += own - forecast(rows.mixed(others, group.cells))
    return changes / permutations


@dataclass(frozen=True)
class AddedCorrelation:
    """What a group of inputs adds to the correlation of forecast and outcome.

    Attributes:
        estimate: Mean of change x outcome, over both standard deviations; 0 for noise.
        low: Lower end of the interval; None where the change does not vary.
        high: Upper end.
        p_value: One-sided, of no gain; None likewise.
    """

    estimate: float
    low: float | None
    high: float | None
    p_value: float | None


def added_correlation(
    changes: Vector,
    forecasts: Vector,
    outcomes: Vector,
    stamps: npt.NDArray[np.datetime64],
    confidence: float,
) -> AddedCorrelation:
    """Tests whether a group's part of the forecast goes with the outcome.

    Where the outcomes are noise the mean is 0 whatever the model does with the group. A rise of
    the squared error has not this property: two inputs that cancel each other inflate the error
    when one is permuted. The standard error is HAC, over the bars: the symbols of a bar are one
    value.

    Args:
        changes: (n,) as `permutation_changes` has them, in time order.
        forecasts: (n,) forecasts, which vary.
        outcomes: (n,) realised returns, which vary; no NaN.
        stamps: (n,) of the rows, ascending; several symbols share one.
        confidence: Level of the interval.
    """
    products = changes * (outcomes - outcomes.mean())
    _, starts = np.unique(stamps, return_index=True)
    by_bar = np.add.reduceat(products, starts) * len(starts) / len(products)
    estimate = float(by_bar.mean()) / float(forecasts.std() * outcomes.std())
    statistic, _ = hac_mean_test(by_bar)
    if statistic is None or statistic == 0:
        return AddedCorrelation(estimate, None, None, None)
    error = abs(estimate / statistic)
    reach = NormalDist().inv_cdf((1 + confidence) / 2) * error
    return AddedCorrelation(
        estimate, estimate - reach, estimate + reach, NormalDist().cdf(-statistic)
    )


def permute_blocks(count: int, block: int, rng: np.random.Generator) -> IntVector:
    """(count,) the rows in blocks of a random order, from a random first row of a circle."""
    start = int(rng.integers(count))
    blocks = [np.arange(edge, min(edge + block, count)) for edge in range(0, count, block)]
    shuffled = np.concatenate([blocks[place] for place in rng.permutation(len(blocks))])
    permuted: IntVector = (shuffled + start) % count
    return permuted
