"""The one training loop: early stopping, schedule and best weights, for every network."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from engine.errors import RefitError
from engine.imports import without
from engine.models.batches import even_batches, shuffled_batches
from engine.models.forecaster import Forecast, History, Problem
from engine.models.losses import Batch, Scale
from engine.models.outputs import Outputs, scaled_target
from engine.models.recursion import recursive_returns

if TYPE_CHECKING:
    from engine.models.compiled import Compiled, Floats, Weights
    from engine.models.forecaster import Groups
    from engine.models.network import Network
    from engine.models.training_spec import Steps, Training
    from engine.types import Cube, Matrix, Rows, Vector


def train_and_forecast(
    network: Network, problem: Problem, training: Training, seed: int
) -> Forecast:
    """Trains on the train rows, keeps the epoch that was best on validation, and forecasts.

    The target is scaled to zero mean and unit variance over the train rows; predictions are
    scaled back. From the window before, where `problem.start` is given, only weights are taken:
    dropout and the order of the batches follow the seed, and the optimizer begins anew.

    Raises:
        RefitError: A loss was not finite, the target does not vary, no weight moved, or every
            prediction is the same.
    """
    scaled, scale = scaled_target(problem)
    truth = scaled[problem.validation]
    outputs = Outputs.of(problem, training.loss)
    compiled = _compiled(network, problem.branches, training.steps, outputs)
    compiled.reset(seed, problem.start.weights if problem.start else None)
    compiled.see(
        (problem.inputs, *(branch.inputs for branch in problem.coarse)),
        [branch.latest for branch in problem.coarse],
    )
    compiled.aim(np.nan_to_num(scaled.astype(np.float32), copy=False), scale)
    del scaled  # a million rows of it are a tenth of the features
    initial = compiled.weights()
    history = _train(compiled, problem, truth, scale, training, np.random.default_rng(seed))
    _insist_moved(compiled, initial)
    parts = [
        _returns(compiled, problem, rows, scale, training.batch_size)
        for rows in (problem.train, problem.validation, problem.test)
    ]
    train, validation, test = (part[:, :, outputs.middle] for part in parts)
    _insist_alive(train)
    return Forecast(
        _as_asked(train),
        _as_asked(validation),
        _as_asked(test),
        history,
        tuple(compiled.weights()),
        quantiles=_as_asked(parts[2]) if outputs.levels else None,
    )


@lru_cache(maxsize=16)
def _compiled(
    network: Network, branches: tuple[Groups, ...], steps: Steps, outputs: Outputs
) -> Compiled:
    # What Keras loads for its plots and its scikit-learn wrappers takes a second.
    with without("matplotlib", "matplotlib.pyplot", "sklearn"):
        import keras

    if keras.backend.backend() == "jax":
        from engine.models.compiled_jax import JaxCompiled

        return JaxCompiled(network, branches, steps, outputs)
    from engine.models.compiled_tensorflow import TensorFlowCompiled

    return TensorFlowCompiled(network, branches, steps, outputs)


def _train(
    compiled: Compiled,
    problem: Problem,
    truth: Matrix,
    scale: Scale,
    training: Training,
    rng: np.random.Generator,
) -> History:
    train_loss: list[float] = []
    validation_loss: list[float] = []
    waited: list[int] = []
    stopping, first = training.early_stopping, training.optimizer.learning_rate
    best = _Best(compiled, stopping.min_delta if stopping else 0.0)
    epochs = training.warm_epochs if problem.start else training.epochs
    for epoch in range(epochs):
        batches = shuffled_batches(
            problem.train, training.batch_size, rng, ordered=training.loss.ordered
        )
        rate = training.schedule.rate(first, waited, epochs)
        train_loss.append(compiled.epoch(batches, rate))
        outputs = _outputs(compiled, problem.validation, training.batch_size)
        seen = Batch(outputs, truth, np.ones(len(truth), dtype=bool), scale)
        validation_loss.append(float(compiled.outputs.loss(training.loss, np, seen)))
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


def _insist_alive(train: Matrix) -> None:
    still = np.ptp(train, axis=0) == 0.0
    if len(train) > 1 and still.any():
        raise RefitError(
            "the network is dead: it predicts one value for every train row",
            expected="predictions that differ from row to row",
            found=f"{train[0, np.argmax(still)]:g} on all {len(train)} rows",
            fix="lower training.optimizer.learning_rate, or look for a constant feature",
        )


def _returns(
    compiled: Compiled, problem: Problem, rows: Rows, scale: Scale, batch_size: int
) -> Cube:
    """(n, m horizons, levels) in the order of the rows."""
    if problem.recursive:
        reached = recursive_returns(compiled, problem, rows, scale, batch_size)
        return reached[:, :, None]
    return compiled.outputs.in_returns(_outputs(compiled, rows, batch_size), scale)


def _as_asked(values: Cube | Matrix) -> Matrix | Vector:
    """Without the axis of the horizons where there is but one."""
    return values[:, 0] if values.shape[1] == 1 else values


def _outputs(compiled: Compiled, rows: Rows, batch_size: int) -> Floats:
    """(n, columns), in the order of the rows."""
    batches = even_batches(rows, batch_size)
    return compiled.predict(batches)[batches.real]
