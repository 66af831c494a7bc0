"""Leaks in orders, fills and marks: an order that knows the bar that fills it, or later ones."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.selftest.leaks.planting import Leak
from engine.selftest.leaks.rows import LARGE_MOVE

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd

    from engine.core.types import WideFrame
    from engine.selftest.leaks.planting import Function, Plant
    from engine.simulation.portfolio import SimulationResult

_ORDERS = "engine.signals.orders.schedule_orders"
_ALL = "engine.simulation.portfolio.simulate_all"
_BOOKS = "engine.pipeline.steps.simulate_books"

_TURNING = {
    "signal": {"kind": "threshold", "enter_bps": 0, "exit_bps": 0, "side": "long_only"},
    "execution": {"delay": 1, "price": "open"},
}
"""Positions that change often, filled at the next open."""


def _early(
    choose: Callable[[WideFrame, Plant], WideFrame],
) -> Callable[[Function, Plant], Function]:
    """Orders that are chosen are due at the bar whose close decided them."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def schedule(weights: WideFrame, delay: int, lags: WideFrame | None = None) -> WideFrame:
            own: WideFrame = honest(weights, delay, lags)
            decided: WideFrame = honest(weights, 1).shift(-1)
            early = choose(weights, plant) & decided.notna()
            late = own.where(~early.shift(delay, fill_value=False))
            return late.where(~early, decided)

        return schedule

    return replace_function


def _all(weights: WideFrame, _: Plant) -> WideFrame:
    return weights.notna()


def _entries(weights: WideFrame, _: Plant) -> WideFrame:
    return weights.ne(0.0)


def _exits(weights: WideFrame, _: Plant) -> WideFrame:
    return weights.eq(0.0)


def _some(weights: WideFrame, plant: Plant) -> WideFrame:
    drawn = plant.draw_rows(len(weights), 0.1)
    return weights.notna().mul(drawn, axis=0)


def _simulated(
    change: Callable[[WideFrame, WideFrame, WideFrame], WideFrame],
) -> Callable[[Function, Plant], Function]:
    """Changes the weights of every book by the opens and closes of all bars."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def simulate(books: Any, opens: WideFrame, closes: WideFrame, **terms: Any) -> Any:
            changed = {
                book: change(weights, opens[weights.columns], closes[weights.columns])
                for book, weights in books.items()
            }
            return honest(changed, opens, closes, **terms)

        return simulate

    return replace_function


def _dropped(
    chosen: Callable[[WideFrame], WideFrame],
) -> Callable[[WideFrame, WideFrame, WideFrame], WideFrame]:
    """A decision is not carried out where the bar that fills it is a chosen one."""

    def change(weights: WideFrame, opens: WideFrame, closes: WideFrame) -> WideFrame:
        at_fill = chosen(closes / opens - 1.0).shift(-1, fill_value=False)
        return weights.where(~at_fill).ffill().fillna(0.0)

    return change


def _dropped_buys(weights: WideFrame, opens: WideFrame, closes: WideFrame) -> WideFrame:
    """A buy is not carried out where the bar that fills it falls."""
    falls = (closes < opens).shift(-1, fill_value=False)
    buys = weights.gt(weights.shift(fill_value=0.0))
    return weights.where(~(falls & buys)).ffill().fillna(0.0)


def _moved_if_better(weights: WideFrame, opens: WideFrame, closes: WideFrame) -> WideFrame:
    """A decision waits a bar where the open after the next one is better for it."""
    before = weights.shift(fill_value=0.0)
    cheaper = opens.shift(-2).lt(opens.shift(-1))
    better = (weights.gt(before) & cheaper) | (weights.lt(before) & ~cheaper)
    return weights.where(~better, before)


def _sized_by_fill_bar(weights: WideFrame, opens: WideFrame, closes: WideFrame) -> WideFrame:
    return weights * (closes / opens).shift(-1).fillna(1.0)


def _priced(
    price: Callable[[WideFrame, WideFrame], WideFrame],
) -> Callable[[Function, Plant], Function]:
    """Fills at another price, of opens and closes."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def simulate(books: Any, opens: WideFrame, closes: WideFrame, **terms: Any) -> Any:
            return honest(books, price(opens, closes), closes, **terms)

        return simulate

    return replace_function


def _better(honest: Function, plant: Plant) -> Function:
    """Each fill at the better of open and close: the lower one where the bar rises."""

    def simulate(books: Any, opens: WideFrame, closes: WideFrame, **terms: Any) -> Any:
        made: dict[str, SimulationResult] = {}
        for book, weights in books.items():
            grows = weights.ge(weights.shift(fill_value=0.0)).shift(fill_value=True)
            own, shut = opens[weights.columns], closes[weights.columns]
            best = np.minimum(own, shut).where(grows, np.maximum(own, shut))
            made |= honest({book: weights}, best, closes, **terms)
        return made

    return simulate


def _at_lows(honest: Function, plant: Plant) -> Function:
    def simulate(spec: Any, prepared: Any, weights: Any) -> Any:
        bars = prepared.market.bars.assign(open=prepared.market.bars["low"])
        lower = replace(prepared, market=replace(prepared.market, bars=bars))
        return honest(spec, lower, weights)

    return simulate


def _limit_orders(honest: Function, plant: Plant) -> Function:
    """A decision is carried out where the bar that fills it trades 1 % away from its open."""

    def simulate(spec: Any, prepared: Any, weights: Any) -> Any:
        span, market = prepared.span, prepared.market
        low, opened = (market.wide(name).loc[span] for name in ("low", "open"))
        reached = (low < 0.995 * opened).shift(-1, fill_value=True)
        touched = {
            book: own.where(reached[own.columns]).ffill().fillna(0.0)
            for book, own in weights.items()
        }
        return honest(spec, prepared, touched)

    return simulate


