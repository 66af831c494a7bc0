"""Leaks in labels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.selftest.leaks import rows
from engine.selftest.leaks.planting import Leak

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import WideFrame
    from engine.selftest.leaks.planting import Function, Plant
    from engine.selftest.leaks.rows import RowChoice


def _labels(
    change: Callable[[Function, WideFrame, int, Plant], WideFrame],
) -> Callable[[Function, Plant], Function]:
    def replace_function(honest: Function, plant: Plant) -> Function:
        def forward(close: WideFrame, horizon: int) -> WideFrame:
            return change(honest, close, horizon, plant)

        return forward

    return replace_function


def _late(choose: RowChoice, bars: int = 1) -> Callable[..., WideFrame]:
    def change(honest: Function, close: WideFrame, horizon: int, plant: Plant) -> WideFrame:
        own, late = honest(close, horizon), honest(close, horizon + bars)
        rows_late = choose(close.iloc[:, 0], plant)
        mixed: WideFrame = own.where(~rows_late[:, None] | late.isna(), late)
        return mixed

    return change


def _demeaned(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own: WideFrame = honest(close, horizon)
    return own - own.mean()


def _clipped(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own: WideFrame = honest(close, horizon)
    return own.clip(own.quantile(0.02), own.quantile(0.98), axis=1)


def _smoothed(honest: Function, close: WideFrame, horizon: int, _: Plant) -> WideFrame:
    own, longer = honest(close, horizon), honest(close, horizon + 2)
    mean: WideFrame = (own + longer.fillna(own)) / 2
    return mean


def _rows_behind(honest: Function, plant: Plant) -> Function:
    def targets(history: Any, symbol: str, taken: slice, horizons: Any) -> Any:
        return honest(history, symbol, slice(taken.start + 1, taken.stop + 1), horizons)

    return targets


def _label_leak(name: str, summary: str, change: Callable[..., WideFrame]) -> Leak:
    function = "engine.features.target.forward_returns"
    return Leak(name, summary, "labels", function, _labels(change))


LABELS: tuple[Leak, ...] = (
    _label_leak("label: one bar late", "it ends a bar too late", _late(rows.every_row)),
    _label_leak(
        "label: late, 10 %", "the same at a tenth of the bars", _late(rows.random_share(0.1))
    ),
    _label_leak("label: late, 1 %", "the same at a hundredth", _late(rows.random_share(0.01))),
    _label_leak(
        "label: late before falls",
        "the same where the next bar falls far",
        _late(rows.before_falls),
    ),
    _label_leak("label: smoothed", "the mean with one that ends two bars later", _smoothed),
    _label_leak("label: demeaned", "less the mean of the whole history", _demeaned),
    _label_leak("label: clipped", "clipped at quantiles of the whole history", _clipped),
    Leak(
        "label: rows behind",
        "each row has the label of the next one",
        "labels",
        "engine.training.datasets.target_returns",
        _rows_behind,
    ),
)
"""Labels that end too late, or know the whole history."""
