"""The training loop of every network: early stopping, learning-rate schedule, best weights."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from engine.core.errors import TrainingError
from engine.core.lazy_imports import hide_modules
from engine.models.training.batches import make_even_batches, make_shuffled_batches
from engine.models.training.losses import LossBatch, TargetScale
from engine.models.training.output_head import OutputLayout, scale_target
from engine.models.training.prediction import describe_outputs
from engine.models.training_history import TrainingHistory

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import ColumnGroups, TrainingSet
    from engine.models.training.backend import Floats, TrainingBackend, Weights
    from engine.models.training.config import CompileSettings, TrainingSpec
    from engine.models.training.trainable_network import TrainableNetwork


class TrainedNetwork(NamedTuple):
    """Weights in the order of the Keras model's variables, the meaning of its outputs, record."""

    weights: tuple[npt.NDArray[Any], ...]
    state: dict[str, Any]
    history: TrainingHistory


def train_network(
    network: TrainableNetwork, training_set: TrainingSet, training: TrainingSpec, seed: int
) -> TrainedNetwork:
    """Trains on the train rows and keeps the weights of the best validation epoch.

    The target is scaled to zero mean and unit variance over the train rows; predictions are
    scaled back. A warm start, from `training_set.previous_fit`, takes only the weights: dropout
    and the order of the batches follow the seed, and the optimizer is reset.

    Raises:
        TrainingError: A loss was not finite, the target does not vary, or no weight moved.
    """
    scaled, scale = scale_target(training_set)
    validation_targets = scaled[training_set.validation]
    layout = OutputLayout.for_inputs(training_set, training.loss)
    backend = _cached_backend(network, training_set.branches, training.compile_settings, layout)
    previous = training_set.previous_fit
    backend.reset(seed, previous.weights if previous else None)
    backend.set_inputs(
        (training_set.inputs, *(branch.inputs for branch in training_set.coarse)),
        [branch.latest for branch in training_set.coarse],
        [] if training_set.row_symbols is None else [training_set.row_symbols.astype(np.float32)],
    )
    on_device = scaled.astype(np.float32)
    if not training_set.symbols:  # a loss of several symbols leaves out what is NaN
        np.nan_to_num(on_device, copy=False)
    backend.set_targets(on_device, scale)
    del on_device
    del scaled  # for a million rows it is a tenth of the size of the features
    initial = backend.get_weights()
    history = _train(
        backend, training_set, validation_targets, scale, training, np.random.default_rng(seed)
    )
    _check_weights_moved(backend, initial)
    return TrainedNetwork(
        backend.complete_weights(),
        describe_outputs(layout, scale, backend.program, backend.name),
        history,
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
    training_set: TrainingSet,
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
    epochs = training.warm_epochs if training_set.previous_fit else training.epochs
    for epoch in range(epochs):
        batches = make_shuffled_batches(
            training_set.train,
            training.batch_size,
            rng,
            consecutive=training.loss.requires_consecutive_rows,
        )
        rate = training.schedule.next_learning_rate(initial_rate, epochs_since_best, epochs)
        train_loss.append(backend.train_epoch(batches, rate))
        outputs = _predict_outputs(backend, training_set.validation, training.batch_size)
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


def check_predictions_vary(returns: Vector | Matrix) -> None:
    """Refuses a network that predicts one value on every train row.

    Args:
        returns: (n,) or (n, m) predictions.

    Raises:
        TrainingError: A column does not vary.
    """
    train = returns.reshape(len(returns), -1)
    constant = np.ptp(train, axis=0) == 0.0
    if len(train) > 1 and constant.any():
        raise TrainingError(
            "the network is dead: it predicts one value for every train row",
            expected="predictions that differ from row to row",
            found=f"{train[0, np.argmax(constant)]:g} on all {len(train)} rows",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )


def _predict_outputs(backend: TrainingBackend, rows: IntVector, batch_size: int) -> Floats:
    """(n, columns), in the order of the rows."""
    batches = make_even_batches(rows, batch_size)
    return backend.predict(batches)[batches.mask]
