"""Distribution of a book's returns: moments, tail losses, outliers against a normal one."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector

CONSTANT_TOLERANCE = 1e-12
"""Returns that differ by less than this fraction of their size are constant."""


@dataclass(frozen=True)
class TailLoss:
    """Historical value at risk and expected shortfall at one level.

    Attributes:
        level: Share of the bars in the tail, such as 0.05.
        bars: Bars in the tail, ceil(level x n).
        value_at_risk: Highest return in the tail: `bars` returns are at or below it.
        expected_shortfall: Mean return in the tail.
    """

    level: float
    bars: int
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True)
class DistributionStatistics:
    """Statistics of the simple returns of a bar; fractions, losses below 0.

    Attributes:
        bars: n.
        zero_return_bars: Bars whose return is exactly 0, such as those without a position.
        mean: Arithmetic mean.
        standard_deviation: Sample standard deviation (ddof 1); 0 for constant returns.
        skewness: m3 / m2^1.5 with central moments that divide by n; None for constant returns.
        excess_kurtosis: m4 / m2^2 - 3, 0 for a normal distribution; None for constant
            returns.
        worst: The lowest return.
        worst_row: Its row, the first one among ties.
        best: The highest return.
        best_row: Its row, the first one among ties.
        tail_losses: At 5 % and at 1 %.
        tail_ratio: 95 % quantile over the absolute 5 % quantile (linear interpolation); above 1
            where the upper tail is longer. None where the lower quantile is 0.
        lower_outliers: Bars more than 3 standard deviations below the mean.
        expected_lower_outliers: Their expected number under a normal distribution, n x Phi(-3).
        lower_outliers_p_value: Binomial probability of at least `lower_outliers` of them in n
            independent normal bars; small where the lower tail is heavier than a normal one.
    """

    bars: int
    zero_return_bars: int
    mean: float
    standard_deviation: float
    skewness: float | None
    excess_kurtosis: float | None
    worst: float
    worst_row: int
    best: float
    best_row: int
    tail_losses: tuple[TailLoss, ...]
    tail_ratio: float | None
    lower_outliers: int
    expected_lower_outliers: float
    lower_outliers_p_value: float


TAIL_LEVELS = (0.05, 0.01)
OUTLIER_DEVIATIONS = 3.0


def distribution_statistics(returns: Vector) -> DistributionStatistics | None:
    """Computes the statistics of `DistributionStatistics` from the empirical distribution.

    Args:
        returns: Net simple returns, shape (n,), no NaN.

    Returns:
        None below two bars.

    Source: Acerbi & Tasche (2002), On the coherence of expected shortfall, J. of Banking &
    Finance 26(7), for expected shortfall as the mean of the tail; tail ratio as in empyrical.
    """
    from scipy.special import bdtrc

    count = len(returns)
    if count < 2:
        return None
    varies = bool(np.ptp(returns) > CONSTANT_TOLERANCE * np.abs(returns).max())
    mean = float(returns.mean())
    deviation = float(returns.std(ddof=1)) if varies else 0.0
    centred = returns - mean
    second = float(np.mean(centred**2))
    outliers = int((centred < -OUTLIER_DEVIATIONS * deviation).sum()) if varies else 0
    tail_probability = NormalDist().cdf(-OUTLIER_DEVIATIONS)
    low, high = np.quantile(returns, [0.05, 0.95]).tolist()
    return DistributionStatistics(
        bars=count,
        zero_return_bars=int((returns == 0).sum()),
        mean=mean,
        standard_deviation=deviation,
        skewness=float(np.mean(centred**3) / second**1.5) if varies else None,
        excess_kurtosis=float(np.mean(centred**4) / second**2 - 3.0) if varies else None,
        worst=float(returns.min()),
        worst_row=int(returns.argmin()),
        best=float(returns.max()),
        best_row=int(returns.argmax()),
        tail_losses=tuple(tail_loss(returns, level) for level in TAIL_LEVELS),
        tail_ratio=high / abs(low) if low != 0 else None,
        lower_outliers=outliers,
        expected_lower_outliers=count * tail_probability,
        lower_outliers_p_value=float(bdtrc(outliers - 1, count, tail_probability))
        if outliers
        else 1.0,
    )


def tail_loss(returns: Vector, level: float) -> TailLoss:
    """Historical value at risk and expected shortfall of the lowest share `level` of the returns.

    Args:
        returns: Shape (n,), at least one, no NaN.
        level: Above 0, at most 1.
    """
    # Subtract a tolerance before rounding up: 0.05 x 20 may exceed 1 by a rounding error.
    count = max(1, int(np.ceil(level * len(returns) - 1e-9)))
    worst = np.sort(returns)[:count]
    return TailLoss(level, count, float(worst[-1]), float(worst.mean()))
