"""How sure a track record is of its Sharpe ratio, and how much luck is left after many tries.

All Sharpe ratios here are those of one bar, not annualised: `measures.sharpe(returns, 1.0)`.

Bailey & Lopez de Prado let returns be skewed and heavy-tailed, but take them for independent. A
Sharpe ratio of returns that go on (positive autocorrelation) is less sure than theirs. So bars
are counted as independent ones: n over the ratio of the long-run variance of the Sharpe ratio's
influence values to their plain one. Where that ratio is below 1, n stays: reversal is no reason
to be surer. With independent returns the formulas are the papers'.
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
    """What the formulas need to know of a book's returns.

    Attributes:
        sharpe: Sharpe ratio of a bar.
        bars: How many there are.
        skewness: Third standardised moment; 0 for a normal distribution.
        kurtosis: Fourth standardised moment; 3 for a normal distribution.
        variance_inflation: How many bars are worth one independent one, at least 1.
    """

    sharpe: float
    bars: float
    skewness: float = 0.0
    kurtosis: float = 3.0
    variance_inflation: float = 1.0

    def probability_above(self, benchmark: float) -> float | None:
        """Probabilistic Sharpe ratio: probability that the true ratio is above `benchmark`.

        Phi((S - benchmark) sqrt(n / dependence - 1) / sqrt(V)), V = 1 - skewness S +
        (kurtosis - 1) S^2 / 4. None where V or the number of independent bars leaves nothing.
        """
        independent, variance = self.bars / self.variance_inflation, self._sharpe_variance_factor()
        if independent <= 1 or variance <= 0:
            return None
        return _NORMAL.cdf((self.sharpe - benchmark) * np.sqrt((independent - 1) / variance))

    def minimum_bars(self, benchmark: float, confidence: float) -> float | None:
        """Bars from which `probability_above` is at least `confidence`, others things equal.

        dependence x (1 + V (z / (S - benchmark))^2); None for a ratio at or below the benchmark,
        which no number of bars would raise.
        """
        if self.sharpe <= benchmark or self._sharpe_variance_factor() <= 0:
            return None
        distance = _NORMAL.inv_cdf(confidence) / (self.sharpe - benchmark)
        return self.variance_inflation * (1 + self._sharpe_variance_factor() * distance**2)

    def _sharpe_variance_factor(self) -> float:
        return 1 - self.skewness * self.sharpe + (self.kurtosis - 1) / 4 * self.sharpe**2


def measure_track_record(returns: Vector) -> TrackRecord | None:
    """The moments of a book's returns; None below 30 bars or where they do not vary.

    Args:
        returns: Net returns, shape (n,); no NaN.
    """
    ratio = sharpe(returns, 1.0) if len(returns) >= MIN_BARS else None
    if ratio is None:
        return None
    scores = (returns - np.mean(returns)) / np.std(returns)
    influence = sharpe_influence(returns)
    dependence = long_run_variance(influence) / np.mean(influence**2)
    return TrackRecord(
        sharpe=ratio,
        bars=len(returns),
        skewness=float(np.mean(scores**3)),
        kurtosis=float(np.mean(scores**4)),
        variance_inflation=max(1.0, float(dependence)),
    )


def probabilistic_sharpe(returns: Vector, benchmark: float = 0.0) -> float | None:
    """Probability that the true Sharpe ratio is above a benchmark, as `TrackRecord` has it.

    Args:
        returns: Net returns, shape (n,); no NaN.
        benchmark: Sharpe ratio of a bar.

    Returns:
        0 to 1; None below 30 bars or where the returns do not vary.

    Source: Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier, J. of Risk 15(2),
    equation 11; serial dependence as in this module's docstring.
    """
    record = measure_track_record(returns)
    return record.probability_above(benchmark) if record else None


def minimum_track_record_length(
    returns: Vector, benchmark: float = 0.0, confidence: float = 0.95
) -> float | None:
    """Bars that a Sharpe ratio like this one needs to be above a benchmark with `confidence`.

    Args:
        returns: Net returns, shape (n,); no NaN.
        benchmark: Sharpe ratio of a bar.
        confidence: The probabilistic Sharpe ratio to reach.

    Returns:
        Bars, more than 1; None below 30 bars, without variation, or for a Sharpe ratio that is
        not above the benchmark.

    Source: Bailey & Lopez de Prado (2012), equation 13.
    """
    record = measure_track_record(returns)
    return record.minimum_bars(benchmark, confidence) if record else None


def expected_maximum_sharpe(trials: float, deviation: float) -> float:
    """Highest Sharpe ratio to expect of trials without any skill: the False Strategy theorem.

    deviation x ((1 - g) Phi^-1(1 - 1 / N) + g Phi^-1(1 - 1 / (N e))), g Euler's constant. That is
    an approximation for many trials, up to 2.6 % above the normal distribution's expected maximum
    from N = 3 on, but below it before, and minus infinity at N = 1. So below 3 the exact maximum
    stands in for it, whose distribution Phi^N needs no whole N. One trial chooses nothing: 0.

    Args:
        trials: Independent trials N; may be fractional, as an effective number is. 1 or less is
            one trial.
        deviation: Standard deviation of the trials' Sharpe ratios of a bar.

    Returns:
        Sharpe ratio of a bar, 0 or more.

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
    """Integral of x over the distribution Phi^N, as that of 1 - Phi(x)^N - Phi(-x)^N from 0."""
    at = np.linspace(0.0, 9.0, 1_001)
    below = np.array([_NORMAL.cdf(x) for x in at])
    return float(np.trapezoid(1 - below**draws - (1 - below) ** draws, at))


def deflated_sharpe(returns: Vector, trials: float, deviation: float) -> float | None:
    """Probability that the true Sharpe ratio is above 0, all trials counted.

    The probabilistic Sharpe ratio against `expected_maximum_sharpe(trials, deviation)`. With one
    trial the benchmark is 0.

    Args:
        returns: Net returns of the book that was chosen, shape (n,); no NaN.
        trials: Independent trials that it was chosen from; may be fractional.
        deviation: Standard deviation of their Sharpe ratios of a bar.

    Returns:
        0 to 1; None below 30 bars or where the returns do not vary.

    Source: Bailey & Lopez de Prado (2014), equation 2.
    """
    return probabilistic_sharpe(returns, expected_maximum_sharpe(trials, deviation))
