"""Loss curves of a window's fits, small enough for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting.charts import drawing
from engine.reporting.charts.axis import linear_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CURVES = ("train_loss", "validation_loss")


def trained(fits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What has epochs of its own: the members of an ensemble's fit in its place."""
    return [
        part for fit in fits for part in (trained(fit["members"]) if fit.get("members") else [fit])
    ]


def loss_curves(fits: Sequence[Mapping[str, Any]]) -> tuple[drawing.Area, ...]:
    """A path a fit and curve, on one axis for all fits of the window.

    Args:
        fits: Of one window; `train_loss` and `validation_loss`, one value an epoch, or `members`
            that have them.

    Returns:
        Nothing where no fit has epochs (ridge, persistence).
    """
    curves = [
        (name, np.array([_loss(value) for value in fit.get(name) or ()]))
        for fit in trained(fits)
        for name in CURVES
    ]
    curves = [(name, curve) for name, curve in curves if len(curve) > 1]
    if not curves:
        return ()
    together = np.concatenate([curve for _, curve in curves])
    together = together[np.isfinite(together)]
    axis = linear_axis(float(together.min()), float(together.max()))
    epochs = max(len(curve) for _, curve in curves)
    return tuple(
        drawing.Area(
            name.removesuffix("_loss"),
            drawing.line_path(np.arange(len(curve)) / (epochs - 1), axis.place(curve)),
        )
        for name, curve in curves
    )


def _loss(value: float | None) -> float:
    return np.nan if value is None else float(value)
