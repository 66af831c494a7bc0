"""Integrated gradients of a fit's forecasts, and how far they are from adding up."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from engine.models.baselines.ridge import Ridge
from engine.models.networks.base import Network
from engine.models.training.input_gradients import DifferentiableForecast, baseline_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import Cube, Vector
    from engine.interpretation.fitted_rows import ExplainedFit
    from engine.interpretation.sequences import Sequences
    from engine.models.training.backend import Floats

NODES = 32
"""Points on the line from the baseline to a row."""

SEGMENTS = 16
"""Parts of the line, each with `NODES` points, for the rows whose attributions do not add up."""

COMPLETENESS_TOLERANCE = 1e-3
"""Largest error of completeness that is not reported, in standard deviations of the forecasts."""


@dataclass(frozen=True, eq=False)
class GradientAttribution:
    """Integrated gradients of some rows of one fit.

    Attributes:
        attributions: For each branch (n, lookback, k) of the forecast minus that of the baseline.
        completeness_errors: (n,) |sum of attributions - (forecast - forecast of the baseline)|,
            as a fraction of the standard deviation of the forecasts.
    """

    attributions: tuple[Cube, ...]
    completeness_errors: Vector


def why_no_gradients(fit: ExplainedFit) -> str | None:
    """Why the gradients of a fit are not computed; None where they are."""
    model = fit.model.forecaster.model
    if isinstance(model, Ridge):
        return None
    if not isinstance(model, Network):
        return f"{model.kind} is no network of the engine"
    if fit.test.shape.recursive:
        return "its forecasts are recursive: each step reads the one before"
    return None


def attribute_gradients(
    fit: ExplainedFit, rows: Sequences, deviation: float
) -> GradientAttribution:
    """Integrated gradients of a fit's forecasts, from the mean of its train rows to each row.

    Those of a ridge regression are exact: weight x distance from the mean, cell by cell, which are
    its Shapley values too.

    Args:
        fit: A fit that `why_no_gradients` has nothing against.
        rows: Sequences of it.
        deviation: Standard deviation of the forecasts, above 0, the unit of the errors.
    """
    first = _attribute(fit, rows, deviation, segments=1)
    open_rows = np.flatnonzero(first.completeness_errors > COMPLETENESS_TOLERANCE)
    if not len(open_rows):
        return first
    refined = _attribute(fit, rows.take(open_rows), deviation, segments=SEGMENTS)
    for whole, part in zip(first.attributions, refined.attributions, strict=True):
        whole[open_rows] = part
    first.completeness_errors[open_rows] = refined.completeness_errors
    return first


def _attribute(
    fit: ExplainedFit, rows: Sequences, deviation: float, *, segments: int
) -> GradientAttribution:
    baseline = baseline_of(fit.background.branches)
    if isinstance(fit.model.forecaster.model, Ridge):
        attributions = _attribute_linear(fit, rows, baseline)
    else:
        attributions = _attribute_network(fit, rows, baseline, segments)
    at_baseline = replace(
        rows,
        branches=tuple(
            np.broadcast_to(start, own.shape)
            for start, own in zip(baseline, rows.branches, strict=True)
        ),
    )
    moved = fit.forecast(rows) - fit.forecast(at_baseline)
    total = sum(part.sum(axis=(1, 2)) for part in attributions)
    return GradientAttribution(attributions, np.abs(total - moved) / deviation)


def _attribute_linear(
    fit: ExplainedFit, rows: Sequences, baseline: Sequence[Floats]
) -> tuple[Cube, ...]:
    weights, start = fit.model.forecaster.weights[0], 0
    attributions = []
    for branch, mean in zip(rows.branches, baseline, strict=True):
        own = weights[start : start + mean.size].reshape(mean.shape)
        attributions.append((branch.astype(np.float64) - mean) * own)
        start += mean.size
    return tuple(attributions)


def _attribute_network(
    fit: ExplainedFit, rows: Sequences, baseline: Sequence[Floats], segments: int
) -> tuple[Cube, ...]:
    forecaster = fit.model.forecaster
    network = forecaster.model
    assert isinstance(network, Network)
    numbers = rows.row_symbols
    held = [] if numbers is None else [numbers.astype(np.float32)[:, None, None]]
    symbols, horizons = rows.shape.symbols, len(rows.shape.horizons)
    place = symbols.index(fit.symbol) if symbols else 0
    forecast = DifferentiableForecast(
        network, forecaster, rows.shape.branches, place * horizons + fit.horizon
    )
    return forecast.integrated_gradients(
        [*rows.branches, *held], baseline, nodes=NODES, segments=segments
    )