def _fill_leak(
    name: str, summary: str, function: str, change: Callable[[Function, Plant], Function]
) -> Leak:
    return Leak(name, summary, "fills", function, change, _TURNING)


FILLS: tuple[Leak, ...] = (
    _fill_leak("order: no delay", "filled on the bar that decided it", _ORDERS, _early(_all)),
    _fill_leak("order: entries undelayed", "the same for entries", _ORDERS, _early(_entries)),
    _fill_leak("order: exits undelayed", "the same for exits to flat", _ORDERS, _early(_exits)),
    _fill_leak(
        "order: undelayed, 10 %", "the same on a tenth of the bars", _ORDERS, _early(_some)
    ),
    _fill_leak(
        "order: dropped in falls",
        "not filled on a bar that falls",
        _ALL,
        _simulated(_dropped(lambda moves: moves < 0)),
    ),
    _fill_leak(
        "order: dropped in rises",
        "not filled on a bar that rises",
        _ALL,
        _simulated(_dropped(lambda moves: moves > 0)),
    ),
    _fill_leak(
        "order: dropped, rare falls",
        "not filled on a bar that falls by 3 %",
        _ALL,
        _simulated(_dropped(lambda moves: moves < -LARGE_MOVE)),
    ),
    _fill_leak(
        "order: dropped, rare rises",
        "not filled on a bar that rises by 3 %",
        _ALL,
        _simulated(_dropped(lambda moves: moves > LARGE_MOVE)),
    ),
    _fill_leak(
        "order: buys dropped",
        "buys are not filled on a bar that falls",
        _ALL,
        _simulated(_dropped_buys),
    ),
    _fill_leak(
        "order: moved if better",
        "waits a bar if the next open is better",
        _ALL,
        _simulated(_moved_if_better),
    ),
    _fill_leak(
        "order: sized at the fill",
        "sized by the close of the bar that fills it",
        _ALL,
        _simulated(_sized_by_fill_bar),
    ),
    _fill_leak(
        "order: limit reached", "filled if the bar falls by half a percent", _BOOKS, _limit_orders
    ),
    _fill_leak("fill: better price", "at the better of open and close", _ALL, _better),
    _fill_leak(
        "fill: previous close",
        "at the close before the bar",
        _ALL,
        _priced(lambda opens, closes: closes.shift(1).fillna(opens)),
    ),
    _fill_leak(
        "fill: next open",
        "at the open of the bar after",
        _ALL,
        _priced(lambda opens, closes: opens.shift(-1).fillna(closes)),
    ),
    _fill_leak("fill: low of the bar", "at the low of the bar", _BOOKS, _at_lows),
)
"""Orders that know the bar that fills them, and fills at other prices."""


def _returns(
    change: Callable[[pd.Series[float], SimulationResult, WideFrame, Plant], pd.Series[float]],
) -> Callable[[Function, Plant], Function]:
    """Changes the returns of every book."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def simulate(books: Any, opens: Any, closes: WideFrame, **terms: Any) -> Any:
            made = honest(books, opens, closes, **terms)
            return {
                book: replace(own, returns=change(own.returns, own, closes, plant))
                for book, own in made.items()
            }

        return simulate

    return replace_function


def _gain_ahead(own: SimulationResult, closes: WideFrame) -> pd.Series[float]:
    """What the holdings at each close earn until the next."""
    held = own.held_weights
    ahead = (closes[held.columns].shift(-1) / closes[held.columns] - 1.0).fillna(0.0)
    return (held * ahead).sum(axis=1)


def _marked_ahead(
    returns: pd.Series[float], own: SimulationResult, closes: WideFrame, _: Plant
) -> pd.Series[float]:
    ahead = _gain_ahead(own, closes)
    return (1 + returns) * (1 + ahead) / (1 + ahead.shift(fill_value=0.0)) - 1


def _marked_ahead_once(
    returns: pd.Series[float], own: SimulationResult, closes: WideFrame, plant: Plant
) -> pd.Series[float]:
    """At the bar whose next one earns most of a few that are drawn."""
    ahead = _gain_ahead(own, closes)
    drawn = ahead.where(plant.draw_rows(len(ahead), 0.2), -1.0)
    once = ahead.where(ahead.index == drawn.idxmax(), 0.0)
    return (1 + returns) * (1 + once) / (1 + once.shift(fill_value=0.0)) - 1


def _returns_early(
    returns: pd.Series[float], _: SimulationResult, __: WideFrame, ___: Plant
) -> pd.Series[float]:
    return returns.shift(-1, fill_value=0.0)


def _clipped_returns(
    returns: pd.Series[float], _: SimulationResult, __: WideFrame, ___: Plant
) -> pd.Series[float]:
    return returns.clip(lower=float(returns.quantile(0.02)))


def _losses_not_marked(
    returns: pd.Series[float], _: SimulationResult, __: WideFrame, ___: Plant
) -> pd.Series[float]:
    return returns.where(returns > -0.02, 0.0)


def _mark_leak(name: str, summary: str, change: Callable[..., pd.Series[float]]) -> Leak:
    return _fill_leak(name, summary, _ALL, _returns(change))


MARKS: tuple[Leak, ...] = (
    _mark_leak("mark: next close", "valued at the next close", _marked_ahead),
    _mark_leak("mark: next close, once", "the same on one bar", _marked_ahead_once),
    _mark_leak("mark: a bar early", "returns are those of the next bar", _returns_early),
    _mark_leak("mark: clipped", "returns are clipped at a quantile of all", _clipped_returns),
    _mark_leak("mark: losses left out", "a loss of more than 2 % is none", _losses_not_marked),
)
"""Returns that are not the change of the equity at the closes."""
