"""Recurrent layers that the networks share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, TypeAlias

from pydantic import BeforeValidator, Field

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from engine.models.keras_types import KerasLayer, Regularizer, Tensor

_Units: TypeAlias = Annotated[int, Field(ge=1, le=1024)]


def _list_layers(units: object) -> object:
    if type(units) is int:
        return (units,)
    return tuple(units) if isinstance(units, list) else units  # strict mode takes no list


LayerUnits: TypeAlias = Annotated[
    tuple[_Units, ...], Field(min_length=1, max_length=3), BeforeValidator(_list_layers)
]
"""Size of each of one to three layers, the first at the input; a number is one layer."""

MAX_UNROLLED_STEPS = 32
"""Longest sequence that is unrolled on TensorFlow, where unrolling halves a fit's time.

On JAX it saves a third of a fit and makes compiling ten times as long.
"""


def lstm_layer(
    x: Tensor,
    units: int,
    *,
    return_sequences: bool = False,
    bidirectional: bool = False,
    penalty: Regularizer | None = None,
) -> Tensor:
    """A long short-term memory layer over (batch, steps, channels).

    Hochreiter & Schmidhuber (1997), with forget gates.

    Args:
        x: The sequence.
        units: Size of the state.
        return_sequences: Return (batch, steps, units) instead of the last state (batch, units).
        bidirectional: Adds a second layer that reads the sequence backwards; the outputs are
            concatenated. Both see only the lookback, which ends at the bar of the decision.
        penalty: On the input weights, not on the recurrent weights.
    """
    import keras

    layer = keras.layers.LSTM(
        units,
        return_sequences=return_sequences,
        kernel_regularizer=penalty,
        unroll=_should_unroll(x),
    )
    return _apply_layer(x, layer, bidirectional)


def gru_layer(
    x: Tensor,
    units: int,
    *,
    return_sequences: bool = False,
    bidirectional: bool = False,
    penalty: Regularizer | None = None,
) -> Tensor:
    """A gated recurrent unit over (batch, steps, channels); Cho et al. (2014).

    Args:
        x: The sequence.
        units: Size of the state.
        return_sequences: As in `lstm_layer`.
        bidirectional: As in `lstm_layer`.
        penalty: As in `lstm_layer`.
    """
    import keras

    layer = keras.layers.GRU(
        units,
        return_sequences=return_sequences,
        kernel_regularizer=penalty,
        unroll=_should_unroll(x),
    )
    return _apply_layer(x, layer, bidirectional)


def stack_layers(
    make_layer: Callable[..., Tensor],
    x: Tensor,
    units: Sequence[int],
    *,
    dropout: float,
    bidirectional: bool,
    penalty: Regularizer | None,
) -> Tensor:
    """Stacked layers with dropout after each; returns the last state of the last layer.

    Dropout is applied between layers and never between steps (Zaremba, Sutskever & Vinyals
    2014), so that it erases no state.

    Args:
        make_layer: `lstm_layer` or `gru_layer`.
        x: (batch, steps, channels).
        units: Size of each layer's state.
        dropout: Share of a layer's outputs that is dropped in training.
        bidirectional: As in `lstm_layer`, for every layer.
        penalty: As in `lstm_layer`, for every layer.

    Returns:
        (batch, units[-1]), twice that if bidirectional.
    """
    import keras

    for depth, size in enumerate(units, start=1):
        inner = depth < len(units)
        x = make_layer(
            x, size, return_sequences=inner, bidirectional=bidirectional, penalty=penalty
        )
        x = keras.layers.Dropout(dropout)(x)
    return x


def l1_l2_penalty(l1: float, l2: float) -> Regularizer | None:
    """l1 sum|w| + l2 sum w^2, added to the training loss; None where both are 0."""
    import keras

    return keras.regularizers.L1L2(l1, l2) if l1 or l2 else None


def _apply_layer(x: Tensor, layer: KerasLayer, bidirectional: bool) -> Tensor:
    import keras

    return (keras.layers.Bidirectional(layer) if bidirectional else layer)(x)


def _should_unroll(x: Tensor) -> bool:
    import keras

    return bool(keras.backend.backend() == "tensorflow" and x.shape[1] <= MAX_UNROLLED_STEPS)
