"""How honest the forecast quantiles were: what their intervals held, and their own loss."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from engine.evaluation.metrics.return_metrics import finite_or_none

if TYPE_CHECKING:
    from collections.abc import Mapping

    from engine.core.types import Vector


def score_quantiles(
    quantiles: Mapping[float, Vector],
    actual: Vector,
    unconditional: Mapping[float, Vector],
) -> dict[str, Any]:
    """Coverage of every symmetric interval, and the pinball loss beside one that needs no model.

    Args:
        quantiles: Level -> forecast quantile of the simple return, shape (n,).
        actual: What came, shape (n,); rows where it is NaN, not known yet, are left out.
        unconditional: The same levels of past returns, whatever the features say.

    Returns:
        pinball_bps: Mean over the rows and the levels q of max(q e, (q - 1) e), e = actual less
            quantile (Koenker & Bassett 1978); proper, so that no other quantiles than the true
            ones are better on average.
        unconditional_pinball_bps: The same of `unconditional`.
        intervals: One for each pair of levels q and 1 - q, the widest first: `low` and `high`
            (levels), `nominal_pct`, `coverage_pct` (share of rows whose actual lies inside, ends
            included) and `mean_width_bps`.
        None where a score is not defined, as all are without a known row.
    """
    known = ~np.isnan(actual)
    came = actual[known]
    at = {level: values[known] for level, values in sorted(quantiles.items())}
    still = {level: values[known] for level, values in unconditional.items()}
    return {
        "pinball_bps": _pinball_bps(at, came),
        "unconditional_pinball_bps": _pinball_bps(still, came),
        "intervals": [
            {
                "low": low,
                "high": high,
                "nominal_pct": round(100 * (high - low), 6),
                "coverage_pct": _scaled_mean((at[low] <= came) & (came <= at[high]), 100),
                "mean_width_bps": _scaled_mean(at[high] - at[low], 10_000),
            }
            for low, high in _symmetric_pairs(list(at))
        ],
    }


def _pinball_bps(quantiles: Mapping[float, Vector], actual: Vector) -> float | None:
    errors = {level: actual - values for level, values in quantiles.items()}
    losses = [np.maximum(q * error, (q - 1) * error) for q, error in errors.items()]
    return _scaled_mean(np.ravel(losses), 10_000)


def _symmetric_pairs(levels: list[float]) -> list[tuple[float, float]]:
    """Pairs that leave as much below as above; 0.1 and 0.9 do, though 1 - 0.9 is not quite 0.1."""
    return [
        (low, high)
        for low in levels
        for high in reversed(levels)
        if low < high and np.isclose(low, 1.0 - high, rtol=0, atol=1e-9)
    ]


def _scaled_mean(values: np.ndarray, unit: float) -> float | None:
    return finite_or_none(values.mean() * unit) if len(values) else None
