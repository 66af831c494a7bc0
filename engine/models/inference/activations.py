"""Activation functions of Keras by the names of a program's operations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.models.inference.elementwise import ELEMENTWISE

if TYPE_CHECKING:
    from engine.models.inference.call import Call
    from engine.models.inference.graph import Value


def elementwise_kind(call: Call, activation: object) -> str:
    """The operation of an activation function with its default arguments.

    Raises:
        UnsupportedLayerError: It is no function of `keras.activations`, or not supported.
    """
    import keras

    name = getattr(activation, "__name__", type(activation).__name__)
    kind = {"exponential": "exp"}.get(name, name)
    known = activation is getattr(keras.activations, name, None)
    call.require(known and kind in ELEMENTWISE, f"the activation {name}")
    return kind


def activate(call: Call, x: Value, activation: object) -> Value:
    """Appends an activation of a layer's result."""
    import keras

    if activation is keras.activations.linear:
        return x
    if activation is keras.activations.softmax:
        return call.add("softmax", [x], x.shape, axis=x.rank - 1)
    return call.add(elementwise_kind(call, activation), [x], x.shape)
