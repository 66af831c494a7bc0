"""Whether forecasts order the symbols of a bar: rank IC, its decay, and returns by group."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.forecasts.accuracy_tests import average_by_bar
from engine.evaluation.inference.hac import MIN_BARS, long_run_variance
from engine.runs.documents.significance_cross_section import (
    CrossSectionFigures,
    MeanFigures,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Matrix, Vector

MIN_SYMBOLS = 3
"""Two symbols have an order, and no correlation over them."""

DECAY_BARS = (1, 2, 5, 10, 20)
"""Horizons at which the rank IC is measured, beside the traded one."""

MOST_GROUPS = 5
"""Quintiles; fewer symbols make fewer groups, of two at least where there are ten."""


def measure_cross_section(
    predicted: Matrix, actual: Mapping[int, Matrix], horizon: int
) -> CrossSectionFigures | None:
    """How well forecasts order the symbols at each bar.

    Args:
        predicted: Predicted simple returns, (n, m); NaN where there is none.
        actual: Horizon -> realised simple returns over so many bars after each, (n, m); NaN where
            not known yet. The traded horizon is among them.
        horizon: The traded horizon.

    Returns:
        None with fewer than three symbols. At a bar at which fewer than three have a forecast and
        an outcome, or all forecasts or outcomes are equal, there is no rank IC.

        `rank_ic`: mean over the bars of Spearman's correlation of forecasts and outcomes over the
        symbols, equal values with their mean rank. `spread`: mean over the bars of the return of
        the highest group of forecasts less that of the lowest. The t-statistics are from HAC
        standard errors of these means, as the returns of overlapping horizons are autocorrelated;
        p-values are two-sided.

    Source: Grinold & Kahn (2000), Active Portfolio Management, on the information coefficient;
    standard errors as in `hac.long_run_variance`.
    """
    if predicted.shape[1] < MIN_SYMBOLS:
        return None
    outcome = actual[horizon]
    by_bar = rank_ic_by_bar(predicted, outcome)
    known = np.isfinite(predicted) & np.isfinite(outcome)
    groups = _group_returns(predicted, np.where(known, outcome, np.nan))
    positive = by_bar[np.isfinite(by_bar)] > 0
    return CrossSectionFigures(
        horizon=horizon,
        symbols=float(known.sum(axis=1)[known.any(axis=1)].mean()) if known.any() else 0.0,
        rank_ic=_mean_figures(by_bar),
        positive_pct=float(100 * positive.mean()) if len(positive) else None,
        rank_ic_by_horizon={
            bars: _mean_figures(rank_ic_by_bar(predicted, actual[bars])) for bars in sorted(actual)
        },
        group_returns=tuple(_mean_or_none(average_by_bar(group)) for group in groups),
        spread=_mean_figures(np.subtract(*(_mean_of_rows(groups[place]) for place in (-1, 0)))),
    )


def rank_ic_by_bar(predicted: Matrix, outcome: Matrix) -> Vector:
    """(n,) Spearman's correlation over the symbols of each bar; NaN where there is none."""
    known = np.isfinite(predicted) & np.isfinite(outcome)
    ranks = [
        pd.DataFrame(np.where(known, each, np.nan)).rank(axis=1).to_numpy()
        for each in (predicted, outcome)
    ]
    count = known.sum(axis=1)
    centred = [np.where(known, each - ((count + 1) / 2)[:, None], 0.0) for each in ranks]
    product = (centred[0] * centred[1]).sum(axis=1)
    scale = np.sqrt((centred[0] ** 2).sum(axis=1) * (centred[1] ** 2).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        correlation: Vector = np.where(
            (count >= MIN_SYMBOLS) & (scale > 0), product / scale, np.nan
        )
    return correlation


def _group_returns(predicted: Matrix, outcome: Matrix) -> list[Matrix]:
    """The outcomes of each group of forecasts, the lowest first; NaN outside of it."""
    symbols = predicted.shape[1]
    number = min(MOST_GROUPS, max(2, symbols // 2))
    known = np.isfinite(outcome)
    rank = pd.DataFrame(np.where(known, predicted, np.nan)).rank(axis=1, method="first").to_numpy()
    count = known.sum(axis=1)[:, None]
    group = np.floor((rank - 1) * number / np.maximum(count, 1))
    return [np.where(group == place, outcome, np.nan) for place in range(number)]


def _mean_of_rows(values: Matrix) -> Vector:
    known = np.isfinite(values)
    count = known.sum(axis=1)
    total = np.where(known, values, 0.0).sum(axis=1)
    mean: Vector = np.where(count > 0, total / np.maximum(count, 1), np.nan)
    return mean


def _mean_figures(by_bar: Vector) -> MeanFigures:
    """The mean over the bars that have a value, with its HAC t-statistic."""
    values = by_bar[np.isfinite(by_bar)]
    mean = _mean_or_none(values)
    if mean is None or len(values) < MIN_BARS or np.ptp(values) == 0:
        return MeanFigures(mean=mean, bars=len(values))
    error = float(np.sqrt(long_run_variance(values - mean) / len(values)))
    statistic = mean / error
    return MeanFigures(
        mean=mean,
        t=statistic,
        p_value=2 * NormalDist().cdf(-abs(statistic)),
        bars=len(values),
    )


def _mean_or_none(values: Vector) -> float | None:
    return float(values.mean()) if len(values) else None
