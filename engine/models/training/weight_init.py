"""Initial weights weights by seed, by NumPy, on a model that is already built.

Keras draws them with its backend. On JAX that is one program to compile for each shape, over two
seconds for MICDL, more than all its other preparations but the training step.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from contextlib import AbstractContextManager

    import numpy.typing as npt

    from engine.models.keras_types import KerasLayer, KerasModel, Tensor

    Shape = tuple[int, ...]

INITIALIZER_SUFFIX = "_initializer"

# Registered by name, because `Bidirectional` copies its layer through a configuration.
register_serializable = keras.saving.register_keras_serializable(package="engine")


@register_serializable
class GlorotUniform(keras.initializers.Initializer):
    """Uniform in +-sqrt(6 / (fan_in + fan_out)); Glorot & Bengio (2010).

    Args:
        seed: Seed of NumPy's generator.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        """Draws one array; a kernel's receptive field multiplies both fans, as in Keras."""
        field = prod(shape[:-2])
        fans = field * sum(shape[-2:]) if len(shape) > 1 else 2 * prod(shape)
        limit = np.sqrt(6 / max(fans, 1))
        weights = np.random.default_rng(self.seed).uniform(-limit, limit, shape)
        return weights.astype(dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


@register_serializable
class Orthogonal(keras.initializers.Initializer):
    """Orthonormal rows or columns, whichever are fewer; Saxe et al. (2014).

    Args:
        seed: Seed of NumPy's generator.
    """

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        """Q of a normal matrix, with the signs of R's diagonal, so that Q is uniform."""
        rows, columns = prod(shape[:-1]), shape[-1]
        size = (max(rows, columns), min(rows, columns))
        q, r = np.linalg.qr(np.random.default_rng(self.seed).standard_normal(size))
        q = q * np.sign(np.diag(r))
        return (q if rows >= columns else q.T).reshape(shape).astype(dtype or "float32")

    def get_config(self) -> dict[str, Any]:
        """The seed."""
        return {"seed": self.seed}


@register_serializable
class _ZerosInitializer(keras.initializers.Initializer):
    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        return np.zeros(shape, dtype or "float32")


@register_serializable
class _OnesInitializer(keras.initializers.Initializer):
    def __call__(self, shape: Shape, dtype: str | None = None) -> npt.NDArray[Any]:
        return np.ones(shape, dtype or "float32")


def use_numpy_initializers() -> AbstractContextManager[None]:
    """Layers and optimizers created inside use these instead of Keras' defaults."""
    scope: AbstractContextManager[None] = keras.saving.custom_object_scope(
        {
            "glorot_uniform": GlorotUniform,
            "orthogonal": Orthogonal,
            "zeros": _ZerosInitializer,
            "ones": _OnesInitializer,
        }
    )
    return scope


class WeightInitializer:
    """Draws the weights that a new build of the model with this seed would start from.

    Constants (biases, forget gates, batch-norm statistics) are kept from the build. Random weights
    are drawn again by their own Keras initializer, each from its own random stream. Dropout
    generators get their own seeds.

    Args:
        model: A built Keras model that has not been trained.

    Raises:
        TypeError: The initializer of a random weight was not found; a window would start from the
            weights of the build.
    """

    def __init__(self, model: KerasModel) -> None:
        self._built_values = [np.array(v) for v in model.variables]
        position_of = {id(v): index for index, v in enumerate(model.variables)}
        layers = list(_iterate_layers(model))
        self._initializers = {
            position_of[id(variable)]: (initializer, tuple(variable.shape))
            for layer in layers
            for initializer, variable in _match_initializers(layer)
        }
        self._seed_generators = [
            position_of[id(layer.seed_generator.state)]
            for layer in layers
            if getattr(layer, "seed_generator", None) is not None
        ]

        self._check_all_initializers_found(model)

    def _check_all_initializers_found(self, model: KerasModel) -> None:
        for position, variable in enumerate(model.variables):
            known = position in self._initializers or position in self._seed_generators
            if not known and not np.isin(self._built_values[position], (0, 1)).all():
                raise TypeError(f"no initializer found for the random weight {variable.path}")

    def draw(
        self, seed: int, initial: Sequence[npt.NDArray[Any]] | None = None
    ) -> list[npt.NDArray[Any]]:
        """One array for each variable of the model, in the order of `model.variables`.

        Args:
            seed: Seed of random weights and of dropout.
            initial: Weights to start from instead; dropout still follows the seed.
        """
        weights = [np.array(value) for value in initial or self._built_values]
        random_positions = sorted([*self._initializers, *self._seed_generators])
        streams = np.random.SeedSequence(seed).generate_state(len(random_positions))
        for position, stream in zip(random_positions, streams.tolist(), strict=True):
            if position in self._seed_generators:
                weights[position] = np.array([stream, 0], dtype=weights[position].dtype)
            elif initial is None:
                initializer, shape = self._initializers[position]
                config = {**initializer.get_config(), "seed": stream}
                weights[position] = np.array(type(initializer).from_config(config)(shape))
        return weights


def _iterate_layers(model: KerasModel) -> Iterator[KerasLayer]:
    # Keras' only access to cells and wrapped layers; `model.layers` does not contain them.
    return iter(model._flatten_layers(include_self=False))


def _match_initializers(layer: KerasLayer) -> Iterator[tuple[Any, Tensor]]:
    for name, initializer in vars(layer).items():
        if not name.endswith(INITIALIZER_SUFFIX) or not hasattr(initializer, "seed"):
            continue
        # The one name that breaks the pattern, in every recurrent cell of Keras.
        stem = (
            "recurrent_kernel"
            if name == "recurrent_initializer"
            else name[: -len(INITIALIZER_SUFFIX)]
        )
        variable = getattr(layer, stem, None)
        if variable is not None:
            yield initializer, variable
