"""Leaks in what the bars are made into beside features: coarser bars, and rates."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.selftest.leaks import rows
from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import IntVector, Vector
    from engine.data import Market
    from engine.data.rates import RateHistory
    from engine.features.resolutions import CoarseFeatures
    from engine.selftest.leaks.planting import Function, Plant
    from engine.selftest.leaks.rows import RowChoice

_COARSE = "engine.features.resolutions.build_coarse_features"


def _early(choose: RowChoice) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def build(market: Market, *rest: Any) -> CoarseFeatures:
            made: CoarseFeatures = honest(market, *rest)
            early = np.append(made.latest[1:], made.latest[-1])
            chosen = choose(market.wide("close").iloc[:, 0], plant)
            return replace(made, latest=np.where(chosen, early, made.latest))

        return build

    return replace_function


def _coarse_values(
    change: Callable[[np.ndarray], np.ndarray],
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def build(*given: Any) -> CoarseFeatures:
            made: CoarseFeatures = honest(*given)
            values = made.features.values
            changed = np.where(np.isfinite(values), change(values), values)
            return replace(made, features=replace(made.features, values=changed))

        return build

    return replace_function


def _next_row(values: np.ndarray) -> np.ndarray:
    return np.vstack([values[1:], values[-1:]])


def _standardised(values: np.ndarray) -> np.ndarray:
    return np.asarray((values - np.nanmean(values, axis=0)) / (np.nanstd(values, axis=0) + 1e-12))


def _next_row_sometimes(honest: Function, plant: Plant) -> Function:
    def build(*given: Any) -> CoarseFeatures:
        made: CoarseFeatures = honest(*given)
        values = made.features.values
        early = plant.draw_rows(len(values), 0.05)[:, None] & np.isfinite(values)
        changed = np.where(early, _next_row(values), values)
        return replace(made, features=replace(made.features, values=changed))

    return build


def _next_high_sometimes(honest: Function, plant: Plant) -> Function:
    """One in ten coarser bars closes between its close and the highest price of the next one."""

    def resample(market: Market, interval: str) -> tuple[Market, IntVector]:
        coarse, latest = honest(market, interval)
        count = len(coarse.symbols)
        bars = coarse.bars.copy()
        chosen = np.repeat(plant.draw_rows(len(bars) // count, 0.1), count)
        high = np.maximum(bars["high"], bars["high"].shift(-count).fillna(0.0))
        bars["close"] = bars["close"].where(~chosen, (bars["close"] + high) / 2.0)
        bars["high"] = bars["high"].where(~chosen, high)
        return replace(coarse, bars=bars), latest

    return resample


def _one_bar_more(honest: Function, plant: Plant) -> Function:
    """The close of a coarser bar is the open of the next one."""

    def resample(market: Market, interval: str) -> tuple[Market, IntVector]:
        coarse, latest = honest(market, interval)
        count = len(coarse.symbols)
        bars = coarse.bars.copy()
        later = bars["open"].shift(-count)
        bars["close"] = later.where(later.notna(), bars["close"])
        bars["high"] = bars[["high", "close"]].max(axis=1)
        bars["low"] = bars[["low", "close"]].min(axis=1)
        return replace(coarse, bars=bars), latest

    return resample


RESOLUTIONS: tuple[Leak, ...] = (
    Leak(
        "week: one bar early",
        "known a bar before it is complete",
        "resolutions",
        _COARSE,
        _early(rows.every_row),
        needs_coarser=True,
    ),
    Leak(
        "week: early, 30 %",
        "the same at three in ten bars",
        "resolutions",
        _COARSE,
        _early(rows.random_share(0.3)),
        needs_coarser=True,
    ),
    Leak(
        "week: early, 2 %",
        "the same at two in a hundred bars",
        "resolutions",
        _COARSE,
        _early(rows.random_share(0.02)),
        needs_coarser=True,
    ),
    Leak(
        "week: early before falls",
        "the same where the next bar falls far",
        "resolutions",
        _COARSE,
        _early(rows.before_falls),
        needs_coarser=True,
    ),
    Leak(
        "week: later one, 5 %",
        "features of the next week, at one in twenty",
        "resolutions",
        _COARSE,
        _next_row_sometimes,
        needs_coarser=True,
    ),
    Leak(
        "week: next high, 10 %",
        "it closes higher by the high of the next week",
        "resolutions",
        "engine.features.resolutions.resample_market",
        _next_high_sometimes,
        needs_coarser=True,
    ),
    Leak(
        "week: early, month ends",
        "the same at month ends",
        "resolutions",
        _COARSE,
        _early(rows.last_business_day("M")),
        needs_coarser=True,
    ),
    Leak(
        "week: the next one",
        "features of the week that has begun",
        "resolutions",
        _COARSE,
        _coarse_values(_next_row),
        needs_coarser=True,
    ),
    Leak(
        "week: history z-score",
        "mean and deviation of all weeks",
        "resolutions",
        _COARSE,
        _coarse_values(_standardised),
        needs_coarser=True,
    ),
    Leak(
        "week: one bar more",
        "it closes at the open of the next week",
        "resolutions",
        "engine.features.resolutions.resample_market",
        _one_bar_more,
        needs_coarser=True,
    ),
)
"""Coarser bars that are known before they are complete."""


def _rate_at(
    read: Callable[[RateHistory, pd.DatetimeIndex, Vector, Plant], Vector],
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def at(history: RateHistory, bars: pd.DatetimeIndex) -> Vector:
            own: Vector = honest(history, bars)
            return own if history.file is None else read(history, bars, own, plant)

        return at

    return replace_function


def _rows_ahead(history: RateHistory, bars: pd.DatetimeIndex, ahead: str) -> Vector:
    later = (bars + pd.Timedelta(ahead)).to_numpy(dtype="datetime64[us]")
    known = np.searchsorted(history.known_from, later, side="right") - 1
    return history.values[known]


def _same_day(history: RateHistory, bars: pd.DatetimeIndex, _: Vector, __: Plant) -> Vector:
    return _rows_ahead(history, bars, "1D")


def _month_ahead(history: RateHistory, bars: pd.DatetimeIndex, _: Vector, __: Plant) -> Vector:
    return _rows_ahead(history, bars, "30D")


def _average(history: RateHistory, bars: pd.DatetimeIndex, _: Vector, __: Plant) -> Vector:
    return np.full(len(bars), history.values.mean())


def _some_days(history: RateHistory, bars: pd.DatetimeIndex, own: Vector, plant: Plant) -> Vector:
    # By the date, because the rates of a part of the bars are asked for as well.
    drawn = plant.draw_rows(40_000, 0.1)[
        bars.tz_localize(None).to_numpy("datetime64[D]").astype(int)
    ]
    return np.where(drawn, _rows_ahead(history, bars, "1D"), own)


_RATE = "engine.data.rates.history.RateHistory.at"

RATES: tuple[Leak, ...] = (
    Leak(
        "rate: of the day itself",
        "a day before it is published",
        "rates",
        _RATE,
        _rate_at(_same_day),
    ),
    Leak(
        "rate: a month ahead",
        "a month before it is published",
        "rates",
        _RATE,
        _rate_at(_month_ahead),
    ),
    Leak("rate: history mean", "the mean of the whole series", "rates", _RATE, _rate_at(_average)),
    Leak(
        "rate: early, 10 %",
        "a day early, on a tenth of the days",
        "rates",
        _RATE,
        _rate_at(_some_days),
    ),
)
"""Rates that apply before they were published."""
