"""How often the best configuration of one half of the bars is a poor one in the other."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import UsageError
from engine.evaluation.inference.hac import MIN_BARS

if TYPE_CHECKING:
    from engine.core.types import IntVector, Matrix, Vector

_CONSTANT_TOLERANCE = 1e-12
"""A variance below this part of the mean square is rounding."""


@dataclass(frozen=True)
class BacktestOverfitting:
    """What choosing the best of several configurations is worth.

    Attributes:
        probability: Share of the splits in which the one chosen in sample is below the median out
            of sample; just at the median counts half.
        median_logit: Median over the splits of ln(w / (1 - w)), w the chosen one's relative rank
            out of sample; above 0 it tends to be one of the better ones.
        loss_probability: Share of the splits in which its Sharpe ratio out of sample is below 0.
        splits: Ways to choose half of the blocks.
        blocks: Parts that the bars were cut into.
        configurations: How many there were to choose from.
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

    1. Cut the bars into `blocks` equal parts, the first n mod blocks bars left out.
    2. For each choice of half of the parts, the configuration with the highest Sharpe ratio in
       them is chosen, and ranked by Sharpe ratio in the other half: w = rank / (N + 1), 1 for
       the worst; equals share a rank. The logit is ln(w / (1 - w)).
    3. The probability is the share of logits below 0, a logit of 0 counting half (so that three
       configurations of noise have 1/2, not 2/3).

    Configurations that are no better than each other have about 1/2 or a little more (what was
    luck in one half is missing in the other), one truly better than all others about 0. A Sharpe
    ratio of returns that do not vary counts as 0.

    Args:
        returns: Rows are bars, columns configurations, shape (n, N); no NaN.
        blocks: Even, at least 2; 16 make 12,870 splits.

    Returns:
        None with fewer than 2 configurations, or fewer than 30 bars in each half.

    Raises:
        UsageError: An odd number of blocks, or none.

    Source: Bailey, Borwein, Lopez de Prado & Zhu (2015), The Probability of Backtest Overfitting,
    J. of Computational Finance 20(4), section 2.2.
    """
    if blocks < 2 or blocks % 2:
        raise UsageError(
            "The bars cannot be split into two equal halves of blocks",
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
    inside = _half_splits(blocks)
    bars = length * blocks // 2
    chosen = _sharpe_from_sums(inside @ sums, inside @ squares, bars).argmax(axis=1)
    outside = _sharpe_from_sums((1 - inside) @ sums, (1 - inside) @ squares, bars)
    rank = _rank_of_chosen(outside, chosen) / (configurations + 1)
    logits = np.log(rank / (1 - rank))
    reached = outside[np.arange(len(chosen)), chosen]
    return BacktestOverfitting(
        probability=float(np.mean(logits < 0) + np.mean(logits == 0) / 2),
        median_logit=float(np.median(logits)),
        loss_probability=float(np.mean(reached < 0)),
        splits=len(inside),
        blocks=blocks,
        configurations=configurations,
    )


def _half_splits(blocks: int) -> Matrix:
    """Every choice of half of the blocks, 1 where chosen, shape (splits, blocks)."""
    chosen = np.array(list(combinations(range(blocks), blocks // 2)))
    halves = np.zeros((len(chosen), blocks))
    np.put_along_axis(halves, chosen, 1.0, axis=1)
    return halves


def _sharpe_from_sums(sums: Matrix, squares: Matrix, bars: int) -> Matrix:
    """Sharpe ratio of a bar from sums of r and of r^2; 0 where r does not vary.

    Rounded, so that equal configurations stay equal whatever order their sums were taken in.
    """
    mean, square = sums / bars, squares / bars
    variance = square - mean**2
    varies = variance > _CONSTANT_TOLERANCE * square
    return np.round(np.where(varies, mean, 0.0) / np.sqrt(np.where(varies, variance, 1.0)), 12)


def _rank_of_chosen(values: Matrix, chosen: IntVector) -> Vector:
    """Rank of the chosen column in each row, 1 for the lowest; equals share theirs."""
    reached = np.take_along_axis(values, chosen[:, None], axis=1)
    below, equal = (values < reached).sum(axis=1), (values == reached).sum(axis=1)
    return np.asarray(below + (equal + 1) / 2)
