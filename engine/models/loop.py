"""The one training loop: early stopping, plateau and best weights, for every network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError
from engine.models.batches import even_batches
from engine.models.forecaster import Forecast, History, Problem

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.compiled import Compiled, Weights
    from engine.models.network import Network
    from engine.models.training_spec import Plateau, Training
    from engine.types import Rows, Vector


def train_and_forecast(
    network: Network, problem: Problem, training: Training, seed: int
) -> Forecast:
    """Trains on the train rows, keeps the epoch that was best on validation, and forecasts.

    The target is scaled to zero mean and unit variance over the train rows; predictions are
    scaled back.

    Raises:
        RefitError: A loss was not finite, the target does not vary, no weight moved, or every
            prediction is the same.
    """
    mean, deviation = _target_scale(problem)
    scaled = (problem.target - mean) / deviation
    compiled = _compiled(network, problem.groups, training)
    compiled.reset(seed)
    compiled.see(problem.inputs, np.nan_to_num(scaled).astype(np.float32))
    initial = compiled.weights()
    history = _train(compiled, problem, scaled, training, np.random.default_rng(seed))
    _insist_moved(compiled, initial)
    train, test = (
        mean + deviation * _outputs(compiled, rows, training.batch_size).astype(np.float64)
        for rows in (problem.train, problem.test)
    )
    if len(train) > 1 and np.ptp(train) == 0.0:
        raise RefitError(
            "the network is dead: it predicts one value for every train row",
            expected="predictions that differ from row to row",
            found=f"{train[0]:g} on all {len(train)} rows",
            fix="lower training.learning_rate, or look at the features for a constant input",
        )
    return Forecast(train, test, history, tuple(compiled.weights()))


@lru_cache(maxsize=4)
def _compiled(
    network: Network, groups: tuple[tuple[int, ...], ...], training: Training
) -> Compiled:
    import keras

    if keras.backend.backend() == "jax":
        from engine.models.compiled_jax import JaxCompiled

        return JaxCompiled(network, groups, training)
    from engine.models.compiled_tensorflow import TensorFlowCompiled

    return TensorFlowCompiled(network, groups, training)


def _target_scale(problem: Problem) -> tuple[float, float]:
    truth = problem.target[problem.train]
    mean, deviation = float(truth.mean()), float(truth.std())
    if not deviation > 0:
        raise RefitError(
            "the target does not vary over the train rows",
            expected="returns that differ",
            found=f"{mean:g} on all {len(truth)} rows",
            fix="lengthen windows.train, or check the bars for a stale run",
        )
    return mean, deviation


def _train(
    compiled: Compiled,
    problem: Problem,
    scaled: Vector,
    training: Training,
    rng: np.random.Generator,
) -> History:
    train_loss: list[float] = []
    validation_loss: list[float] = []
    best = _Best(compiled, training.early_stopping.min_delta if training.early_stopping else 0.0)
    rate = training.learning_rate
    for epoch in range(training.epochs):
        batches = even_batches(rng.permutation(problem.train), training.batch_size)
        train_loss.append(compiled.epoch(batches, rate))
        validation_loss.append(_loss(compiled, problem.validation, scaled, training))
        _insist_finite(epoch, train_loss[-1], validation_loss[-1])
        best.consider(epoch, validation_loss[-1])
        if training.early_stopping and best.waited(epoch) >= training.early_stopping.patience:
            break
        rate = _next_rate(rate, best.waited(epoch), training.plateau)
    best.restore()
    return History(tuple(train_loss), tuple(validation_loss), best.epoch)


class _Best:
    """The weights of the epoch with the lowest validation loss so far."""

    def __init__(self, compiled: Compiled, min_delta: float) -> None:
        self.epoch = 0
        self._compiled = compiled
        self._min_delta = min_delta
        self._loss = np.inf
        self._weights = compiled.weights()

    def consider(self, epoch: int, loss: float) -> None:
        """Keeps this epoch's weights where it is the best."""
        if loss < self._loss - self._min_delta:
            self.epoch, self._loss, self._weights = epoch, loss, self._compiled.weights()

    def waited(self, epoch: int) -> int:
        """Epochs since the best one."""
        return epoch - self.epoch

    def restore(self) -> None:
        """Puts the best weights back."""
        self._compiled.load(self._weights)


def _next_rate(rate: float, waited: int, plateau: Plateau | None) -> float:
    if plateau is None or waited == 0 or waited % plateau.patience:
        return rate
    return max(rate * plateau.factor, min(rate, plateau.min_learning_rate))


def _insist_finite(epoch: int, *losses: float) -> None:
    if not np.isfinite(losses).all():
        raise RefitError(
            "the loss is not a number",
            expected="a finite train and validation loss",
            found=f"{losses[0]} and {losses[1]} in epoch {epoch + 1}",
            fix="lower training.learning_rate or training.clip_norm",
        )


def _insist_moved(compiled: Compiled, initial: Weights) -> None:
    """A gradient of exactly zero everywhere means that nothing was learnt, whatever the loss."""
    now = zip(compiled.trainable, initial, compiled.weights(), strict=True)
    if all(np.array_equal(before, after) for trainable, before, after in now if trainable):
        raise RefitError(
            "the network is dead: training moved none of its weights",
            expected="weights that change with every step",
            found="the initial weights",
            fix="lower training.learning_rate, or look at the features for a constant input",
        )


def _loss(compiled: Compiled, rows: Rows, scaled: Vector, training: Training) -> float:
    error = _outputs(compiled, rows, training.batch_size) - scaled[rows]
    return float(np.mean(error**2 if training.loss == "mse" else np.abs(error)))


def _outputs(compiled: Compiled, rows: Rows, batch_size: int) -> npt.NDArray[np.float32]:
    batches = even_batches(rows, batch_size)
    return compiled.predict(batches)[batches.real]
