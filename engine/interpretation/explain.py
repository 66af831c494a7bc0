"""From the fits of a strategy to everything that is measured of their forecasts."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from engine.core.errors import UsageError
from engine.core.randomness import derive_seed
from engine.interpretation.fitted_rows import explained_fits
from engine.interpretation.window_explanation import explain_window

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from engine.core.progress import Progress
    from engine.core.types import IntVector, Vector
    from engine.interpretation.fitted_rows import ExplainedFit
    from engine.interpretation.window_explanation import WindowExplanation
    from engine.pipeline.prepared_data import PreparedData
    from engine.training.fit_results import FitResults

PartKey: TypeAlias = tuple[str, int]
"""Symbol and window."""

SHAPLEY_BARS = 48
"""Forecasts with Shapley values, at equal distances, of all symbols together."""


@dataclass(frozen=True, eq=False)
class ForecastExplanation:
    """The forecasts of a strategy explained.

    Attributes:
        fits: Symbol and window -> its fits, one a seed.
        parts: What is measured of each, in the same order.
        names: The inputs, with their symbol where a fit reads several.
        deviation: Standard deviation of all forecasts, above 0.
        seed: Of every random draw.
    """

    fits: Mapping[PartKey, Sequence[ExplainedFit]]
    parts: Sequence[WindowExplanation]
    names: tuple[str, ...]
    deviation: float
    seed: int

    @property
    def first_fit(self) -> ExplainedFit:
        """A fit, for what all have in common."""
        return next(iter(self.fits.values()))[0]


def explain_forecasts(
    prepared: PreparedData,
    fits: FitResults,
    symbols: Collection[str],
    *,
    seed: int,
    progress: Progress,
) -> ForecastExplanation:
    """Explains the out-of-sample forecasts of a strategy from its fits.

    Args:
        prepared: Bars, features and windows.
        fits: Of the strategy.
        symbols: Whose forecasts.
        seed: Of permutations and sampled orders.
        progress: Receives the windows that are done.

    Raises:
        UsageError: There is no forecast, or all are the same.
    """
    by_part: dict[PartKey, list[ExplainedFit]] = defaultdict(list)
    for fit in explained_fits(prepared, fits, symbols):
        by_part[fit.symbol, fit.window].append(fit)
    forecasts = {part: _mean_forecast(own) for part, own in by_part.items()}
    deviation = _require_variation(forecasts)
    rows = _spread_rows(forecasts)
    parts = []
    for number, (part, own) in enumerate(by_part.items(), start=1):
        symbol, window = part
        rng = np.random.default_rng(derive_seed(seed, "interpretation", symbol, window))
        closes = prepared.target_close[symbol].dropna()
        parts.append(explain_window(own, closes, rows[part], deviation, rng))
        progress.advance(number, len(by_part), f"{number} of {len(by_part)} windows")
    first = next(iter(by_part.values()))[0]
    pooled = len(symbols) > 1 and prepared.feature_history.own_inputs
    return ForecastExplanation(by_part, parts, _name_inputs(first, pooled=pooled), deviation, seed)


def _name_inputs(fit: ExplainedFit, *, pooled: bool) -> tuple[str, ...]:
    names = [name for own in fit.names for name in own]
    symbols = {name.split(":", 1)[0] for name in names}
    if pooled or len(symbols) == 1:
        return tuple(name.split(":", 1)[1] for name in names)
    return tuple(names)


def _mean_forecast(fits: Sequence[ExplainedFit]) -> Vector:
    mean: Vector = np.mean([fit.forecast(fit.test) for fit in fits], axis=0)
    return mean


def _require_variation(forecasts: Mapping[PartKey, Vector]) -> float:
    """Standard deviation of all forecasts.

    Raises:
        UsageError: There are none, or they do not vary.
    """
    values = np.concatenate(list(forecasts.values())) if forecasts else np.empty(0)
    deviation = float(values.std()) if len(values) else 0.0
    if deviation > 0:
        return deviation
    raise UsageError(
        "the forecasts of this run do not vary, so there is nothing to explain",
        expected="a model whose forecasts depend on its inputs",
        found=f"{len(values)} forecasts, all the same" if len(values) else "no forecast",
    )


def _spread_rows(forecasts: Mapping[PartKey, Vector]) -> dict[PartKey, IntVector]:
    """The rows of each part that get Shapley values, at equal distances over all parts."""
    total = sum(map(len, forecasts.values()))
    places = np.unique(np.linspace(0, total - 1, min(SHAPLEY_BARS, total)).astype(np.int64))
    rows, start = {}, 0
    for part, values in forecasts.items():
        stop = start + len(values)
        rows[part] = places[(places >= start) & (places < stop)] - start
        start = stop
    return rows
