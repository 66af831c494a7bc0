"""Whether one forecast is better than another, and whether its direction is more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

if TYPE_CHECKING:
    from engine.core.types import Vector

_EQUAL_LOSS_TOLERANCE = 1e-12
"""Losses that differ by less than this part of their size differ by rounding."""


def diebold_mariano(
    errors_a: Vector, errors_b: Vector, horizon: int, power: int = 2
) -> HypothesisTestResult:
    """Tests H0: two forecasts lose alike; a negative statistic says that the first is better.

    With d_t = |a_t|^power - |b_t|^power, its mean m and autocovariances g_k,

        DM = m / sqrt(v / n), v = g_0 + 2 sum_(k=1..h-1) g_k,

    times sqrt((n + 1 - 2 h + h (h - 1) / n) / n), against t with n - 1 degrees, two-sided. An
    optimal forecast of h bars leaves errors that hang together over h - 1 bars, and no more. That
    sum may come out at 0 or less; v is then the one with weights 1 - k / h, which does not (Newey
    & West 1987, Econometrica 55).

    Against a forecast that the first one contains, as a fitted one contains no change, it is
    conservative: fitting what is not there costs accuracy (Clark & McCracken 2001).

    Args:
        errors_a: Of the first forecast, shape (n,); no NaN.
        errors_b: Of the second on the same rows, shape (n,); no NaN.
        horizon: Bars ahead that were forecast, h, 1 or more.
        power: 2 for squared errors, 1 for absolute ones.

    Returns:
        statistic, p_value, degrees n - 1, lags h - 1, observations n. None unless n > h and
        n >= 2, and where the losses do not differ or differ by the same everywhere.

    Source: Diebold & Mariano (1995), J. of Business & Economic Statistics 13; corrected by
    Harvey, Leybourne & Newbold (1997), International J. of Forecasting 13.
    """
    from scipy.special import stdtr

    loss_a, loss_b = np.abs(errors_a) ** power, np.abs(errors_b) ** power
    differences = loss_a - loss_b
    bars = len(differences)
    if bars <= max(horizon, 1) or np.ptp(differences) <= _EQUAL_LOSS_TOLERANCE * np.max(
        loss_a + loss_b
    ):
        return HypothesisTestResult()
    mean = differences.mean()
    centred = differences - mean
    steps = np.arange(1, horizon)
    products = np.array([centred[step:] @ centred[:-step] for step in steps])
    variance = (centred @ centred + 2 * products.sum()) / bars
    # The truncated sum of a series that swings to and fro can be negative, or 0 but for rounding.
    if variance <= _EQUAL_LOSS_TOLERANCE * (centred @ centred) / bars:
        variance = (centred @ centred + 2 * (1 - steps / horizon) @ products) / bars
    correction = (bars + 1 - 2 * horizon + horizon * (horizon - 1) / bars) / bars
    statistic = float(mean / np.sqrt(variance / bars) * np.sqrt(correction))
    p_value = float(2 * stdtr(bars - 1, -abs(statistic)))
    return HypothesisTestResult(statistic, p_value, bars - 1, lags=horizon - 1, observations=bars)


def pesaran_timmermann(predicted: Vector, actual: Vector) -> HypothesisTestResult:
    """Tests H0: predicted and actual direction are independent, against more hits than chance.

    With P the share of hits, x and y the shares of "up" among predictions and outcomes and
    P* = x y + (1 - x)(1 - y) the hits that independence would bring,

        S = (P - P*) / sqrt(var(P) - var(P*)), standard normal, one-sided,
        var(P) = P* (1 - P*) / n,
        var(P*) = ((2 y - 1)^2 x (1 - x) + (2 x - 1)^2 y (1 - y)) / n
                  + 4 x y (1 - x)(1 - y) / n^2.

    Always saying "up" in a rising market is no skill here, as P* counts it. Rows must not hang
    together: where both directions persist, as they do when horizons of several bars overlap, it
    finds skill too often (Pesaran & Timmermann 2009, JASA 104); give it every h-th row then.

    Args:
        predicted: Predicted returns, shape (n,); above 0 is up, 0 is down; no NaN.
        actual: What came, shape (n,); likewise.

    Returns:
        statistic, p_value, observations. None where a side occurs in no prediction or in no
        outcome.

    Source: Pesaran & Timmermann (1992), J. of Business & Economic Statistics 10.
    """
    from scipy.special import ndtr

    said, came = predicted > 0, actual > 0
    bars = len(said)
    if bars == 0 or not (0 < said.sum() < bars and 0 < came.sum() < bars):
        return HypothesisTestResult()
    x, y, hits = said.mean(), came.mean(), np.mean(said == came)
    expected = x * y + (1 - x) * (1 - y)
    of_hits = expected * (1 - expected) / bars
    of_expected = ((2 * y - 1) ** 2 * x * (1 - x) + (2 * x - 1) ** 2 * y * (1 - y)) / bars
    of_expected += 4 * x * y * (1 - x) * (1 - y) / bars**2
    statistic = float((hits - expected) / np.sqrt(of_hits - of_expected))
    return HypothesisTestResult(statistic, float(ndtr(-statistic)), observations=bars)
