"""Weight matrices with fewer values: small ones 0, or rounded to 8 bits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.models.dataset import FittedParameters

    Array = npt.NDArray[Any]

QUANTISED = "quantised"
"""Key of a fit's state: positions of the weights in int8; their scales follow the last weight."""

LARGEST_INT8 = 127


def decode_weights(fitted: FittedParameters) -> tuple[Array, ...]:
    """The weights of a network in float32, in the order of the model's variables."""
    quantised = fitted.state.get(QUANTISED, ())
    if not quantised:
        return fitted.weights
    weights = list(fitted.weights[: -len(quantised)])
    scales = fitted.weights[-len(quantised) :]
    for position, scale in zip(quantised, scales, strict=True):
        weights[position] = weights[position].astype(np.float32) * scale
    return tuple(weights)


def prune(matrix: Array, share: float) -> Array:
    """A copy whose values of smallest magnitude are 0.

    Args:
        matrix: Of any shape.
        share: Part of the values that become 0, rounded down; of equal ones the first.
    """
    pruned = matrix.copy()
    smallest = np.argsort(np.abs(matrix), axis=None, kind="stable")[: int(share * matrix.size)]
    pruned.reshape(-1)[smallest] = 0
    return pruned


def quantise(matrix: Array) -> tuple[npt.NDArray[np.int8], npt.NDArray[np.float32]]:
    """Rounds to 8 bits, symmetric about 0: value = scale * integer, -127 to 127.

    Args:
        matrix: (..., channels), finite.

    Returns:
        The integers, and the scale of each channel, (channels,): its largest magnitude over 127,
        at least the smallest normal number.
    """
    largest = np.abs(matrix).max(axis=tuple(range(matrix.ndim - 1)))
    scale = np.maximum(largest / LARGEST_INT8, np.finfo(np.float32).tiny).astype(np.float32)
    integers = np.clip(np.rint(matrix / scale), -LARGEST_INT8, LARGEST_INT8)
    return integers.astype(np.int8), scale
