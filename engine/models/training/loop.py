"""The training loop of every network: early stopping, learning-rate schedule, best weights."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.core.errors import TrainingError
from engine.core.lazy_imports import hide_modules
from engine.models.dataset import Forecast, TrainingHistory, WindowDataset
from engine.models.training.batches import make_even_batches, make_shuffled_batches
from engine.models.training.losses import LossBatch, TargetScale
from engine.models.training.output_head import OutputLayout, scale_target
from engine.models.training.recursive_forecast import forecast_recursively

if TYPE_CHECKING:
    from engine.core.types import Cube, IntVector, Matrix, Vector
    from engine.models.dataset import ColumnGroups
    from engine.models.training.backend import Floats, TrainableNetwork, TrainingBackend, Weights
    from engine.models.training.config import CompileSettings, TrainingSpec


def train_and_forecast(
    network: TrainableNetwork, dataset: WindowDataset, training: TrainingSpec, seed: int
) -> Forecast:
    """Trains on the train rows, keeps the weights of the best validation epoch, and forecasts.

    The target is scaled to zero mean and unit variance over the train rows; predictions are
    scaled back. A warm start, from `dataset.previous_fit`, takes only the weights: dropout and the
    order of the batches follow the seed, and the optimizer is reset.

    Raises:
        TrainingError: A loss was not finite, the target does not vary, no weight moved, or every
            prediction is the same.
    """
    scaled, scale = scale_target(dataset)
    validation_targets = scaled[dataset.validation]
    layout = OutputLayout.for_dataset(dataset, training.loss)
    backend = _cached_backend(network, dataset.branches, training.compile_settings, layout)
    backend.reset(seed, dataset.previous_fit.weights if dataset.previous_fit else None)
    backend.set_inputs(
        (dataset.inputs, *(branch.inputs for branch in dataset.coarse)),
        [branch.latest for branch in dataset.coarse],
    )
    backend.set_targets(np.nan_to_num(scaled.astype(np.float32), copy=False), scale)
    del scaled  # for a million rows it is a tenth of the size of the features
    initial = backend.get_weights()
    history = _train(
        backend, dataset, validation_targets, scale, training, np.random.default_rng(seed)
    )
    _check_weights_moved(backend, initial)
    parts = [
        _predict_returns(backend, dataset, rows, scale, training.batch_size)
        for rows in (dataset.train, dataset.validation, dataset.test)
    ]
    train, validation, test = (part[:, :, layout.median_index] for part in parts)
    _check_predictions_vary(train)
    return Forecast(
        _squeeze_horizons(train),
        _squeeze_horizons(validation),
        _squeeze_horizons(test),
        history,
        tuple(backend.get_weights()),
        quantiles=_squeeze_horizons(parts[2]) if layout.levels else None,
    )


@lru_cache(maxsize=16)
def _cached_backend(
    network: TrainableNetwork,
    branches: tuple[ColumnGroups, ...],
    settings: CompileSettings,
    layout: OutputLayout,
) -> TrainingBackend:
    # Keras' imports for plots and scikit-learn wrappers take a second.
    with hide_modules("matplotlib", "matplotlib.pyplot", "sklearn"):
        import keras

    if keras.backend.backend() == "jax":
        from engine.models.training.backend_jax import JaxBackend

        return JaxBackend(network, branches, settings, layout)
    from engine.models.training.backend_tensorflow import TensorFlowBackend

    return TensorFlowBackend(network, branches, settings, layout)


def _train(
    backend: TrainingBackend,
    dataset: WindowDataset,
    validation_targets: Matrix,
    scale: TargetScale,
    training: TrainingSpec,
    rng: np.random.Generator,
) -> TrainingHistory:
    train_loss: list[float] = []
    validation_loss: list[float] = []
    epochs_since_best: list[int] = []
    stopping, initial_rate = training.early_stopping, training.optimizer.learning_rate
    best = _BestWeights(backend, stopping.min_delta if stopping else 0.0)
    epochs = training.warm_epochs if dataset.previous_fit else training.epochs
    for epoch in range(epochs):
        batches = make_shuffled_batches(
            dataset.train,
            training.batch_size,
            rng,
            consecutive=training.loss.requires_consecutive_rows,
        )
        rate = training.schedule.next_learning_rate(initial_rate, epochs_since_best, epochs)
        train_loss.append(backend.train_epoch(batches, rate))
        outputs = _predict_outputs(backend, dataset.validation, training.batch_size)
        batch = LossBatch(
            outputs, validation_targets, np.ones(len(validation_targets), dtype=bool), scale
        )
        validation_loss.append(float(backend.layout.compute_loss(training.loss, np, batch)))
        _check_finite_loss(epoch, train_loss[-1], validation_loss[-1])
        best.update(epoch, validation_loss[-1])
        epochs_since_best.append(best.epochs_since_best(epoch))
        if stopping and epochs_since_best[-1] >= stopping.patience:
            break
    best.restore()
    return TrainingHistory(tuple(train_loss), tuple(validation_loss), best.epoch)


class _BestWeights:
    """The weights of the epoch with the lowest validation loss so far."""

    def __init__(self, backend: TrainingBackend, min_delta: float) -> None:
        self.epoch = 0
        self._backend = backend
        self._min_delta = min_delta
        self._lowest_loss = np.inf
        self._weights = backend.get_weights()

    def update(self, epoch: int, loss: float) -> None:
        """Keeps this epoch's weights where it is the best."""
        if loss < self._lowest_loss - self._min_delta:
            self.epoch, self._lowest_loss, self._weights = epoch, loss, self._backend.get_weights()

    def epochs_since_best(self, epoch: int) -> int:
        """Epochs since the best one."""
        return epoch - self.epoch

    def restore(self) -> None:
        """Puts the best weights back."""
        self._backend.set_weights(self._weights)


