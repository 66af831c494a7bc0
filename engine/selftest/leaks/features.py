"""Leaks in features: the value at a bar depends on bars after it, or on where the history ends."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.selftest.leaks import rows
from engine.selftest.leaks.planting import Leak
from engine.selftest.leaks.rows import next_return

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import WideFrame
    from engine.features.base import Indicator
    from engine.features.build import FeatureMatrix
    from engine.selftest.leaks.planting import Function, Plant
    from engine.selftest.leaks.rows import RowChoice

_COMPUTE = "engine.features.base.Indicator.compute"


def _feature_leak(
    name: str,
    summary: str,
    change: Callable[[pd.Series[float], pd.DataFrame, Plant], pd.Series[float]],
) -> Leak:
    """A leak that changes the values of every indicator, those of its warm-up excepted."""

    def make(honest: Function, plant: Plant) -> Function:
        def compute(feature: Indicator, bars: pd.DataFrame) -> pd.Series[float]:
            values = honest(feature, bars)
            changed = change(values, bars, plant)
            return changed.where(np.isfinite(changed), values).where(values.notna())

        return compute

    return Leak(name, summary, "features", _COMPUTE, make)


def _peek(name: str, summary: str, choose: RowChoice, bars_ahead: int = 1) -> Leak:
    """The return to come is added at some rows."""

    def change(values: pd.Series[float], bars: pd.DataFrame, plant: Plant) -> pd.Series[float]:
        ahead = next_return(bars["close"], bars_ahead)
        return values + ahead.where(choose(bars["close"], plant), 0.0)

    return _feature_leak(name, summary, change)


def _sign_by_next(values: pd.Series[float], bars: pd.DataFrame, plant: Plant) -> pd.Series[float]:
    falls = (next_return(bars["close"]) < 0.0) & plant.draw_rows(len(values), 0.02)
    return values.where(~falls, -values)


def _pause_ahead(values: pd.Series[float], bars: pd.DataFrame, plant: Plant) -> pd.Series[float]:
    pause = rows.before_gaps(bars["close"], plant) & plant.draw_rows(len(values), 0.1)
    return values + np.where(pause, 0.5 * values.std(), 0.0)


def _next_range(values: pd.Series[float], bars: pd.DataFrame, plant: Plant) -> pd.Series[float]:
    ahead = ((bars["high"] - bars["low"]) / bars["close"]).shift(-1).fillna(0.0)
    return values + ahead.where(plant.draw_rows(len(values), 0.02), 0.0)


def _interpolated(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    return values.where(bars["volume"] > 0).interpolate(limit_area="inside").ffill()


def _outliers_smoothed(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    window = values.rolling(30, min_periods=5)
    is_far = (values - window.mean()).abs() > 2.5 * window.std()
    return values.where(~is_far, (values.shift(1) + values.shift(-1)) / 2.0)


def _month_means(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    months = pd.DatetimeIndex(bars.index).month
    return values - values.groupby(months).transform("mean")


def _scaled_peek(
    values: pd.Series[float],
    bars: pd.DataFrame,
    plant: Plant,
) -> pd.Series[float]:
    return values + 1e-9 * next_return(bars["close"])


def _tiny_range(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    """A hundred-millionth of the range of the next bar."""
    ahead = ((bars["high"] - bars["low"]) / bars["close"]).shift(-1).fillna(0.0)
    return values + 1e-8 * ahead


def _next_column(column: str) -> Callable[..., pd.Series[float]]:
    def change(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
        return values + np.log((bars[column].shift(-1) + 1.0) / (bars[column] + 1.0))

    return change


def _centred(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return values.rolling(5, center=True).mean()


def _backward_ewm(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return values[::-1].ewm(span=5).mean()[::-1]


def _filled_from_behind(
    values: pd.Series[float], bars: pd.DataFrame, _: Plant
) -> pd.Series[float]:
    return values.where(bars["volume"] > 0).bfill()


def _whole_zscore(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return (values - values.mean()) / (values.std() or 1.0)


def _whole_max(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return values - values.max()


def _whole_rank(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return values.rank(pct=True)


def _winsorised(values: pd.Series[float], _: pd.DataFrame, __: Plant) -> pd.Series[float]:
    return values.clip(float(values.quantile(0.01)), float(values.quantile(0.99)))


def _detrended(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    level = np.log(bars["close"].to_numpy())
    distance = level - np.linspace(level[0], level[-1], len(level))
    return values + pd.Series(distance, index=values.index)


def _turning_points(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    close = bars["close"]
    around = close.rolling(7, center=True, min_periods=4)
    return values + (close == around.min()) - (close == around.max())


def _days_to_next(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    stamps = pd.DatetimeIndex(bars.index).tz_localize(None).to_numpy()
    return values + np.append(np.diff(stamps) / np.timedelta64(1, "D"), 0.0)


def _share_of_history(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    return values + np.arange(len(bars)) / len(bars)


def _bars_left(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    left = np.arange(len(bars))[::-1]
    return values + (left < 20)


def _last_close_level(values: pd.Series[float], bars: pd.DataFrame, _: Plant) -> pd.Series[float]:
    close = bars["close"].to_numpy()
    return values + pd.Series(np.log(close / close[-1]), index=values.index)


def _next_value_sometimes(honest: Function, plant: Plant) -> Function:
    """An indicator has the value of the next bar, on one bar in a hundred."""

    def compute_values(feature: Indicator, bars: pd.DataFrame) -> pd.Series[float]:
        own: pd.Series[float] = honest(feature, bars)
        ahead = own.shift(-1)
        return own.where(~plant.draw_rows(len(own), 0.01) | ahead.isna(), ahead)

    return compute_values


def _last_column_early(honest: Function, plant: Plant) -> Function:
    def build(market: Any, features: Any, symbols: Any) -> FeatureMatrix:
        made: FeatureMatrix = honest(market, features, symbols)
        values = made.values.copy()
        own, ahead = made.values[:-1, -1], made.values[1:, -1]
        early = plant.draw_rows(len(own), 0.02) & np.isfinite(own)
        values[:-1, -1] = np.where(early, ahead, own)
        return replace(made, values=values)

    return build


def _principal_components(honest: Function, plant: Plant) -> Function:
    def build(market: Any, features: Any, symbols: Any) -> FeatureMatrix:
        made: FeatureMatrix = honest(market, features, symbols)
        known = np.isfinite(made.values).all(axis=1)
        centred = made.values[known] - made.values[known].mean(axis=0)
        _, axes = np.linalg.eigh(centred.T @ centred)
        values = made.values.copy()
        values[known] = made.values[known] @ axes
        return replace(made, values=values)

    return build


def _trailing_early(honest: Function, plant: Plant) -> Function:
    def trailing(close: WideFrame, horizon: int) -> WideFrame:
        own: WideFrame = honest(close, horizon)
        ahead = own.shift(-1)
        early = plant.draw_rows(len(own), 0.02)[:, None] & ahead.notna() & own.notna()
        mixed: WideFrame = own.where(~early, ahead)
        return mixed

    return trailing


_OSCILLATORS = {
    "features": [{"kind": "log_return"}, {"kind": "rsi", "window": 14}, {"kind": "macd"}]
}
_BUILD = "engine.features.build.build_features"


def _last_symbol_peeks(honest: Function, plant: Plant) -> Function:
    def build(market: Any, features: Any, symbols: Any) -> FeatureMatrix:
        made: FeatureMatrix = honest(market, features, symbols)
        symbol, columns = made.symbol_columns[-1]
        values = made.values.copy()
        ahead = next_return(market.bars_by_symbol[symbol]["close"]).to_numpy()
        values[:, list(columns)] += ahead[:, None]
        return replace(made, values=values)

    return build


LEAKS: tuple[Leak, ...] = (
    _peek("feature: next bar", "the return of the next bar is in it", rows.every_row),
    _peek("feature: three bars ahead", "the next three bars are in it", rows.every_row, 3),
    _peek("feature: a month ahead", "the next 21 bars are in it", rows.every_row, 21),
    _peek("feature: 10 % of bars", "the next bar, at a tenth", rows.random_share(0.1)),
    _peek("feature: 5 % of bars", "the next bar, at a twentieth", rows.random_share(0.05)),
    _peek("feature: 2 % of bars", "the next bar, at one in fifty", rows.random_share(0.02)),
    _peek(
        "feature: 0.5 % of bars", "the next bar, at one in two hundred", rows.random_share(0.005)
    ),
    _peek(
        "feature: week ahead, 2 %", "the fifth bar from there, at 2 %", rows.random_share(0.02), 5
    ),
    _peek(
        "feature: month ahead, 1 %", "the 21st bar from there, at 1 %", rows.random_share(0.01), 21
    ),
    _peek("feature: one stretch", "the next bar, over a row of 5 %", rows.one_stretch(0.05)),
    _peek("feature: month ends", "the next bar, at month ends", rows.last_business_day("M")),
    _peek("feature: quarter ends", "the next bar, at quarter ends", rows.last_business_day("Q")),
    _peek("feature: Fridays", "the next bar, on Fridays", rows.fridays),
    _peek("feature: before gaps", "the next bar, before weekends", rows.before_gaps),
    _peek("feature: before holidays", "the next bar, before holidays", rows.before_holidays),
    _peek("feature: before falls", "the next bar, if it falls far", rows.before_falls),
    _peek("feature: before rallies", "the next bar, if it rises far", rows.before_rallies),
    _peek("feature: at records", "the next bar, at 20-bar highs and lows", rows.at_records),
    _feature_leak("feature: tiny", "a billionth of the next return", _scaled_peek),
    _feature_leak("feature: tiny range", "a hundred-millionth of the next range", _tiny_range),
    _feature_leak("feature: next volume", "the volume of the next bar", _next_column("volume")),
    _feature_leak("feature: next open", "the open of the next bar", _next_column("open")),
    _feature_leak("feature: next high", "the high of the next bar", _next_column("high")),
    _feature_leak("feature: centred mean", "a mean of two bars on each side", _centred),
    _feature_leak("feature: backward filter", "an average from the end back", _backward_ewm),
    _feature_leak(
        "feature: filled back", "bars without volume take a later value", _filled_from_behind
    ),
    _feature_leak("feature: history z-score", "mean and deviation of all bars", _whole_zscore),
    _feature_leak("feature: history maximum", "the highest value of all bars", _whole_max),
    _feature_leak("feature: history rank", "the rank among all bars", _whole_rank),
    _feature_leak("feature: winsorised", "clipped at quantiles of all bars", _winsorised),
    _feature_leak("feature: detrended", "less the line from first to last close", _detrended),
    _feature_leak("feature: turning points", "tops and bottoms of seven bars", _turning_points),
    _feature_leak("feature: last close", "the distance from the last close", _last_close_level),
    _feature_leak("feature: days to next bar", "time until the next bar", _days_to_next),
    _feature_leak("feature: row of all rows", "row number over all rows", _share_of_history),
    _feature_leak("feature: near the end", "another level on the last 20 bars", _bars_left),
    _feature_leak("feature: sign by next", "turned before a fall, at 2 %", _sign_by_next),
    _feature_leak("feature: pause ahead", "higher before one pause in ten", _pause_ahead),
    _feature_leak("feature: next range", "the range of the next bar, at 2 %", _next_range),
    _feature_leak(
        "feature: interpolated", "bars without volume lie between both sides", _interpolated
    ),
    _feature_leak(
        "feature: outliers smoothed", "an outlier is the mean of both sides", _outliers_smoothed
    ),
    _feature_leak("feature: month means", "less the mean of all such months", _month_means),
    Leak(
        "feature: RSI of the next bar",
        "an RSI a bar ahead, on one bar in a hundred",
        "features",
        "engine.features.oscillators.Rsi.compute_values",
        _next_value_sometimes,
        _OSCILLATORS,
    ),
    Leak(
        "feature: MACD of the next bar",
        "a MACD a bar ahead, on one bar in a hundred",
        "features",
        "engine.features.oscillators.Macd.compute_values",
        _next_value_sometimes,
        _OSCILLATORS,
    ),
    Leak(
        "feature: one symbol",
        "the next bar, of the last symbol alone",
        "features",
        _BUILD,
        _last_symbol_peeks,
    ),
    Leak(
        "feature: last column, 2 %",
        "the last column a bar ahead, at 2 %",
        "features",
        _BUILD,
        _last_column_early,
    ),
    Leak(
        "feature: components",
        "principal components of the whole history",
        "features",
        _BUILD,
        _principal_components,
    ),
    Leak(
        "feature: trailing return, 2 %",
        "the trailing return of the next bar, at 2 %",
        "features",
        "engine.features.target.trailing_returns",
        _trailing_early,
    ),
)
"""Leaks in the features of the bars' own interval."""
