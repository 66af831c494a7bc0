"""Probabilistic and deflated Sharpe ratio (PSR, DSR), minimum track record length (MinTRL).

All Sharpe ratios here are per bar, not annualised: `return_metrics.sharpe(returns, 1.0)`.

Bailey & Lopez de Prado allow for skewness and heavy tails but assume independent returns. With
positive autocorrelation the standard error is larger. The number of bars is therefore replaced by
an effective one: n over the variance inflation, the ratio of the long-run variance of the
influence values of the Sharpe ratio to their plain variance. A ratio below 1 is replaced by 1:
negative autocorrelation does not increase the confidence. For independent returns the formulas are
those of the papers.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import MIN_BARS, long_run_variance, sharpe_influence
from engine.evaluation.metrics.return_metrics import sharpe

if TYPE_CHECKING:
    from engine.core.types import Vector

_NORMAL = NormalDist()
_MANY_TRIALS = 3.0


@dataclass(frozen=True)
class TrackRecord:
    """Moments of a book's returns that the formulas use.

    Attributes:
        sharpe: Sharpe ratio per bar.
        bars: Number of bars.
        skewness: Third standardised moment; 0 for a normal distribution.
        kurtosis: Fourth standardised moment; 3 for a normal distribution.
        variance_inflation: Number of bars that amount to one independent bar, at least 1.
    """

    sharpe: float
    bars: float
    skewness: float = 0.0
    kurtosis: float = 3.0
    variance_inflation: float = 1.0

    def probability_above(self, benchmark: float) -> float | None:
        """Probabilistic Sharpe ratio: probability that the true ratio is above `benchmark`.

        Phi((S - benchmark) sqrt(n / inflation - 1) / sqrt(V)), V = 1 - skewness S +
        (kurtosis - 1) S^2 / 4. None where V is not positive or n / inflation is at most 1.
        """
        independent, variance = self.bars / self.variance_inflation, self._sharpe_variance_factor()
        if independent <= 1 or variance <= 0:
            return None
        return _NORMAL.cdf((self.sharpe - benchmark) * np.sqrt((independent - 1) / variance))

    def minimum_bars(self, benchmark: float, confidence: float) -> float | None:
        """Bars at which `probability_above` reaches `confidence`, other things equal.

        inflation x (1 + V (z / (S - benchmark))^2); None for a ratio at or below the benchmark.
        """
        if self.sharpe <= benchmark or self._sharpe_variance_factor() <= 0:
            return None
        distance = _NORMAL.inv_cdf(confidence) / (self.sharpe - benchmark)
        return self.variance_inflation * (1 + self._sharpe_variance_factor() * distance**2)

    def _sharpe_variance_factor(self) -> float:
        return 1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def measure_track_record(returns: Vector) -> TrackRecord | None:
    """Moments of a book's returns; None below 30 bars or for constant returns.

    Args:
        returns: Net returns, shape (n,); no NaN.
    """
    ratio = sharpe(returns, 1.0) if len(returns) >= MIN_BARS else None
    if ratio is None:
        return None
    scores = (returns - np.mean(returns)) / np.std(returns)
    influence = sharpe_influence(returns)
    inflation = long_run_variance(influence) / np.mean(influence**2)
    return TrackRecord(
        sharpe=ratio,
        bars=len(returns),
        skewness=float(np.mean(scores**3)),
        kurtosis=float(np.mean(scores**4)),
        variance_inflation=max(1.0, float(inflation)),
    )


def probabilistic_sharpe(returns: Vector, benchmark: float = 0.0) -> float | None:
    """Probabilistic Sharpe ratio: probability that the true ratio is above a benchmark.

    Args:
        returns: Net returns, shape (n,); no NaN.
        benchmark: Sharpe ratio per bar.

    Returns:
        0 to 1; None below 30 bars or for constant returns.

    Source: Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, J. of Risk 15(2),
    equation 11; serial dependence as in the docstring of this module.
    """
    record = measure_track_record(returns)
    return record.probability_above(benchmark) if record else None


def minimum_track_record_length(
    returns: Vector, benchmark: float = 0.0, confidence: float = 0.95
) -> float | None:
    """Minimum track record length: bars needed for a probabilistic ratio of `confidence`.

    Args:
        returns: Net returns, shape (n,); no NaN.
        benchmark: Sharpe ratio per bar.
        confidence: Probabilistic Sharpe ratio to reach.

    Returns:
        Bars, more than 1; None below 30 bars, for constant returns, or for a Sharpe ratio that is
        not above the benchmark.

    Source: Bailey & Lopez de Prado (2012), equation 13.
    """
    record = measure_track_record(returns)
    return record.minimum_bars(benchmark, confidence) if record else None


def expected_maximum_sharpe(trials: float, deviation: float) -> float:
    """Expected maximum Sharpe ratio of trials without skill: the False Strategy theorem.

    deviation x ((1 - g) Phi^-1(1 - 1 / N) + g Phi^-1(1 - 1 / (N e))), g Euler's constant. This is
    an approximation for many trials: from N = 3 on up to 2.6 % above the expected maximum of
    normals, below it for smaller N, and minus infinity at N = 1. Below 3 the exact expectation of
    the maximum, with distribution Phi^N for real N, is used instead. For one trial it is 0.

    Args:
        trials: Number of independent trials N; may be fractional. 1 or less counts as one trial.
        deviation: Standard deviation of the trials' Sharpe ratios per bar.

    Returns:
        Sharpe ratio per bar, 0 or more.

    Source: Bailey & Lopez de Prado (2014), The Deflated Sharpe Ratio, J. of Portfolio Management
    40(5), equation 1.
    """
    if trials < _MANY_TRIALS:
        return float(deviation * _expected_maximum_of_normals(max(trials, 1.0)))
    # Phi^-1(1 - x) = -Phi^-1(x), and no x is too small for it.
    first = -_NORMAL.inv_cdf(1 / trials)
    second = -_NORMAL.inv_cdf(1 / (trials * np.e))
    return float(deviation * ((1 - np.euler_gamma) * first + np.euler_gamma * second))


def _expected_maximum_of_normals(draws: float) -> float:
    """Mean of the distribution Phi^N: the integral of 1 - Phi(x)^N - Phi(-x)^N over x > 0."""
    grid = np.linspace(0.0, 9.0, 1_001)
    below = np.array([_NORMAL.cdf(x) for x in grid])
    return float(np.trapezoid(1 - below**draws - (1 - below) ** draws, grid))


def deflated_sharpe(returns: Vector, trials: float, deviation: float) -> float | None:
    """Deflated Sharpe ratio: the probabilistic Sharpe ratio corrected for the number of trials.

    Its benchmark is `expected_maximum_sharpe(trials, deviation)`, 0 for one trial.

    Args:
        returns: Net returns of the selected book, shape (n,); no NaN.
        trials: Number of independent trials that it was selected from; may be fractional.
        deviation: Standard deviation of their Sharpe ratios per bar.

    Returns:
        0 to 1; None below 30 bars or for constant returns.

    Source: Bailey & Lopez de Prado (2014), equation 2.
    """
    return probabilistic_sharpe(returns, expected_maximum_sharpe(trials, deviation))
