"""Leaks in decisions: positions and sizes that know later forecasts or closes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from engine.selftest.leaks import rows
from engine.selftest.leaks.planting import Leak
from engine.selftest.leaks.rows import LARGE_MOVE

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Vector, WideFrame
    from engine.selftest.leaks.planting import Function, Plant

_HYSTERESIS = "engine.signals.hysteresis.apply_hysteresis"
_WEIGHTS = "engine.signals.target_weights.compute_target_weights"
_SIZES = "engine.signals.sizing.VolatilityTargetSizing.compute_sizes"
_RULE = "engine.signals.benchmarks.compute_benchmark_weights"

_VOLATILITY = {"sizing": {"kind": "volatility_target", "target_pct_per_year": 15, "window": 20}}
_BOTH_SIDES = {
    "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_short"}
}


def _decided_by(change: Callable[[Vector], Vector]) -> Callable[[Function, Plant], Function]:
    """Decides on other forecasts."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def hysteresis(values: Vector, *rest: Any) -> Vector:
            return np.asarray(honest(change(values), *rest))

        return hysteresis

    return replace_function


def _weights(
    change: Callable[[WideFrame, WideFrame, Plant], WideFrame],
) -> Callable[[Function, Plant], Function]:
    """Changes a model's weights by the closes of all bars."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def compute(forecasts: Any, close: WideFrame, *rest: Any, **named: Any) -> WideFrame:
            weights: WideFrame = honest(forecasts, close, *rest, **named)
            return change(weights, close[weights.columns], plant)

        return compute

    return replace_function


def _rule_weights(
    change: Callable[[WideFrame, WideFrame, Plant], WideFrame],
) -> Callable[[Function, Plant], Function]:
    """Changes the weights of every benchmark rule by the closes of all bars."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def compute(rule: Any, close: WideFrame, *rest: Any) -> WideFrame:
            weights: WideFrame = honest(rule, close, *rest)
            return change(weights, close[weights.columns], plant)

        return compute

    return replace_function


def _ahead(close: WideFrame, weights: WideFrame, bars: int = 1) -> WideFrame:
    """The return over the next bars at each row of the weights; 0 where not known."""
    returns = (close.shift(-bars) / close - 1.0).fillna(0.0)
    return returns.loc[weights.index]


