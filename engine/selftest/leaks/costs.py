"""Leaks in costs: a charge that knows the bar of its fill, or later ones."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.selftest.leaks.planting import Leak
from engine.simulation.funding import compute_funding

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix, Vector, WideFrame
    from engine.selftest.leaks.planting import Function, Plant

_ESTIMATES = "engine.simulation.bar_estimates"

_CHARGED = {
    "capital": 1_000_000,
    "costs": {
        "kind": "itemised",
        "spread": {"kind": "corwin_schultz", "window": 5},
        "impact": {"kind": "square_root", "window": 5},
        "max_participation": 0.5,
    },
}
"""Costs of every estimate."""


_FUNDED = {"costs": {"kind": "itemised", "funding": {"missing": "zero"}}}


def _early(bars: int) -> Callable[[Function, Plant], Function]:
    """The value of a row so many bars later."""

    def replace_function(honest: Function, plant: Plant) -> Function:
        def estimate(*arguments: Any) -> Matrix:
            value: Matrix = honest(*arguments)
            return np.concatenate([value[bars:], np.repeat(value[-1:], bars, axis=0)])

        return estimate

    return replace_function


def _scaled_by_whole_history(honest: Function, plant: Plant) -> Function:
    def estimate(*arguments: Any) -> Matrix:
        value: Matrix = honest(*arguments)
        return np.broadcast_to(np.nanmean(value, axis=0), value.shape).copy()

    return estimate


def _next_payments(honest: Function, plant: Plant) -> Function:
    """The funding of the bar after; a payment that is received twice would be no less a leak."""

    def align(*arguments: Any) -> tuple[Vector, Vector]:
        to_open, to_close = honest(*arguments)
        return to_open, np.concatenate([to_close[1:], to_close[-1:]])

    return align


def _next_payment_where_received(honest: Function, plant: Plant) -> Function:
    """Longs pay nothing where the payment after the bar is one that they receive."""

    def align(*arguments: Any) -> tuple[Vector, Vector]:
        to_open, to_close = honest(*arguments)
        after = np.concatenate([to_close[1:], to_close[-1:]])
        return to_open, np.where(after < 0, np.minimum(to_close, 0.0), to_close)

    return align


def _size_by_next_payment(honest: Function, plant: Plant) -> Function:
    """Half the size where longs pay at the bar after the decision."""

    def compute_sizes(sizing: Any, forecasts: Any, *rest: Any) -> WideFrame:
        sizes: WideFrame = honest(sizing, forecasts, *rest)
        _, to_close = compute_funding(plant.seen["bars"])
        after = to_close.shift(-1).reindex(index=sizes.index, columns=sizes.columns)
        return sizes.where(~(after > 0), 0.5 * sizes)

    return compute_sizes


def _mean_payment(honest: Function, plant: Plant) -> Function:
    def align(*arguments: Any) -> tuple[Vector, Vector]:
        to_open, to_close = honest(*arguments)
        return to_open, np.full_like(to_close, to_close.mean())

    return align


def _own_close(honest: Function, plant: Plant) -> Function:
    """A spread that is 0 where the bar of the fill closes high in its range."""

    def estimate(high: Matrix, low: Matrix, close: Matrix, window: int) -> Matrix:
        value: Matrix = honest(high, low, close, window)
        return np.where(close > (high + low) / 2, 0.0, value)

    return estimate


def _own_close_of_some(honest: Function, plant: Plant) -> Function:
    everywhere = _own_close(honest, plant)

    def estimate(high: Matrix, low: Matrix, close: Matrix, window: int) -> Matrix:
        chosen = plant.draw_rows(len(close), 0.2)[:, None]
        arguments = (high, low, close, window)
        leaking: Matrix = everywhere(*arguments)
        own: Matrix = honest(*arguments)
        return np.where(chosen, leaking, own)

    return estimate


def _cost_leak(
    name: str, summary: str, function: str, change: Callable[[Function, Plant], Function]
) -> Leak:
    return Leak(name, summary, "costs", function, change, _CHARGED)


COSTS: tuple[Leak, ...] = (
    _cost_leak(
        "cost: spread of the bar",
        "the range of the fill's own bar is in the spread",
        f"{_ESTIMATES}.estimate_corwin_schultz_spread",
        _early(1),
    ),
    _cost_leak(
        "cost: spread by the close",
        "no spread where the fill's own bar closes in its upper half",
        f"{_ESTIMATES}.estimate_corwin_schultz_spread",
        _own_close,
    ),
    _cost_leak(
        "cost: spread of all bars",
        "the mean spread of the whole history",
        f"{_ESTIMATES}.estimate_corwin_schultz_spread",
        _scaled_by_whole_history,
    ),
    _cost_leak(
        "cost: spread, 10 % of bars",
        "no spread at a tenth of the bars, by their own close",
        f"{_ESTIMATES}.estimate_corwin_schultz_spread",
        _own_close_of_some,
    ),
    _cost_leak(
        "cost: volatility of the bar",
        "the impact is of a volatility with the return of the fill's own bar",
        f"{_ESTIMATES}.estimate_volatility",
        _early(1),
    ),
    _cost_leak(
        "cost: volume of the bar",
        "the impact is of a mean volume with that of the fill's own bar",
        f"{_ESTIMATES}.estimate_volume",
        _early(1),
    ),
    _cost_leak(
        "cost: volume ahead",
        "the impact is of the volumes of the bars after the fill",
        f"{_ESTIMATES}.estimate_volume",
        _early(6),
    ),
    _cost_leak(
        "cost: limit of the next bar",
        "an order is filled up to a share of the volume of the bar after",
        "engine.simulation.itemised_costs.fillable_units",
        _early(1),
    ),
    *(
        Leak(name, summary, "costs", "engine.simulation.funding.align_funding", change, _FUNDED)
        for name, summary, change in (
            (
                "cost: funding of the next bar",
                "positions pay the funding of the bar after the one that they are held at",
                _next_payments,
            ),
            (
                "cost: funding by the next",
                "longs pay nothing at a bar if the payments after it are received",
                _next_payment_where_received,
            ),
            ("cost: funding of all bars", "the mean payment of the history", _mean_payment),
        )
    ),
    Leak(
        "size: next funding",
        "half the size where longs pay funding at the bar after the decision",
        "positions",
        "engine.signals.sizing.VolatilityTargetSizing.compute_sizes",
        _size_by_next_payment,
        {
            **_FUNDED,
            "sizing": {"kind": "volatility_target", "target_pct_per_year": 15, "window": 20},
        },
        reads_bars_aside=True,
    ),
)
"""Spreads, impacts, limits and funding that know their own bar or later ones."""
