"""Initial weights drawn by seed, on a model that is already built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.models.untyped import KerasLayer, KerasModel, Tensor


SUFFIX = "_initializer"


class InitialWeights:
    """Draws what a fresh build of the model with this seed would start from.

    Constants (biases, forget gates, batch-norm statistics) are remembered from the build; random
    weights are drawn again by their own Keras initializer, each from a stream of its own; dropout
    generators start at their own seed.

    Args:
        model: A built Keras model that has not been trained.

    Raises:
        TypeError: A weight is random and its initializer was not found; a window would start from
            what the process happened to draw.
    """

    def __init__(self, model: KerasModel) -> None:
        self._constants = [np.array(v) for v in model.variables]
        place = {id(v): position for position, v in enumerate(model.variables)}
        layers = list(_all_layers(model))
        self._random = {
            place[id(variable)]: (initializer, tuple(variable.shape))
            for layer in layers
            for initializer, variable in _random_weights(layer)
        }
        self._generators = [
            place[id(layer.seed_generator.state)]
            for layer in layers
            if getattr(layer, "seed_generator", None) is not None
        ]

        self._insist_all_found(model)

    def _insist_all_found(self, model: KerasModel) -> None:
        for position, variable in enumerate(model.variables):
            known = position in self._random or position in self._generators
            if not known and not np.isin(self._constants[position], (0, 1)).all():
                raise TypeError(f"no initializer found for the random weight {variable.path}")

    def draw(
        self, seed: int, start: Sequence[npt.NDArray[Any]] | None = None
    ) -> list[npt.NDArray[Any]]:
        """One array a variable of the model, in the order of `model.variables`.

        Args:
            seed: Of random weights and of dropout.
            start: Weights to begin with instead; dropout still follows the seed.
        """
        weights = [np.array(value) for value in start or self._constants]
        touched = sorted([*self._random, *self._generators])
        streams = np.random.SeedSequence(seed).generate_state(len(touched))
        for position, stream in zip(touched, streams.tolist(), strict=True):
            if position in self._generators:
                weights[position] = np.array([stream, 0], dtype=weights[position].dtype)
            elif start is None:
                initializer, shape = self._random[position]
                config = {**initializer.get_config(), "seed": stream}
                weights[position] = np.array(type(initializer).from_config(config)(shape))
        return weights


def _all_layers(model: KerasModel) -> Iterator[KerasLayer]:
    # The only way into cells and wrapped layers that Keras has; `model.layers` stops above them.
    return iter(model._flatten_layers(include_self=False))


def _random_weights(layer: KerasLayer) -> Iterator[tuple[Any, Tensor]]:
    for name, initializer in vars(layer).items():
        if not name.endswith(SUFFIX) or not hasattr(initializer, "seed"):
            continue
        # The one name that breaks the pattern, in every recurrent cell of Keras.
        stem = "recurrent_kernel" if name == "recurrent_initializer" else name[: -len(SUFFIX)]
        variable = getattr(layer, stem, None)
        if variable is not None:
            yield initializer, variable
