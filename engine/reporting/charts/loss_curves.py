"""Loss curves of a window's fits, small enough for a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.reporting.charts import time_chart
from engine.reporting.charts.axes import linear_axis

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

LOSS_KEYS = ("train_loss", "validation_loss")


def expand_ensemble_fits(fits: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """What has epochs of its own: the members of an ensemble's fit in its place."""
    return [
        part
        for fit in fits
        for part in (expand_ensemble_fits(fit["members"]) if fit.get("members") else [fit])
    ]


def draw_loss_curves(fits: Sequence[Mapping[str, Any]]) -> tuple[time_chart.Area, ...]:
    """A path a fit and curve, on one axis for all fits of the window.

    Args:
        fits: Of one window; `train_loss` and `validation_loss`, one value an epoch, or `members`
            that have them.

    Returns:
        Nothing where no fit has epochs (ridge, persistence).
    """
    curves = [
        (name, np.array([_loss_or_nan(value) for value in fit.get(name) or ()]))
        for fit in expand_ensemble_fits(fits)
        for name in LOSS_KEYS
    ]
    curves = [(name, curve) for name, curve in curves if len(curve) > 1]
    if not curves:
        return ()
    together = np.concatenate([curve for _, curve in curves])
    together = together[np.isfinite(together)]
    axis = linear_axis(float(together.min()), float(together.max()))
    epochs = max(len(curve) for _, curve in curves)
    return tuple(
        time_chart.Area(
            name.removesuffix("_loss"),
            time_chart.line_path(np.arange(len(curve)) / (epochs - 1), axis.to_fraction(curve)),
        )
        for name, curve in curves
    )


def _loss_or_nan(value: float | None) -> float:
    return np.nan if value is None else float(value)
