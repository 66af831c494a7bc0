"""Recurrent layers of Keras as operations of a program."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from engine.models.inference.activations import elementwise_kind

if TYPE_CHECKING:
    from engine.models.inference.call import Call
    from engine.models.inference.graph import Value
    from engine.models.keras_types import KerasLayer

MERGES = MappingProxyType({"sum": "add", "ave": "add", "mul": "multiply"})
"""How `Bidirectional` joins its two outputs, other than by concatenation."""


def recurrent(call: Call) -> Value:
    """`LSTM` and `GRU`."""
    return _add_recurrent(call, call.layer)


def bidirectional(call: Call) -> Value:
    """`Bidirectional`: one layer reads forwards, the other backwards; both see every step."""
    layer = call.layer
    supported = {"LSTM", "GRU"}
    both = (layer.forward_layer, layer.backward_layer)
    call.require(all(type(part).__name__ in supported for part in both), "its layer")
    forward, backward = (_add_recurrent(call, part) for part in both)
    if layer.return_sequences:
        backward = call.add("flip", [backward], backward.shape, axis=[1])
    if layer.merge_mode == "concat":
        return call.add("concatenate", [forward, backward], axis=forward.rank - 1)
    call.require(layer.merge_mode in MERGES, "two outputs")
    merged = call.add(MERGES[layer.merge_mode], [forward, backward])
    if layer.merge_mode == "ave":
        return call.add("divide", [merged, call.operand(2.0)])
    return merged


def _add_recurrent(call: Call, layer: KerasLayer) -> Value:
    cell, x = layer.cell, call.x
    call.require(not layer.stateful, "a state that lasts over batches")
    call.require(not layer.return_state, "states among the outputs")
    if layer.go_backwards:
        x = call.add("flip", [x], x.shape, axis=[1])
    weights = [cell.kernel, cell.recurrent_kernel, *([cell.bias] if cell.use_bias else [])]
    call.graph.note_size((x.shape[1], cell.units))
    call.graph.note_size((4, cell.units))
    functions = (cell.activation, cell.recurrent_activation)
    last = (x.shape[1], cell.units) if layer.return_sequences else (cell.units,)
    kind = type(layer).__name__.lower()
    return call.add(
        kind,
        [x],
        (x.shape[0], *last),
        weights,
        activations=[elementwise_kind(call, f) for f in functions],
        sequences=layer.return_sequences,
        **({"reset_after": cell.reset_after} if kind == "gru" else {}),
    )
