"""Keras' initial weights, drawn by NumPy.

Keras draws them with its backend. On JAX that is one program to compile for each shape, over two
seconds for MICDL, more than all its other preparations but the training step.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    import numpy.typing as npt

    Shape = tuple[int, ...]

# By name: `Bidirectional` copies its layer by way of a configuration.
register_serializable = keras.saving.register_keras_serializable(package="engine")


@register_serializable
class GlorotUniform(keras.initializers.Initializer):  # type: ignore[misc]
    """Uniform in +-sqrt(6 / (fan_in + fan_out)); Glorot & Bengio (2010).

    Args:
        seed: Of NumPy's generator.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        """Draws one array; a kernel's field multiplies both fans, as Keras counts them."""
        field = prod(shape[:-2])
        fans = field * sum(shape[-2:]) if len(shape) > 1 else 2 * prod(shape)
        limit = np.sqrt(6 / max(fans, 1))
        drawn = np.random.default_rng(self.seed).uniform(-limit, limit, shape)
        return drawn.astype(dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


@register_serializable
class Orthogonal(keras.initializers.Initializer):  # type: ignore[misc]
    """Orthonormal rows or columns, whichever are fewer; Saxe et al. (2014).

    Args:
        seed: Of NumPy's generator.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        """Q of a normal matrix, with the signs of R's diagonal, so that every Q is as likely."""
        rows, columns = prod(shape[:-1]), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(np.random.default_rng(self.seed).standard_normal(size))
        q = q * np.sign(np.diag(r))
        return (q if rows >= columns else q.T).reshape(shape).astype(dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


@register_serializable
class _ZerosInitializer(keras.initializers.Initializer):  # type: ignore[misc]
    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        return np.zeros(shape, dtype or "float32")


@register_serializable
class _OnesInitializer(keras.initializers.Initializer):  # type: ignore[misc]
    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        return np.ones(shape, dtype or "float32")


def use_numpy_initializers() -> AbstractContextManager[None]:
    """Layers and optimizers made inside take these where they name Keras' defaults."""
    scope: AbstractContextManager[None] = keras.saving.custom_object_scope(
        {
            "glorot_uniform": GlorotUniform,
            "orthogonal": Orthogonal,
            "zeros": _ZerosInitializer,
            "ones": _OnesInitializer,
        }
    )
    return scope
