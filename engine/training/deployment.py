"""From the fitted models of a run to those that are served: distilled, pruned, quantised.

The models themselves are fitted and stored as without a deployment, so that adding one, or
another, trains none of them again.
"""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.hashing import canonical_json
from engine.core.randomness import derive_seed
from engine.models.compression import compress
from engine.models.model_file import DamagedFitError
from engine.models.training.losses import MseLoss

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping, Sequence

    from engine.core.types import Matrix, Vector
    from engine.models.dataset import TrainingSet
    from engine.models.fitted_model import FittedModel
    from engine.models.forecaster import FittedForecaster
    from engine.training.fit_results import FitResults
    from engine.training.store import FitStore
    from engine.training.task import FitTask

    Train = Callable[[Sequence[FitTask]], FitResults]


def deploy_fits(
    fits: FitResults,
    train: Train,
    store: FitStore,
    accept: Callable[[FittedModel | TrainingError], FittedModel | TrainingError],
    *,
    ignore_stored: bool,
) -> FitResults:
    """The results with the deployed model in the place of each that has a deployment.

    Args:
        fits: Of the tasks as they are fitted.
        train: Fits further tasks, or reads them from the store.
        store: Where compressed models are kept.
        accept: Receives what a deployment gave; raises the error of one that may not be left out.
        ignore_stored: Compress again what is stored.

    Returns:
        Results whose `full` has the models that were deployed. The outcome of one that changed its
        forecasts too much is the error.

    Raises:
        TrainingError: As `train` and `accept`; or a network needs Keras to predict.
    """
    chosen = [
        number
        for number, (task, outcome) in enumerate(zip(fits.tasks, fits.outcomes, strict=True))
        if task.deploy is not None and not isinstance(outcome, TrainingError)
    ]
    if not chosen:
        return fits
    outcomes, keys = list(fits.outcomes), dict(fits.keys)
    full = {number: _require_model(outcomes[number]) for number in chosen}
    students = _student_tasks(fits.tasks, full)
    trained = train([task for _, task in students if task is not None])
    for place, (number, _) in enumerate(each for each in students if each[1] is not None):
        outcomes[number], keys[number] = trained.outcomes[place], trained.keys[place]
    compressor = _Compressor(store, ignore_stored=ignore_stored)
    for number in chosen:
        outcome = outcomes[number]
        if isinstance(outcome, TrainingError):
            continue
        task, key = fits.tasks[number], keys.get(number)
        outcome, keys[number] = compressor.compress(task, outcome, key)
        outcomes[number] = accept(_check_change(task, full[number], outcome))
    return replace(
        fits,
        outcomes=outcomes,
        keys=keys,
        full=full,
        trained=fits.trained + trained.trained,
        stored=fits.stored + trained.stored,
    )


def forecast_change(full: FittedModel, deployed: FittedModel) -> float:
    """How much a deployment changes the forecasts of the validation rows.

    The root mean square of the difference over the standard deviation of the full model's
    forecasts of train and validation rows; over several horizons the largest. Infinite where that
    deviation is 0 and the forecasts differ.
    """
    before, after = _by_horizon(full.validation), _by_horizon(deployed.validation)
    change = np.sqrt(np.mean((after - before) ** 2, axis=0))
    deviation = np.concatenate([_by_horizon(full.train), before]).std(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(change > 0, change / deviation, 0.0).max())


def _by_horizon(forecasts: Matrix) -> Matrix:
    return forecasts.reshape(len(forecasts), -1)


def _student_tasks(
    tasks: Sequence[FitTask], full: Mapping[int, FittedModel]
) -> list[tuple[int, FitTask | None]]:
    """Of each deployed model the fit of the network that learns its forecasts; None without one.

    The tasks of one fit of several symbols have one student.
    """
    arrays_of: dict[Hashable, TrainingSet] = {}
    found: list[tuple[int, FitTask | None]] = []
    for number, teacher in full.items():
        task = tasks[number]
        student = None if task.deploy is None else task.deploy.student_of(task.model)
        if student is None:
            found.append((number, None))
            continue
        if task.fit_identity not in arrays_of:
            arrays_of[task.fit_identity] = _teach(task, teacher)
        training = task.training.model_copy(update={"loss": MseLoss(), "warm_start": None})
        student_task = replace(
            task,
            book=f"{task.book}, distilled,",
            model=student,
            training=training,
            training_set=arrays_of[task.fit_identity],
            realised=teacher.realised if task.pool is None else task.realised,
            seed=derive_seed(task.seed, "distil"),
            deploy=None,
        )
        found.append((number, student_task))
    return found


