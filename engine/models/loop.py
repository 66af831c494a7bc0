"""The one training loop: early stopping, schedule and best weights, for every network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError
from engine.models import lean_keras
from engine.models.batches import even_batches, shuffled_batches
from engine.models.forecaster import Forecast, History, Problem
from engine.models.losses import Batch, Scale, levels_of

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.compiled import Compiled, Weights
    from engine.models.network import Network
    from engine.models.training_spec import Steps, Training
    from engine.types import Matrix, Rows, Vector


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
    scale = _target_scale(problem)
    scaled = (problem.target - scale.mean) / scale.deviation
    compiled = _compiled(network, problem.groups, training.steps)
    compiled.reset(seed)
    compiled.see(problem.inputs, np.nan_to_num(scaled.astype(np.float32)), scale)
    initial = compiled.weights()
    history = _train(compiled, problem, scaled, scale, training, np.random.default_rng(seed))
    _insist_moved(compiled, initial)

    def returns(rows: Rows) -> Matrix:
        outputs = np.sort(_outputs(compiled, rows, training.batch_size), axis=1)
        predicted: Matrix = scale.mean + scale.deviation * outputs.astype(np.float64)
        return predicted

    levels = levels_of(training.loss)
    middle = levels.index(0.5) if levels else 0
    train, validation, quantiles = map(returns, (problem.train, problem.validation, problem.test))
    train, validation = train[:, middle], validation[:, middle]
    if len(train) > 1 and np.ptp(train) == 0.0:
        raise RefitError(
            "the network is dead: it predicts one value for every train row",
            expected="predictions that differ from row to row",
            found=f"{train[0]:g} on all {len(train)} rows",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )
    return Forecast(
        train,
        validation,
        quantiles[:, middle],
        history,
        tuple(compiled.weights()),
        quantiles=quantiles if levels else None,
    )


@lru_cache(maxsize=16)
def _compiled(network: Network, groups: tuple[tuple[int, ...], ...], steps: Steps) -> Compiled:
    lean_keras.load()
    import keras

    if keras.backend.backend() == "jax":
        from engine.models.compiled_jax import JaxCompiled

        return JaxCompiled(network, groups, steps)
    from engine.models.compiled_tensorflow import TensorFlowCompiled

    return TensorFlowCompiled(network, groups, steps)


def _target_scale(problem: Problem) -> Scale:
    truth = problem.target[problem.train]
    mean, deviation = float(truth.mean()), float(truth.std())
    if not deviation > 0:
        raise RefitError(
            "the target does not vary over the train rows",
            expected="returns that differ",
            found=f"{mean:g} on all {len(truth)} rows",
            fix="lengthen windows.train, or check the bars for a stale run",
        )
    return Scale(mean, deviation)


def _train(
    compiled: Compiled,
    problem: Problem,
    scaled: Vector,
    scale: Scale,
    training: Training,
    rng: np.random.Generator,
) -> History:
    train_loss: list[float] = []
    validation_loss: list[float] = []
    waited: list[int] = []
    truth = scaled[problem.validation]
    stopping, first = training.early_stopping, training.optimizer.learning_rate
    best = _Best(compiled, stopping.min_delta if stopping else 0.0)
    for epoch in range(training.epochs):
        batches = shuffled_batches(
            problem.train, training.batch_size, rng, ordered=training.loss.ordered
        )
        rate = training.schedule.rate(first, waited, training.epochs)
        train_loss.append(compiled.epoch(batches, rate))
        outputs = _outputs(compiled, problem.validation, training.batch_size)
        seen = Batch(outputs, truth, np.ones(len(truth), dtype=bool), scale)
        validation_loss.append(float(training.loss.value(np, seen)))
        _insist_finite(epoch, train_loss[-1], validation_loss[-1])
        best.consider(epoch, validation_loss[-1])
        waited.append(best.waited(epoch))
        if stopping and waited[-1] >= stopping.patience:
            break
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


def _insist_finite(epoch: int, *losses: float) -> None:
    if not np.isfinite(losses).all():
        raise RefitError(
            "the loss is not a number",
            expected="a finite train and validation loss",
            found=f"{losses[0]} and {losses[1]} in epoch {epoch + 1}",
            fix="lower training.optimizer.learning_rate or training.clip_norm",
        )


def _insist_moved(compiled: Compiled, initial: Weights) -> None:
    """A gradient of exactly zero everywhere means that nothing was learnt, whatever the loss."""
    now = zip(compiled.trainable, initial, compiled.weights(), strict=True)
    if all(np.array_equal(before, after) for trainable, before, after in now if trainable):
        raise RefitError(
            "the network is dead: training moved none of its weights",
            expected="weights that change with every step",
            found="the initial weights",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )


def _outputs(compiled: Compiled, rows: Rows, batch_size: int) -> npt.NDArray[np.float32]:
    """(n, outputs), in the order of the rows."""
    batches = even_batches(rows, batch_size)
    return compiled.predict(batches)[batches.real]
