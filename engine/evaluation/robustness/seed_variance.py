"""Variance of a Sharpe ratio between seeds, and from the sample of bars."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS, long_run_variance
from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector


@dataclass(frozen=True)
class SeedVariance:
    """The two sources of variance of a Sharpe ratio, all figures annualised.

    Attributes:
        count: Number of seeds with a Sharpe ratio.
        sharpe_by_seed: In the order of the columns; None for a seed with constant returns.
        seed_deviation: Standard deviation (ddof 1) between seeds on the same bars.
        seed_deviation_low: Lower end of its interval, by chi-square with count - 1 degrees. With
            few seeds it is wide: with two, 0.45 to 32 times the estimate at 95 %.
        seed_deviation_high: Upper end.
        sampling_deviation: Standard error of the seeds' mean Sharpe ratio from the sample of bars;
            None below 30 bars.
        share: Share of the seeds in the variance of a single seed's Sharpe ratio,
            seed^2 / (seed^2 + sampling^2); None without a sampling deviation.
    """

    count: int
    sharpe_by_seed: tuple[float | None, ...]
    seed_deviation: float
    seed_deviation_low: float
    seed_deviation_high: float
    sampling_deviation: float | None
    share: float | None


def decompose_seed_variance(
    returns: Matrix, periods_per_year: float, confidence: float = 0.95
) -> SeedVariance | None:
    """Decomposes the variance of a Sharpe ratio into that of the seeds and of the sample of bars.

    By the law of total variance, the variance of a single seed's Sharpe ratio S over seeds and
    data is

        E[var(S | data)] + var(E[S | data]).

    The first term is estimated by the variance between seeds on the same bars. The second is the
    long-run variance, over n, of the seeds' mean influence values z - S (z^2 - 1) / 2 with
    z = (r - mean) / deviation: to first order the error of their mean Sharpe ratio is the mean of
    these. An average over s seeds has 1 / s of the first term and all of the second: more seeds do
    not reduce it.

    Args:
        returns: Net returns of a book for each single seed, shape (n bars, s seeds); no NaN.
        periods_per_year: Annualises, as in `return_metrics.sharpe`.
        confidence: Level of the interval of the deviation between seeds, under normality.

    Returns:
        None with fewer than two seeds with a Sharpe ratio.

    Source: Bouthillier et al. (2021), Accounting for Variance in Machine Learning Benchmarks,
    MLSys 3; the influence values Ledoit & Wolf (2008), J. of Empirical Finance 15.
    """
    from scipy.special import chdtri

    by_seed = tuple(sharpe(column, periods_per_year) for column in returns.T)
    ratios = np.array([ratio for ratio in by_seed if ratio is not None])
    count = len(ratios)
    if count < 2:
        return None
    between = float(np.std(ratios, ddof=1)) if np.ptp(ratios) > 0 else 0.0
    tail = (1 - confidence) / 2
    low, high = (
        float(between * np.sqrt((count - 1) / chdtri(count - 1, each)))
        for each in (tail, 1 - tail)
    )
    defined = [ratio is not None for ratio in by_seed]
    sampling = _sampling_deviation(returns[:, defined], periods_per_year)
    share = None if sampling is None else between**2 / (between**2 + sampling**2)
    return SeedVariance(count, by_seed, between, low, high, sampling, share)


def _sampling_deviation(returns: Matrix, periods_per_year: float) -> float | None:
    bars = len(returns)
    if bars < MIN_BARS:
        return None
    standardised = (returns - returns.mean(axis=0)) / returns.std(axis=0)
    ratios = returns.mean(axis=0) / returns.std(axis=0)
    influence: Vector = (standardised - ratios * (standardised**2 - 1) / 2).mean(axis=1)
    return float(np.sqrt(long_run_variance(influence) / bars * periods_per_year))