def _check_finite_loss(epoch: int, *losses: float) -> None:
    if not np.isfinite(losses).all():
        raise TrainingError(
            "the loss is not a number",
            expected="a finite train and validation loss",
            found=f"{losses[0]} and {losses[1]} in epoch {epoch + 1}",
            fix="lower training.optimizer.learning_rate or training.clip_norm",
        )


def _check_weights_moved(backend: TrainingBackend, initial: Weights) -> None:
    """A gradient of exactly zero everywhere means that nothing was learnt, at any loss."""
    now = zip(backend.trainable_mask, initial, backend.get_weights(), strict=True)
    if all(np.array_equal(before, after) for trainable, before, after in now if trainable):
        raise TrainingError(
            "the network is dead: training moved none of its weights",
            expected="weights that change with every step",
            found="the initial weights",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )


def _check_predictions_vary(train: Matrix) -> None:
    constant = np.ptp(train, axis=0) == 0.0
    if len(train) > 1 and constant.any():
        raise TrainingError(
            "the network is dead: it predicts one value for every train row",
            expected="predictions that differ from row to row",
            found=f"{train[0, np.argmax(constant)]:g} on all {len(train)} rows",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )


def _predict_returns(
    backend: TrainingBackend,
    dataset: WindowDataset,
    rows: IntVector,
    scale: TargetScale,
    batch_size: int,
) -> Cube:
    """(n, m horizons, levels), in the order of the rows."""
    if dataset.recursive:
        returns = forecast_recursively(backend, dataset, rows, scale, batch_size)
        return returns[:, :, None]
    return backend.layout.to_returns(_predict_outputs(backend, rows, batch_size), scale)


def _squeeze_horizons(values: Cube | Matrix) -> Matrix | Vector:
    """Without the axis of the horizons where there is only one."""
    return values[:, 0] if values.shape[1] == 1 else values


def _predict_outputs(backend: TrainingBackend, rows: IntVector, batch_size: int) -> Floats:
    """(n, columns), in the order of the rows."""
    batches = make_even_batches(rows, batch_size)
    return backend.predict(batches)[batches.mask]
