"""Whether forecasts order the symbols of a bar: rank IC, its decay, and returns by group."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.evaluation.inference.hac import (
    MIN_BARS,
    long_run_variance,
    overlap_correction,
    truncated_variance,
)
from engine.runs.documents.significance_cross_section import (
    CrossSectionFigures,
    MeanFigures,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

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
        the highest group of forecasts less that of the lowest. Equal forecasts share the groups of
        their ranks in equal parts, so that no order of the symbols decides; bars at which all are
        equal have no groups. The t-statistics are from HAC standard errors of these means, as the
        returns of overlapping horizons are autocorrelated; p-values are two-sided, and None where
        the bars are fewer than two times 2 h - 1.

    Source: Grinold & Kahn (2000), Active Portfolio Management, on the information coefficient;
    standard errors: the larger of `hac.long_run_variance` and `hac.truncated_variance`.
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
        rank_ic=_mean_figures(by_bar, horizon),
        positive_pct=float(100 * positive.mean()) if len(positive) else None,
        rank_ic_by_horizon={
            bars: _mean_figures(rank_ic_by_bar(predicted, actual[bars]), bars)
            for bars in sorted(actual)
        },
        group_returns=tuple(_mean_or_none(group[np.isfinite(group)]) for group in groups),
        spread=_mean_figures(groups[-1] - groups[0], horizon),
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


def overlapping_group_returns(predicted: Matrix, returns: Matrix, horizon: int) -> list[Vector]:
    """Return of each group of forecasts at each bar, held over the horizon, before costs.

    At the close of bar t the symbols of a group are bought in equal parts and held for h bars, so
    that h such portfolios overlap; the return of bar t is the mean over those formed at the closes
    t - h to t - 1.

    Args:
        predicted: Predicted returns known at each close, (n, m); NaN where there is none.
        returns: Return of each bar from the close before, (n, m); NaN where there is none, which
            counts as 0.
        horizon: h, in bars.

    Returns:
        (n,) of each group, the lowest first; NaN at bars at which no such portfolio is held.

    Source: Jegadeesh & Titman (1993), Returns to Buying Winners and Selling Losers, J. of Finance
    48, for portfolios that overlap.
    """
    earned = np.nan_to_num(returns)
    by_group = []
    for share in group_shares(predicted):
        total = share.sum(axis=1, keepdims=True)
        weights = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
        formed, held = np.zeros(len(share)), np.zeros(len(share))
        for age in range(1, min(horizon, len(share) - 1) + 1):
            formed[age:] += (weights[:-age] * earned[age:]).sum(axis=1)
            held[age:] += total[:-age, 0] > 0
        by_group.append(np.divide(formed, held, out=np.full(len(held), np.nan), where=held > 0))
    return by_group


def group_shares(predicted: Matrix) -> Iterator[Matrix]:
    """(n, m) of each group of forecasts, the lowest first: the share that a symbol has in it.

    The k-th of c ranks is in the group floor((k - 1) g / c) of g. A forecast that is equal to
    others has a share in every group of their ranks. 0 without a forecast, and where all forecasts
    of a bar are equal.
    """
    number = min(MOST_GROUPS, max(2, predicted.shape[1] // 2))
    known = np.isfinite(predicted)
    forecasts = pd.DataFrame(np.where(known, predicted, np.nan))
    below = forecasts.rank(axis=1, method="min").to_numpy() - 1
    last = forecasts.rank(axis=1, method="max").to_numpy()
    count = known.sum(axis=1)[:, None]
    differ = (last - below).min(axis=1, initial=np.inf, where=known)[:, None] < count
    edges = [np.ceil(place * count / number) for place in range(number + 1)]
    for start, stop in pairwise(edges):
        shared = np.clip(np.minimum(last, stop) - np.maximum(below, start), 0.0, None)
        yield np.where(known & differ, shared / (last - below), 0.0)


def _group_returns(predicted: Matrix, outcome: Matrix) -> list[Vector]:
    """(n,) mean outcome of each group of forecasts at each bar, the lowest first.

    NaN where a group has none, and where all forecasts of a bar are equal.
    """
    known = np.isfinite(outcome)
    values = np.where(known, outcome, 0.0)
    means = []
    for share in group_shares(np.where(known, predicted, np.nan)):
        total = share.sum(axis=1)
        with np.errstate(invalid="ignore"):
            means.append(np.where(total > 0, (share * values).sum(axis=1) / total, np.nan))
    return means


def _mean_figures(by_bar: Vector, horizon: int) -> MeanFigures:
    """The mean over the bars that have a value, with its t-statistic.

    Outcomes over h bars overlap in h - 1 of them, and where the forecasts persist, so do their
    products; the plug-in bandwidth of the long-run variance, made for an AR(1), is too short for
    that. The larger of it and of the truncated variance of h - 1 lags is taken, and Student's
    distribution with n / (2 h - 1) - 1 degrees, which is how well 2 h - 1 autocovariances of n
    bars are known.
    """
    values = by_bar[np.isfinite(by_bar)]
    mean, bars = _mean_or_none(values), len(values)
    degrees = bars / (2 * horizon - 1) - 1
    if mean is None or bars < MIN_BARS or degrees < 1 or np.ptp(values) == 0:
        return MeanFigures(mean=mean, bars=bars)
    from scipy.special import stdtr

    centred = values - mean
    variance = max(
        long_run_variance(centred),
        truncated_variance(centred, horizon - 1) / overlap_correction(bars, horizon),
    )
    statistic = mean / float(np.sqrt(variance / bars))
    return MeanFigures(
        mean=mean,
        t=statistic,
        p_value=2 * float(stdtr(degrees, -abs(statistic))),
        bars=bars,
    )


def _mean_or_none(values: Vector) -> float | None:
    return float(values.mean()) if len(values) else None
