"""Tests of forecast accuracy (Diebold-Mariano, Clark-West), of direction (Pesaran-Timmermann)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.inference.hac import overlap_correction, truncated_variance
from engine.evaluation.inference.hypothesis_tests import HypothesisTestResult

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

_EQUAL_LOSS_TOLERANCE = 1e-12
"""Losses that differ by less than this fraction of their size differ by rounding only."""


def as_columns(values: Vector | Matrix) -> Matrix:
    """(n, m) of m symbols; (n,) is one."""
    columns: Matrix = np.atleast_2d(values.T).T
    return columns


def average_by_bar(values: Vector | Matrix) -> Vector:
    """The mean over the symbols at each bar: what the bars of a panel have in common.

    Returns of one bar are correlated over the symbols, so that a test may not count each of them.

    Args:
        values: (n,) of one symbol, or (n, m); NaN where a symbol has none.

    Returns:
        A value for each bar at which a symbol has one; those of a single symbol unchanged.
    """
    columns = as_columns(values)
    known = np.isfinite(columns)
    counts = known.sum(axis=1)
    rows = counts > 0
    mean: Vector = np.where(known, columns, 0.0).sum(axis=1)[rows] / counts[rows]
    return mean


def diebold_mariano(
    errors_a: Vector | Matrix, errors_b: Vector | Matrix, horizon: int, power: int = 2
) -> HypothesisTestResult:
    """Tests H0: two forecasts are equally accurate; a negative statistic favours the first.

    With d_t = |a_t|^power - |b_t|^power, its mean m and autocovariances g_k,

        DM = m / sqrt(v / n), v = g_0 + 2 sum_(k=1..h-1) g_k,

    times sqrt((n + 1 - 2 h + h (h - 1) / n) / n), against t with n - 1 degrees, two-sided. The
    errors of an optimal forecast of h bars are autocorrelated over h - 1 bars at most. The sum v
    may be 0 or negative; the weights 1 - k / h are then used, which keep it positive (Newey & West
    1987, Econometrica 55).

    The test is conservative where the second forecast is nested in the first, as "no change" is
    in a fitted model: estimating parameters costs accuracy (Clark & McCracken 2001). `clark_west`
    is the test for that case.

    Of several symbols d_t is the mean over them at bar t (`average_by_bar`).

    Args:
        errors_a: Errors of the first forecast, (n,), or (n, m) of m symbols; NaN where there is
            none.
        errors_b: Errors of the second one on the same rows, of the same shape.
        horizon: Bars ahead, h, 1 or more.
        power: 2 for squared errors, 1 for absolute ones.

    Returns:
        statistic, p_value, degrees n - 1, lags h - 1, observations n. None unless n > h and
        n >= 2, and where the difference of the losses is constant.

    Source: Diebold & Mariano (1995), J. of Business & Economic Statistics 13; corrected by
    Harvey, Leybourne & Newbold (1997), International J. of Forecasting 13.
    """
    from scipy.special import stdtr

    loss_a, loss_b = np.abs(errors_a) ** power, np.abs(errors_b) ** power
    differences = average_by_bar(loss_a - loss_b)
    bars = len(differences)
    if bars <= max(horizon, 1) or np.ptp(differences) <= _EQUAL_LOSS_TOLERANCE * np.nanmax(
        loss_a + loss_b
    ):
        return HypothesisTestResult()
    statistic = _studentise_mean(differences, horizon)
    p_value = float(2 * stdtr(bars - 1, -abs(statistic)))
    return HypothesisTestResult(statistic, p_value, bars - 1, lags=horizon - 1, observations=bars)


def clark_west(
    predicted: Vector | Matrix,
    reference: Vector | Matrix,
    actual: Vector | Matrix,
    horizon: int,
) -> HypothesisTestResult:
    """Tests H0: a model predicts no better than a simpler one that it contains.

    A useless parameter makes the errors of the larger model larger, so that its squared errors are
    higher even where it is as good. The adjusted difference of the squared errors

        f_t = (y_t - s_t)^2 - ((y_t - p_t)^2 - (s_t - p_t)^2) = 2 (y_t - s_t) (p_t - s_t),

    p the prediction and s the simpler one, has mean 0 then: what the simpler model leaves is not
    related to what the larger one adds. Its mean is studentised as in `diebold_mariano` and
    compared with the normal distribution, one-sided. Of several symbols f_t is the mean over them
    at bar t.

    Args:
        predicted: Predictions, (n,), or (n, m) of m symbols; NaN where there is none.
        reference: Predictions of the simpler model, likewise. 0 is no change.
        actual: Outcomes, likewise.
        horizon: Bars ahead, h, 1 or more.

    Returns:
        statistic, p_value, lags h - 1, observations n. None unless n > h and n >= 2, and where f
        is constant, as where both predict the same.

    Source: Clark & West (2007), Approximately Normal Tests for Equal Predictive Accuracy in Nested
    Models, J. of Econometrics 138.
    """
    from scipy.special import ndtr

    differences = average_by_bar(2 * (actual - reference) * (predicted - reference))
    bars = len(differences)
    if bars <= max(horizon, 1) or np.ptp(differences) <= _EQUAL_LOSS_TOLERANCE * np.nanmax(
        actual**2 + reference**2
    ):
        return HypothesisTestResult()
    statistic = _studentise_mean(differences, horizon)
    return HypothesisTestResult(
        statistic, float(ndtr(-statistic)), lags=horizon - 1, observations=bars
    )


def _studentise_mean(differences: Vector, horizon: int) -> float:
    """Mean over its standard error, with h - 1 autocovariances and the correction of Harvey."""
    bars, mean = len(differences), differences.mean()
    variance = truncated_variance(differences - mean, horizon - 1)
    correction = overlap_correction(bars, horizon)
    return float(mean / np.sqrt(variance / bars) * np.sqrt(correction))


def direction_test(predicted: Vector | Matrix, actual: Vector | Matrix) -> HypothesisTestResult:
    """Tests H0: predicted and actual direction are independent, for one symbol or several.

    Of one symbol it is `pesaran_timmermann`. Of several, whose directions at one bar are related,
    it is the mean over the symbols of the product of the deviations of both directions from the
    symbol's own shares of "up",

        g_t = mean_i (1[p_it > 0] - x_i) (1[y_it > 0] - y_i),

    the mean of g_t over the bars divided by its standard error, one-sided against the normal
    distribution: a market that rises on most bars and is always forecast to rise has g_t = 0.

    Args:
        predicted: Predicted returns, (n,), or (n, m) of m symbols; above 0 is up; NaN where there
            is none. Rows must be serially independent: every h-th row for a horizon of h bars.
        actual: Realised returns, likewise.

    Returns:
        statistic, p_value, observations (bars). None where there is one direction only.
    """
    from scipy.special import ndtr

    known = np.isfinite(predicted) & np.isfinite(actual)
    if predicted.ndim == 1 or predicted.shape[1] == 1:
        return pesaran_timmermann(predicted[known], actual[known])
    deviations = [
        up - up.sum(axis=0) / np.maximum(known.sum(axis=0), 1)
        for up in ((values > 0) & known for values in (predicted, actual))
    ]
    products = average_by_bar(np.where(known, deviations[0] * deviations[1], np.nan))
    if len(products) < 2 or np.ptp(products) <= _EQUAL_LOSS_TOLERANCE:
        return HypothesisTestResult()
    statistic = _studentise_mean(products, 1)
    return HypothesisTestResult(statistic, float(ndtr(-statistic)), observations=len(products))


def pesaran_timmermann(predicted: Vector, actual: Vector) -> HypothesisTestResult:
    """Tests H0: predicted and actual direction are independent, against more hits than that.

    With P the share of hits, x and y the shares of "up" among predictions and outcomes, and
    P* = x y + (1 - x)(1 - y) the share of hits expected under independence,

        S = (P - P*) / sqrt(var(P) - var(P*)), standard normal, one-sided,
        var(P) = P* (1 - P*) / n,
        var(P*) = ((2 y - 1)^2 x (1 - x) + (2 x - 1)^2 y (1 - y)) / n
                  + 4 x y (1 - x)(1 - y) / n^2.

    Always predicting "up" in a rising market has no skill here, as P* accounts for it. Rows must
    be serially independent: where both directions persist, as with overlapping horizons of several
    bars, the test rejects too often (Pesaran & Timmermann 2009, JASA 104). Pass every h-th row
    then.

    Args:
        predicted: Predicted returns, shape (n,); above 0 is up, 0 is down; no NaN.
        actual: Realised returns, shape (n,); likewise.

    Returns:
        statistic, p_value, observations. None where predictions or outcomes have one direction
        only.

    Source: Pesaran & Timmermann (1992), J. of Business & Economic Statistics 10.
    """
    from scipy.special import ndtr

    predicted_up, actual_up = predicted > 0, actual > 0
    bars = len(predicted_up)
    if bars == 0 or not (0 < predicted_up.sum() < bars and 0 < actual_up.sum() < bars):
        return HypothesisTestResult()
    x, y = predicted_up.mean(), actual_up.mean()
    hits = np.mean(predicted_up == actual_up)
    expected = x * y + (1 - x) * (1 - y)
    variance_of_hits = expected * (1 - expected) / bars
    variance_of_expected = ((2 * y - 1) ** 2 * x * (1 - x) + (2 * x - 1) ** 2 * y * (1 - y)) / bars
    variance_of_expected += 4 * x * y * (1 - x) * (1 - y) / bars**2
    statistic = float((hits - expected) / np.sqrt(variance_of_hits - variance_of_expected))
    return HypothesisTestResult(statistic, float(ndtr(-statistic)), observations=bars)
