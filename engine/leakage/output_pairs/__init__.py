"""Pairs of outputs, from the real and from altered bars, that have to be equal."""

from engine.leakage.output_pairs.decisions import (
    pair_own_thresholds,
    pair_positions,
    pair_thresholds,
)
from engine.leakage.output_pairs.fits import pair_task_arrays, pair_tasks, require_same_fits
from engine.leakage.output_pairs.forecasts import (
    pair_fit_forecasts,
    pair_predictions,
    pair_test_forecasts,
)
from engine.leakage.output_pairs.prepared_data import (
    pair_cost_rates,
    pair_histories,
    pair_prepared_data,
    pair_rates,
    pair_windows,
    window_edges,
)

__all__ = [
    "pair_cost_rates",
    "pair_fit_forecasts",
    "pair_histories",
    "pair_own_thresholds",
    "pair_positions",
    "pair_predictions",
    "pair_prepared_data",
    "pair_rates",
    "pair_task_arrays",
    "pair_tasks",
    "pair_test_forecasts",
    "pair_thresholds",
    "pair_windows",
    "require_same_fits",
    "window_edges",
]
