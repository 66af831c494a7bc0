"""The shape of a book's returns: its middle, its tails, and what a normal one would have."""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector

CONSTANT_TOLERANCE = 1e-12
"""Returns that differ by less than this part of their size do not vary."""


@dataclass(frozen=True)
class TailLoss:
    """The worst `bars` of a book, a share `level` of all, rounded up to whole bars.

    Attributes:
        level: Share of the bars, such as 0.05.
        bars: ceil(level x n).
        value_at_risk: The mildest return among them: so many bars were as bad or worse.
        expected_shortfall: Their mean.
    """

    level: float
    bars: int
    value_at_risk: float
    expected_shortfall: float


@dataclass(frozen=True)
class DistributionStatistics:
    """Figures of simple returns of one bar each; fractions, losses below 0.

    Attributes:
        bars: n.
        zero_return_bars: Bars whose return is exactly 0, as while nothing is held.
        mean: Arithmetic.
        standard_deviation: Standard deviation (ddof 1); 0 where returns do not vary.
        skewness: m3 / m2^1.5 with central moments that divide by n; None without variation.
        excess_kurtosis: m4 / m2^2 - 3, 0 for a normal distribution; None without variation.
        worst: The lowest return.
        worst_row: Its row, the first of equals.
        best: The highest return.
        best_row: Its row.
        tail_losses: At 5 % and at 1 %.
        tail_ratio: 95 % quantile over the absolute 5 % quantile (linear interpolation), above 1
            where gains reach farther than losses; None where the lower one is 0.
        lower_outliers: Bars more than 3 standard deviations below the mean.
        expected_lower_outliers: How many a normal distribution would have, n x Phi(-3).
        lower_outliers_p_value: Probability of at least `lower_outliers` of them in n independent
            normal bars, binomial; small where the lower tail is fatter than a normal one.
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
    """Every figure of `DistributionStatistics`, all historical: no distribution is assumed.

    Args:
        returns: Net simple returns, shape (n,), no NaN.

    Returns:
        None below two bars.

    Source: Acerbi & Tasche (2002), On the coherence of expected shortfall, J. of Banking &
    Finance 26(7), for the shortfall as the mean of the worst; tail ratio as in empyrical.
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
    beyond = int((centred < -OUTLIER_DEVIATIONS * deviation).sum()) if varies else 0
    rare = NormalDist().cdf(-OUTLIER_DEVIATIONS)
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
        lower_outliers=beyond,
        expected_lower_outliers=count * rare,
        lower_outliers_p_value=float(bdtrc(beyond - 1, count, rare)) if beyond else 1.0,
    )


def tail_loss(returns: Vector, level: float) -> TailLoss:
    """Historical value at risk and expected shortfall of the worst share `level` of bars.

    Args:
        returns: Shape (n,), at least one, no NaN.
        level: Above 0, at most 1.
    """
    # A hair less before rounding up: 0.05 x 20 may be a rounding error above 1.
    count = max(1, int(np.ceil(level * len(returns) - 1e-9)))
    worst = np.sort(returns)[:count]
    return TailLoss(level, count, float(worst[-1]), float(worst.mean()))
