"""Gradients of a network's forecast with respect to its inputs, by Keras' own backend."""

from __future__ import annotations

from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from engine.models.training.prediction import load_keras_model, read_outputs

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from engine.core.types import Cube, Vector
    from engine.models.dataset import ColumnGroups, FittedParameters
    from engine.models.keras_types import KerasModel, Tensor
    from engine.models.training.backend import Floats
    from engine.models.training.trainable_network import TrainableNetwork

    GradientFunction: TypeAlias = Callable[[Sequence[Floats], int], list[npt.NDArray[Any]]]

SEQUENCES_PER_CALL = 1_024
"""Sequences of one gradient; one shape, so that one program is compiled."""


class DifferentiableForecast:
    """One return that a fitted network forecasts, as a function with gradients.

    Args:
        network: The network's configuration.
        fitted: Its fit; not recursive.
        branches: Columns of each series, for each interval.
        place: Which of the returns of the last layer.

    Raises:
        UsageError: Keras computes with another backend in this process than the fit did.
    """

    def __init__(
        self,
        network: TrainableNetwork,
        fitted: FittedParameters,
        branches: tuple[ColumnGroups, ...],
        place: int,
    ) -> None:
        layout, scale = read_outputs(fitted)
        self._load = partial(load_keras_model, network, fitted, branches)
        self._backend = fitted.state["backend"]
        self._column = place * layout.columns_per_return + layout.median_index
        self._std = float(scale.std[place])

    def gradients(self, sequences: Sequence[Floats]) -> tuple[Cube, ...]:
        """For each interval (n, lookback, k) the gradient of the forecast at each row.

        Args:
            sequences: (n, lookback, k) of each interval; of a network with symbol vectors the last
                is (n, 1, 1), their numbers, which are held.
        """
        gradient = _gradient_function(self._load(), self._backend)
        found = _in_calls(gradient, sequences, self._column)
        return tuple(self._std * part.astype(np.float64) for part in found)

    def integrated_gradients(
        self,
        sequences: Sequence[Floats],
        baseline: Sequence[Floats],
        *,
        nodes: int,
        segments: int = 1,
    ) -> tuple[Cube, ...]:
        """(x - b) times the mean gradient on the straight line from b to x, cell by cell.

        The mean is a Gauss-Legendre sum. What is returned of a row adds up to
        forecast(x) - forecast(b) but for the error of that sum.

        Args:
            sequences: As in `gradients`.
            baseline: (lookback, k) of each interval.
            nodes: Points on each segment of the line.
            segments: Equal parts of the line; several serve a network with kinks, such as ReLU
                and maximum pooling.

        Returns:
            For each interval (n, lookback, k), in the unit of the forecast.

        Source: Sundararajan, Taly & Yan (2017), Axiomatic Attribution for Deep Networks, ICML.
        """
        gradient = _gradient_function(self._load(), self._backend)
        own, held = sequences[: len(baseline)], sequences[len(baseline) :]
        differences = [x - start for x, start in zip(own, baseline, strict=True)]
        positions, weights = _quadrature(nodes, segments)
        together = max(1, SEQUENCES_PER_CALL // len(own[0]))
        means = [np.zeros(part.shape) for part in differences]
        for first in range(0, len(positions), together):
            chosen = slice(first, first + together)
            places = positions[chosen]
            points = [
                _points_on_line(start, difference, places)
                for start, difference in zip(baseline, differences, strict=True)
            ]
            numbers = [np.tile(part, (len(places), 1, 1)) for part in held]
            found = _in_calls(gradient, [*points, *numbers], self._column)
            for mean, part in zip(means, found, strict=True):
                mean += np.tensordot(
                    weights[chosen], part.reshape(len(places), *mean.shape), axes=1
                )
        return tuple(
            self._std * mean * difference
            for mean, difference in zip(means, differences, strict=True)
        )


def _points_on_line(start: Floats, difference: Floats, places: Vector) -> Floats:
    """(places * n, lookback, k)."""
    points = start + places[:, None, None, None] * difference
    return points.reshape(-1, *start.shape).astype(np.float32)


def _quadrature(nodes: int, segments: int) -> tuple[Vector, Vector]:
    """Positions in (0, 1) and weights that add up to 1."""
    points, weights = np.polynomial.legendre.leggauss(nodes)
    within = (points + 1) / 2
    positions = (np.arange(segments)[:, None] + within).ravel() / segments
    return positions, np.tile(weights / 2, segments) / segments


def _in_calls(
    gradient: GradientFunction, sequences: Sequence[Floats], column: int
) -> list[npt.NDArray[Any]]:
    """The gradients of all rows, by calls of one shape; the last is filled up with zeros."""
    count = len(sequences[0])
    calls = []
    for start in range(0, count, SEQUENCES_PER_CALL):
        parts = [part[start : start + SEQUENCES_PER_CALL] for part in sequences]
        rows = len(parts[0])
        padded = [np.zeros((SEQUENCES_PER_CALL, *part.shape[1:]), np.float32) for part in parts]
        for target, values in zip(padded, parts, strict=True):
            target[:rows] = values
        calls.append([part[:rows] for part in gradient(padded, column)])
    return [np.concatenate(parts) for parts in zip(*calls, strict=True)]


@lru_cache(maxsize=16)
def _gradient_function(model: KerasModel, backend: str) -> GradientFunction:
    """From sequences and a column of the last layer to the gradient of each interval."""
    intervals = sum(each.name.startswith("inputs_") for each in model.inputs)
    real = np.ones(SEQUENCES_PER_CALL, dtype=bool)
    return (_jax_gradient if backend == "jax" else _tensorflow_gradient)(model, intervals, real)


def _tensorflow_gradient(
    model: KerasModel, intervals: int, real: npt.NDArray[np.bool_]
) -> GradientFunction:
    import tensorflow as tf

    every_row = tf.constant(real)

    def forward_and_back(sequences: list[Tensor], column: Tensor) -> list[Tensor]:
        with tf.GradientTape() as tape:
            tape.watch(sequences[:intervals])
            forecast = tf.reduce_sum(tf.gather(model([*sequences, every_row]), column, axis=1))
        gradients: list[Tensor] = tape.gradient(
            forecast, sequences[:intervals], unconnected_gradients="zero"
        )
        return gradients

    compiled = tf.function(forward_and_back)

    def gradient(sequences: Sequence[Floats], column: int) -> list[npt.NDArray[Any]]:
        parts = compiled([tf.constant(part) for part in sequences], tf.constant(column))
        return [part.numpy() for part in parts]

    return gradient


def _jax_gradient(
    model: KerasModel, intervals: int, real: npt.NDArray[np.bool_]
) -> GradientFunction:
    import jax

    def forecast(
        intervals_in: list[Tensor], held: list[Tensor], weights: list[Tensor], column: Tensor
    ) -> Tensor:
        trainable = weights[: len(model.trainable_variables)]
        fixed = weights[len(model.trainable_variables) :]
        outputs, _ = model.stateless_call(
            trainable, fixed, [*intervals_in, *held, real], training=False
        )
        return outputs[:, column].sum()

    compiled = jax.jit(jax.grad(forecast))

    def gradient(sequences: Sequence[Floats], column: int) -> list[npt.NDArray[Any]]:
        variables = [*model.trainable_variables, *model.non_trainable_variables]
        weights = [variable.value for variable in variables]
        own, held = list(sequences[:intervals]), list(sequences[intervals:])
        return [np.asarray(part) for part in compiled(own, held, weights, column)]

    return gradient


def baseline_of(sequences: Sequence[Floats]) -> list[Floats]:
    """(lookback, k) of each interval: at every step the mean of all rows and steps.

    Args:
        sequences: (n, lookback, k) of each interval.
    """
    return [
        np.broadcast_to(part.mean(axis=(0, 1), dtype=np.float64), part.shape[1:]).astype(
            np.float32
        )
        for part in sequences
    ]
