"""Probability of backtest overfitting (PBO) by combinatorially symmetric cross-validation."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.evaluation.inference.hac import MIN_BARS

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector

_CONSTANT_TOLERANCE = 1e-12
"""A variance below this fraction of the mean square is a rounding error."""

_HALVES_AT_A_TIME = 256
"""Halves whose sums are in the processor's cache together."""


@dataclass(frozen=True)
class BacktestOverfitting:
    """Overfitting from selecting the best of several configurations.

    Attributes:
        probability: Share of the splits in which the configuration selected in sample is below the
            median out of sample; exactly at the median counts half.
        median_logit: Median over the splits of ln(w / (1 - w)), w the relative rank of the
            selected one out of sample; above 0 it tends to be one of the better ones.
        loss_probability: Share of the splits in which its Sharpe ratio out of sample is below 0.
        splits: Number of splits.
        blocks: Number of blocks of bars.
        configurations: Number of configurations.
    """

    probability: float
    median_logit: float
    loss_probability: float
    splits: int
    blocks: int
    configurations: int


def probability_of_backtest_overfitting(
    returns: Matrix, blocks: int = 16
) -> BacktestOverfitting | None:
    """Probability of backtest overfitting, by combinatorially symmetric cross-validation.

    1. The bars are divided into `blocks` equal blocks; the first n mod blocks bars are left out.
    2. For each choice of half of the blocks, the configuration with the highest Sharpe ratio in
       them is selected and ranked by Sharpe ratio in the other half: w = rank / (N + 1), rank 1
       for the worst; ties share a rank. The logit is ln(w / (1 - w)).
    3. The probability is the share of logits below 0, a logit of 0 counting half (so that three
       configurations of noise have 1/2, not 2/3).

    Equally good configurations have about 1/2 or a little more (a chance gain in one half is
    missing in the other); one that is truly better than all others has about 0. The Sharpe ratio
    of constant returns counts as 0.

    Args:
        returns: Rows are bars, columns configurations, shape (n, N); no NaN.
        blocks: Even, at least 2; 16 make 12,870 splits.

    Returns:
        None with fewer than 2 configurations, or fewer than 30 bars in each half.

    Raises:
        UsageError: The number of blocks is odd or below 2.

    Source: Bailey, Borwein, Lopez de Prado & Zhu (2015), The Probability of Backtest Overfitting,
    J. of Computational Finance 20(4), section 2.2.
    """
    if blocks < 2 or blocks % 2:
        raise UsageError(
            "The blocks cannot be divided into two equal halves",
            expected="an even number of blocks, at least 2",
            found=f"{blocks}",
            where="blocks",
            fix="use 16",
        )
    length = len(returns) // blocks
    configurations = returns.shape[1]
    if configurations < 2 or length * blocks < 2 * MIN_BARS:
        return None
    parts = returns[len(returns) - length * blocks :].reshape(blocks, length, configurations)
    sums, squares = parts.sum(axis=1), (parts**2).sum(axis=1)
    halves = _half_splits(blocks)
    ratios = _sharpes_of_halves(halves, sums, squares, length * blocks // 2)
    # The last half is what the first one leaves, the second to last what the second leaves, ..
    selected, outside = ratios.argmax(axis=1), ratios[::-1]
    rank = _rank_of_selected(outside, selected) / (configurations + 1)
    logits = np.log(rank / (1 - rank))
    out_of_sample = outside[np.arange(len(selected)), selected]
    return BacktestOverfitting(
        probability=float(np.mean(logits < 0) + np.mean(logits == 0) / 2),
        median_logit=float(np.median(logits)),
        loss_probability=float(np.mean(out_of_sample < 0)),
        splits=len(halves),
        blocks=blocks,
        configurations=configurations,
    )


@cache
def _half_splits(blocks: int) -> Matrix:
    """Every selection of half of the blocks, 1 where selected, shape (splits, blocks).

    In lexicographic order, in which the complement of row i is row -1 - i.
    """
    selected = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(selected), blocks))
    np.put_along_axis(halves, selected, 1.0, axis=1)
    return halves


def _sharpes_of_halves(halves: Matrix, sums: Matrix, squares: Matrix, bars: int) -> Matrix:
    """Sharpe ratio of each configuration in each half, shape (splits, configurations)."""
    ratios = np.empty((len(halves), sums.shape[1]))
    for start in range(0, len(halves), _HALVES_AT_A_TIME):
        rows = slice(start, start + _HALVES_AT_A_TIME)
        ratios[rows] = _sharpe_from_sums(halves[rows] @ sums, halves[rows] @ squares, bars)
    return ratios


def _sharpe_from_sums(sums: Matrix, squares: Matrix, bars: int) -> Matrix:
    """Sharpe ratio per bar from sums of r and of r^2; 0 where r is constant.

    Rounded, so that equal configurations stay equal whatever the order of summation.
    """
    mean, square = sums / bars, squares / bars
    variance = square - mean**2
    varies = variance > _CONSTANT_TOLERANCE * square
    return np.round(np.where(varies, mean, 0.0) / np.sqrt(np.where(varies, variance, 1.0)), 12)


def _rank_of_selected(values: Matrix, selected: IntVector) -> Vector:
    """Rank of the selected column in each row, 1 for the lowest; ties get their mean rank."""
    own = np.take_along_axis(values, selected[:, None], axis=1)
    below, equal = (values < own).sum(axis=1), (values == own).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2)
