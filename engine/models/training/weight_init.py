"""Initial weights drawn by seed, on a model that is already built."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.models.keras_types import KerasLayer, KerasModel, Tensor


INITIALIZER_SUFFIX = "_initializer"


class WeightInitializer:
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
        self._built_values = [np.array(v) for v in model.variables]
        place = {id(v): position for position, v in enumerate(model.variables)}
        layers = list(_iterate_layers(model))
        self._initializers = {
            place[id(variable)]: (initializer, tuple(variable.shape))
            for layer in layers
            for initializer, variable in _match_initializers(layer)
        }
        self._seed_generators = [
            place[id(layer.seed_generator.state)]
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
        """One array a variable of the model, in the order of `model.variables`.

        Args:
            seed: Of random weights and of dropout.
            initial: Weights to begin with instead; dropout still follows the seed.
        """
        weights = [np.array(value) for value in initial or self._built_values]
        touched = sorted([*self._initializers, *self._seed_generators])
        streams = np.random.SeedSequence(seed).generate_state(len(touched))
        for position, stream in zip(touched, streams.tolist(), strict=True):
            if position in self._seed_generators:
                weights[position] = np.array([stream, 0], dtype=weights[position].dtype)
            elif initial is None:
                initializer, shape = self._initializers[position]
                config = {**initializer.get_config(), "seed": stream}
                weights[position] = np.array(type(initializer).from_config(config)(shape))
        return weights


def _iterate_layers(model: KerasModel) -> Iterator[KerasLayer]:
    # The only way into cells and wrapped layers that Keras has; `model.layers` stops above them.
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