def _teach(task: FitTask, teacher: FittedModel) -> TrainingSet:
    """The arrays of a fit with a model's forecasts in place of the returns, where these are known.

    Those of a pool or of a joint fit are of all of its rows and symbols.
    """
    arrays = task.training_set
    target = np.full(arrays.target.shape, np.nan)
    if task.pool is None:
        parts = teacher.train, teacher.validation
    else:
        parts = _forecasts_of_rows(teacher.forecaster, arrays)
    for rows, forecasts in zip((arrays.train, arrays.validation), parts, strict=True):
        known = np.isfinite(arrays.target[rows]) if arrays.symbols else True
        target[rows] = np.where(known, forecasts, np.nan)
    return replace(arrays, target=target, previous_fit=None)


def _forecasts_of_rows(
    forecaster: FittedForecaster, arrays: TrainingSet
) -> tuple[Vector | Matrix, Vector | Matrix]:
    """Of the train and of the validation rows."""
    train, validation = (
        forecaster.predict(arrays, rows).returns for rows in (arrays.train, arrays.validation)
    )
    return train, validation


class _Compressor:
    """Compresses models, or reads the compressed ones from the store."""

    def __init__(self, store: FitStore, *, ignore_stored: bool) -> None:
        self._store = store
        self._ignore_stored = ignore_stored
        self._compressed: dict[str, FittedModel] = {}

    def compress(
        self, task: FitTask, fitted: FittedModel, key: str | None
    ) -> tuple[FittedModel, str]:
        """The model with changed weights and its own predictions, and its key.

        A fit of several symbols is compressed once, and each of them has its part of it.
        """
        deploy = task.deploy
        assert deploy is not None
        assert key is not None, "only costly models are deployed"
        if not deploy.compresses:
            return fitted, key
        settings = {"precision": deploy.precision, "prune": deploy.prune, "of": key}
        own_key = hashlib.sha256(canonical_json(settings).encode()).hexdigest()
        if own_key not in self._compressed:
            stored = None if self._ignore_stored else self._read(own_key, fitted)
            self._compressed[own_key] = stored or self._make(task, fitted, own_key)
        own = task.own_model(self._compressed[own_key])
        return _require_model(own), own_key

    def _make(self, task: FitTask, fitted: FittedModel, key: str) -> FittedModel:
        """Compresses and stores a model; of several symbols that of all together."""
        assert task.deploy is not None
        forecaster = compress(fitted.forecaster, task.deploy)
        train, validation = _forecasts_of_rows(forecaster, task.training_set)
        compressed = replace(fitted, forecaster=forecaster, train=train, validation=validation)
        if task.pool is not None and task.realised is not None:
            compressed = replace(
                compressed, realised=task.realised, pooled=task.pool.kept_transforms
            )
        self._store.try_store(key, f"{task}, deployed", compressed)
        return compressed

    def _read(self, key: str, fitted: FittedModel) -> FittedModel | None:
        try:
            return self._store.get(key, fitted.forecaster.model)
        except DamagedFitError:
            return None  # it is made again, which takes less than reading it


def _check_change(
    task: FitTask, full: FittedModel, deployed: FittedModel
) -> FittedModel | TrainingError:
    assert task.deploy is not None
    change, largest = forecast_change(full, deployed), task.deploy.max_change
    if change <= largest:
        return deployed
    return TrainingError(
        "the deployed model forecasts otherwise than the model that was fitted",
        expected=f"a change of at most {largest:g} of the standard deviation of the forecasts on "
        "the validation rows (deploy.max_change)",
        found=f"{change:.3g}",
        where=str(task),
        fix="prune less, distil into a larger network, or raise deploy.max_change",
    )


def _require_model(outcome: FittedModel | TrainingError) -> FittedModel:
    assert not isinstance(outcome, TrainingError)
    return outcome
