"""What the manifest says of one fit: attempts, tuned values, epochs and losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from engine.core.errors import TrainingError

if TYPE_CHECKING:
    from engine.models import FittedForecaster
    from engine.training.forecast import Forecast
    from engine.training.task import FitTask


def record_fit(
    task: FitTask, outcome: Forecast | TrainingError, key: str | None
) -> dict[str, Any]:
    """The record of one fit for the manifest.

    Args:
        task: The fit.
        outcome: Its forecast, or the error of a fit that was left out.
        key: Its key in the store; None where it is not stored.
    """
    record: dict[str, Any] = {"symbol": task.symbol, "seed": task.seed_index}
    if task.horizons:
        record["horizons"] = list(task.horizons)
    if isinstance(outcome, TrainingError):
        return record | {"failed": outcome.problem}
    if key is not None:
        record["key"] = key
    history = outcome.fitted.forecaster.history
    tuning = {"trials": history.trials, "chosen": dict(history.chosen)} if history.trials else {}
    warm_start = {"warm": history.warm} if task.starts_warm else {}
    return record | {
        "attempts": history.attempts,
        **tuning,
        **warm_start,
        **_training_curves(outcome.fitted.forecaster),
    }


def _training_curves(fitted: FittedForecaster) -> dict[str, Any]:
    """Epochs and losses; those of an ensemble are in its members."""
    history = fitted.history
    members = {"members": [_training_curves(m) for m in fitted.members]} if fitted.members else {}
    return {
        "epochs": len(history.train_loss),
        "best_epoch": history.best_epoch,
        "train_loss": list(history.train_loss),
        "validation_loss": list(history.validation_loss),
        **members,
    }