def _flat_where(
    chosen: Callable[[WideFrame], WideFrame], bars: int = 1, factor: float = 0.0
) -> Callable[[WideFrame, WideFrame, Plant], WideFrame]:
    """Flat, or smaller by a factor, before bars with a chosen return."""

    def change(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
        before = chosen(_ahead(close, weights, bars))
        return weights.where(~before, factor * weights)

    return change


def _flat_on(
    choose: rows.RowChoice, losing: bool = True
) -> Callable[[WideFrame, WideFrame, Plant], WideFrame]:
    """Flat before a loss, at special rows alone."""

    def change(weights: WideFrame, close: WideFrame, plant: Plant) -> WideFrame:
        special = pd.Series(choose(close.iloc[:, 0], plant), index=close.index)
        losses = (weights * _ahead(close, weights) < 0) if losing else weights.notna()
        hit = losses.mul(special.loc[weights.index], axis=0).astype(bool)
        return weights.where(~hit, 0.0)

    return change


def _exits_early(weights: WideFrame, _: WideFrame, __: Plant) -> WideFrame:
    leaves = weights.shift(-1).eq(0.0)
    return weights.where(~leaves, 0.0)


def _entries_early(weights: WideFrame, _: WideFrame, __: Plant) -> WideFrame:
    enters = weights.eq(0.0) & weights.shift(-1).fillna(0.0).ne(0.0)
    return weights.where(~enters, weights.shift(-1))


def _loser_trades_left_out(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
    kept = weights.copy()
    gains = (weights * _ahead(close, weights)).fillna(0.0)
    for symbol in weights:
        trade = weights[symbol].ne(weights[symbol].shift()).cumsum()
        kept[symbol] = weights[symbol].where(gains[symbol].groupby(trade).transform("sum") >= 0, 0)
    return kept


def _stop_at_later_low(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
    ahead = close.to_numpy()
    lows = pd.DataFrame(
        [ahead[row + 1 : row + 6].min(axis=0, initial=np.inf) for row in range(len(ahead))],
        index=close.index,
        columns=close.columns,
    ).loc[weights.index]
    return weights.where(lows > 0.97 * close.loc[weights.index], 0.0)


def _reversed_at_turns(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
    ahead = _ahead(close, weights, 5)
    return weights.where(ahead > -0.05, -weights)


def _losing_shorts(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
    return weights.where(~((weights < 0) & (_ahead(close, weights) > 0.01)), 0.0)


def _sizes(
    change: Callable[[WideFrame], WideFrame],
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def compute(*given: Any) -> WideFrame:
            return change(honest(*given))

        return compute

    return replace_function


def _later_volatility(honest: Function, plant: Plant) -> Function:
    def compute(sizing: Any, forecasts: Any, close: WideFrame, periods: float) -> WideFrame:
        own: WideFrame = honest(sizing, forecasts, close, periods)
        later = close[own.columns].pct_change().rolling(5).std().shift(-5)
        calm = later.le(later.rolling(60).median()).loc[own.index]
        return own.where(calm, 0.5 * own)

    return compute


def _next_size_sometimes(honest: Function, plant: Plant) -> Function:
    def compute(sizing: Any, forecasts: Any, close: WideFrame, periods: float) -> WideFrame:
        own: WideFrame = honest(sizing, forecasts, close, periods)
        ahead: WideFrame = honest(sizing, forecasts, close.shift(-1).ffill(), periods)
        early = plant.draw_rows(len(own), 0.1)[:, None] & own.notna()
        return own.where(~early, ahead)

    return compute


def _close_known(honest: Function, plant: Plant) -> Function:
    def compute(rule: Any, close: WideFrame, *rest: Any) -> WideFrame:
        moved: WideFrame = honest(rule, close.shift(-1).ffill(), *rest)
        return moved

    return compute


def _whole_range(weights: WideFrame, close: WideFrame, _: Plant) -> WideFrame:
    """Out of the market in the upper tenth of all closes."""
    high = close.gt(close.quantile(0.9)).loc[weights.index]
    return weights.where(~high, 0.0)


def _model(
    name: str,
    summary: str,
    change: Callable[[WideFrame, WideFrame, Plant], WideFrame],
    needs: dict[str, Any] | None = None,
) -> Leak:
    return Leak(name, summary, "positions", _WEIGHTS, _weights(change), needs or {})


def _rule(
    name: str, summary: str, change: Callable[[WideFrame, WideFrame, Plant], WideFrame]
) -> Leak:
    return Leak(name, summary, "positions", _RULE, _rule_weights(change))


def _falls(ahead: WideFrame) -> WideFrame:
    return ahead < -LARGE_MOVE


def _rises(ahead: WideFrame) -> WideFrame:
    return ahead > LARGE_MOVE


POSITIONS: tuple[Leak, ...] = (
    Leak(
        "position: next forecast",
        "decided by the next bar's forecast",
        "positions",
        _HYSTERESIS,
        _decided_by(lambda values: np.append(values[1:], values[-1:])),
    ),
    Leak(
        "position: median forecast",
        "decided relative to the median of all forecasts",
        "positions",
        _HYSTERESIS,
        _decided_by(lambda values: values - np.median(values)),
        {"portfolio": {}},  # a book by rank decides without thresholds
    ),
    Leak(
        "position: centred forecast",
        "decided by a centred mean of forecasts",
        "positions",
        _HYSTERESIS,
        _decided_by(lambda values: np.convolve(values, np.ones(3) / 3, "same")),
    ),
    _model(
        "position: flat before falls", "flat before falls of more than 3 %", _flat_where(_falls)
    ),
    _model(
        "position: flat before rallies",
        "flat before rallies of more than 3 %",
        _flat_where(_rises),
        _BOTH_SIDES,
    ),
    _model(
        "position: half before falls",
        "half the size before falls of more than 3 %",
        _flat_where(_falls, factor=0.5),
    ),
    _model(
        "position: before a bad week",
        "flat before five bars that lose 5 %",
        _flat_where(lambda ahead: ahead < -0.05, bars=5),
    ),
    _model(
        "position: before any fall",
        "flat before every bar that falls",
        _flat_where(lambda ahead: ahead < 0),
    ),
    _model("position: bad Fridays", "flat on Fridays before a loss", _flat_on(rows.fridays)),
    _model(
        "position: bad month ends",
        "flat at month ends before a loss",
        _flat_on(rows.last_business_day("M")),
    ),
    _model(
        "position: losses, 5 %",
        "flat before a loss, on a twentieth of the bars",
        _flat_on(rows.random_share(0.05)),
    ),
    _model("position: exits early", "leaves a bar before the signal does", _exits_early),
    _model("position: entries early", "enters a bar before the signal does", _entries_early),
    _model("position: losing trades", "trades that lose are left out", _loser_trades_left_out),
    _model(
        "position: stop ahead",
        "flat before a close 3 % lower, within five bars",
        _stop_at_later_low,
    ),
    _model("position: reversed", "turned before five bars that lose 5 %", _reversed_at_turns),
    _model(
        "position: losing shorts", "no short before a rise of 1 %", _losing_shorts, _BOTH_SIDES
    ),
    Leak(
        "size: next bar",
        "the size of the next bar",
        "positions",
        _SIZES,
        _sizes(lambda sizes: sizes.shift(-1).ffill()),
        _VOLATILITY,
    ),
    Leak(
        "size: next close, 10 %",
        "the size with the next close, on a tenth of the bars",
        "positions",
        _SIZES,
        _next_size_sometimes,
        _VOLATILITY,
    ),
    Leak(
        "size: later volatility",
        "half where the next five bars are wild",
        "positions",
        _SIZES,
        _later_volatility,
        _VOLATILITY,
    ),
    Leak(
        "size: history mean",
        "relative to the mean size of all bars",
        "positions",
        _SIZES,
        _sizes(lambda sizes: sizes / sizes.mean() * 0.5),
        _VOLATILITY,
    ),
    Leak(
        "rule: next close", "benchmark rules know the next close", "positions", _RULE, _close_known
    ),
    _rule(
        "rule: flat before falls",
        "rules are flat before falls of more than 3 %",
        _flat_where(_falls),
    ),
    _rule(
        "rule: flat before rallies",
        "rules are flat before rallies of more than 3 %",
        _flat_where(_rises),
    ),
    _rule("rule: history quantile", "rules leave in the upper tenth of all closes", _whole_range),
    _rule(
        "rule: losses, 5 %",
        "rules are flat before a loss, on a twentieth of the bars",
        _flat_on(rows.random_share(0.05)),
    ),
)
"""Positions and sizes that know later bars, of the strategy and of benchmarks."""
