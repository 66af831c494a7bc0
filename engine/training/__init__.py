"""Training: fits of every window and seed, the store of fits, and out-of-sample forecasts."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.core.lazy_imports import lazy_exports

if TYPE_CHECKING:
    from engine.training.datasets import build_training_set, with_horizons
    from engine.training.executors import Executor, LocalExecutor, RayExecutor
    from engine.training.feature_history import FeatureHistory
    from engine.training.forecast import Forecast, predict_window
    from engine.training.jobs import make_fit_tasks
    from engine.training.out_of_sample import HorizonForecast, Predictions, concat_out_of_sample
    from engine.training.results import FitResults, run_fits
    from engine.training.scheduler import FitScheduler
    from engine.training.store import FitStore, StoredFit
    from engine.training.task import FitTask
    from engine.training.worker import fit_task

__all__ = [
    "Executor",
    "FeatureHistory",
    "FitResults",
    "FitScheduler",
    "FitStore",
    "FitTask",
    "Forecast",
    "HorizonForecast",
    "LocalExecutor",
    "Predictions",
    "RayExecutor",
    "StoredFit",
    "build_training_set",
    "concat_out_of_sample",
    "fit_task",
    "make_fit_tasks",
    "predict_window",
    "run_fits",
    "with_horizons",
]

_EXPORTS = {
    "Executor": "executors",
    "FeatureHistory": "datasets",
    "FitResults": "results",
    "FitScheduler": "scheduler",
    "FitStore": "store",
    "FitTask": "task",
    "Forecast": "forecast",
    "HorizonForecast": "out_of_sample",
    "LocalExecutor": "executors",
    "Predictions": "out_of_sample",
    "RayExecutor": "executors",
    "StoredFit": "store",
    "build_training_set": "datasets",
    "concat_out_of_sample": "out_of_sample",
    "fit_task": "worker",
    "make_fit_tasks": "jobs",
    "predict_window": "forecast",
    "run_fits": "results",
    "with_horizons": "datasets",
}

__getattr__ = lazy_exports(__name__, _EXPORTS)
