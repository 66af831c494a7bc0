"""Returns, and printed examples of the literature, that several tools are given.

Only NumPy: the environment of another tool reads them too.
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from pathlib import Path

PATHS, BARS = 1_000, 750
"""Books of noise, and bars of each: three years of days."""

COEFFICIENT = 0.4
"""Autocorrelation of the second kind of noise."""

LEVEL = 0.05
VARIANTS, MATRIX_BARS = 20, 1_600
EDGE = 0.1
"""Sharpe ratio per bar of the one good variant of the second matrix."""


@dataclass(frozen=True)
class Printed:
    """A printed example: moments per bar, and the figure that the paper prints.

    Attributes:
        sharpe: Sharpe ratio per bar.
        bars: Number of bars.
        skewness: Third standardised moment.
        kurtosis: Fourth standardised moment, 3 for a normal distribution.
        figure: As printed.
    """

    sharpe: float
    bars: int
    skewness: float
    kurtosis: float
    figure: float


PSR = Printed(0.458, 24, -2.448, 10.164, 0.913)
"""Bailey & Lopez de Prado (2012), The Sharpe Ratio Efficient Frontier: 24 months of a fund."""

DSR = Printed(2.5 / 250**0.5, 1_250, -3.0, 10.0, 0.9004)
DSR_TRIALS, DSR_VARIANCE = 100, 0.5 / 250
"""Bailey & Lopez de Prado (2014), The Deflated Sharpe Ratio: the best of 100, 1,250 days."""

MINTRL = Printed(2.0 / 252**0.5, 1_000, 0.0, 3.0, 2.73)
MINTRL_BENCHMARK = 1.0 / 252**0.5
"""The paper of 2012: years of days until 2 a year is above 1 a year at 95 %, normal returns."""


def write_samples(path: Path) -> None:
    """Writes noise, matrices of variants and series with the printed moments, as one .npz."""
    rng = np.random.default_rng(7)
    independent = 0.01 * rng.standard_normal((PATHS, BARS))
    noise = 0.01 * rng.standard_normal((PATHS, BARS + 50))
    for bar in range(1, noise.shape[1]):
        noise[:, bar] += COEFFICIENT * noise[:, bar - 1]
    matrix = 0.01 * rng.standard_normal((MATRIX_BARS, VARIANTS))
    with_edge = matrix.copy()
    with_edge[:, 0] += 0.01 * EDGE - matrix[:, 0].mean()
    np.savez(
        path,
        independent=independent,
        autocorrelated=noise[:, 50:],
        matrix=matrix,
        matrix_with_edge=with_edge,
        psr=make_series(PSR),
        dsr=make_series(DSR),
        mintrl=make_series(MINTRL),
    )


def make_series(example: Printed) -> np.ndarray:
    """Returns with these moments: a cubic of normal scores, by Newton's method.

    The Sharpe ratio is that of the standard deviation which divides by n - 1, the other moments
    divide by n. No distribution has a kurtosis below skewness^2 + 1, and at this bound (that of
    the printed example of 2014) it has two values; rounded to whole bars, its skewness is 2.999.
    """
    bars = example.bars
    if example.kurtosis <= example.skewness**2 + 1.0:
        share = 0.5 * (1.0 - abs(example.skewness) / (example.skewness**2 + 4.0) ** 0.5)
        rare = np.arange(bars) < round(share * bars)
        return _scale(np.where(rare, np.sign(example.skewness), 0.0), example.sharpe)
    inverse = NormalDist().inv_cdf
    scores = np.array([inverse((place + 0.5) / bars) for place in range(bars)])
    wanted = np.array([example.skewness, example.kurtosis])

    def moments(weights: np.ndarray) -> np.ndarray:
        values = _standardise(scores + weights[0] * scores**2 + weights[1] * scores**3)
        return np.array([np.mean(values**3), np.mean(values**4)])

    weights, step = np.array([0.05 * example.skewness, 0.01]), 1e-6
    for _ in range(200):
        missing = wanted - moments(weights)
        slopes = np.column_stack(
            [(moments(weights + step * axis) - moments(weights)) / step for axis in np.eye(2)]
        )
        weights = weights + np.clip(np.linalg.solve(slopes, missing), -0.05, 0.05)
    return _scale(scores + weights[0] * scores**2 + weights[1] * scores**3, example.sharpe)


def _scale(values: np.ndarray, sharpe: float) -> np.ndarray:
    scores = _standardise(values)
    series: np.ndarray = 0.01 * (scores / np.std(scores, ddof=1) + sharpe)
    return series


def _standardise(values: np.ndarray) -> np.ndarray:
    scores: np.ndarray = (values - values.mean()) / values.std()
    return scores
