"""One forecast explained: Shapley values, gradients and attention at a bar."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from engine.core.randomness import derive_seed
from engine.interpretation.attention import attention_over_steps
from engine.interpretation.cell_groups import group_by_feature
from engine.interpretation.gradient_attribution import attribute_gradients, why_no_gradients
from engine.interpretation.shapley import shapley_values
from engine.runs.documents.interpretation import BarAttribution, BarFeature

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Vector
    from engine.interpretation.fitted_rows import ExplainedFit

BPS = 1e4
BAR_BACKGROUND = 64
"""Train rows that stand for inputs that are not known; of one bar more are affordable."""

BAR_ORDERS = 128
"""Orders of the inputs where there are too many for every coalition."""


def explain_bar(
    fits: Sequence[ExplainedFit], row: int, names: Sequence[str], seed: int
) -> BarAttribution:
    """What one forecast owes to every input, mean over the seeds.

    Args:
        fits: Those of a window and symbol, one a seed.
        row: Among the test rows.
        names: Of the inputs.
        seed: Of the orders that are drawn where there are many inputs.
    """
    first, rng = fits[0], np.random.default_rng(derive_seed(seed, "bar"))
    rows = first.test.take(np.array([row]))
    groups = group_by_feature(first.names, first.model.lookback)
    found = [
        shapley_values(
            fit.forecast,
            fit.test.take(np.array([row])),
            fit.background.take(_spread(len(fit.background))),
            groups,
            orders=BAR_ORDERS,
            rng=rng,
        )
        for fit in fits
    ]
    values = np.mean([own.values[0] for own in found], axis=0)
    gradients = _gradients(fits, row)
    attention = [attention_over_steps(fit, fit.test.take(np.array([row]))) for fit in fits]
    profile = [own[0] for own in attention if own is not None]
    forecast = float(np.mean([fit.forecast(fit.test.take(np.array([row])))[0] for fit in fits]))
    realised = float(first.realised[row])
    unscaled = _newest_values(first, len(rows.branches[0][0, -1]), row)
    features = [
        BarFeature(
            name=name,
            value=unscaled[place] if place < len(unscaled) else None,
            shapley_bps=float(BPS * values[place]),
            gradient_bps=None if gradients is None else float(BPS * gradients[place]),
        )
        for place, name in enumerate(names)
    ]
    return BarAttribution(
        timestamp=first.stamps[row].isoformat(),
        symbol=first.symbol,
        window=first.window,
        forecast_bps=BPS * forecast,
        base_bps=BPS * float(np.mean([own.base for own in found])),
        realised_bps=BPS * realised if np.isfinite(realised) else None,
        features=tuple(sorted(features, key=lambda each: -abs(each.shapley_bps))),
        attention_pct=tuple((100 * np.mean(profile, axis=0)[::-1]).tolist()) if profile else (),
    )


def _spread(count: int) -> np.ndarray:
    return np.unique(np.linspace(0, count - 1, BAR_BACKGROUND).astype(np.int64))


def _gradients(fits: Sequence[ExplainedFit], row: int) -> Vector | None:
    """(inputs,) integrated gradients summed over the steps, mean over the seeds."""
    if any(why_no_gradients(fit) is not None for fit in fits):
        return None
    totals = []
    for fit in fits:
        deviation = max(float(fit.forecast(fit.test).std()), np.finfo(np.float64).tiny)
        own = attribute_gradients(fit, fit.test.take(np.array([row])), deviation)
        totals.append(np.concatenate([part[0].sum(axis=0) for part in own.attributions]))
    mean: Vector = np.mean(totals, axis=0)
    return mean


def _newest_values(fit: ExplainedFit, count: int, row: int) -> list[float]:
    """The unscaled inputs of the bars' own interval at the bar."""
    return [float(value) for value in fit.unscaled[row, :count]]
