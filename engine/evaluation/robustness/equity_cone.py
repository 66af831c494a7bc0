"""Where the equity of a new account should lie if its bars are like those of the backtest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.robustness.path_risk import (
    MAX_HORIZON_RATIO,
    MIN_PATH_BARS,
    RESAMPLES,
    resample_paths,
)

if TYPE_CHECKING:
    from engine.core.types import Vector

MAX_CONE_HORIZONS = 120
"""Lengths at which quantiles are taken; between them they are interpolated."""

LOW, MEDIAN, HIGH = 0.05, 0.5, 0.95


@dataclass(frozen=True)
class EquityCone:
    """Quantiles of the growth of 1 at each bar after the start, over resampled paths.

    Attributes:
        low: 5 % quantile, shape (m + 1,); the first is 1, at the start.
        median: Median.
        high: 95 % quantile.
        resamples: Number of paths.
        block_length_bars: Mean length of a block.
        run_bars: Bars of the backtest that were drawn from.
    """

    low: Vector
    median: Vector
    high: Vector
    resamples: int
    block_length_bars: float
    run_bars: int


def equity_cone(
    returns: Vector, bars: int, rng: np.random.Generator, *, resamples: int = RESAMPLES
) -> EquityCone | None:
    """The band that holds 90 % of the equities of new accounts at each bar, each bar by itself.

    The paths are those of `simulate_path_risk`: blocks of the backtest's net returns by the
    stationary bootstrap, with their mean as observed. A whole path stays inside at every bar less
    often than in 90 % of cases.

    Args:
        returns: Net return of each bar of the backtest, shape (n,); no NaN.
        bars: Number of bars after the start, at least 1; at most `MAX_HORIZON_RATIO` n are used,
            because a longer path repeats the same few bars.
        rng: Its seed determines all draws; its state is unchanged.
        resamples: Number of paths.

    Returns:
        None below `MIN_PATH_BARS` returns, or where they do not vary.

    Source: Politis & Romano (1994), The Stationary Bootstrap, JASA 89.
    """
    if len(returns) < MIN_PATH_BARS or np.ptp(returns) == 0.0:
        return None
    longest = min(bars, int(MAX_HORIZON_RATIO * len(returns)))
    horizons = np.unique(np.linspace(1, longest, min(longest, MAX_CONE_HORIZONS)).round())
    lengths = [int(horizon) for horizon in horizons]
    paths = resample_paths(returns[:, np.newaxis], lengths, rng, resamples)
    growth = np.array([1.0 + paths.by_horizon[length][0, 2] for length in lengths])
    quantiles = np.quantile(growth, (LOW, MEDIAN, HIGH), axis=1)
    known, every = np.concatenate(([0.0], horizons)), np.arange(longest + 1.0)
    low, median, high = (
        np.interp(every, known, np.concatenate(([1.0], line))) for line in quantiles
    )
    return EquityCone(low, median, high, resamples, paths.block_length_bars, len(returns))
