"""The table of operations that a network program may consist of."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference import linear, recurrent, shapes
from engine.models.inference.elementwise import ELEMENTWISE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    Bind = Callable[[Sequence[Any], Mapping[str, Any]], Callable[..., Any]]

_FUNCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **ELEMENTWISE,
        "attention": linear.attention,
        "average_pool": linear.average_pool,
        "batch_matmul": linear.batch_matmul,
        "cast": lambda x, *, dtype: x.astype(dtype),
        "concatenate": lambda *parts, axis: np.concatenate(parts, axis=axis),
        "constant": shapes.constant,
        "conv1d": linear.conv1d,
        "cumsum": lambda x, *, axis: np.cumsum(x, axis=axis),
        "dense": linear.dense,
        "embedding": shapes.embedding,
        "flip": lambda x, *, axis: np.flip(x, axis=tuple(axis)),
        "get_item": shapes.get_item,
        "layer_normalization": linear.layer_normalization,
        "matmul": linear.matmul,
        "max_pool": linear.max_pool,
        "pad": shapes.pad,
        "reduce": shapes.reduce,
        "regroup": shapes.regroup,
        "repeat": lambda x, *, repeats, axis: np.repeat(x, repeats, axis=axis),
        "reshape": shapes.reshape,
        "softmax": linear.softmax,
        "symbol_dense": linear.symbol_dense,
        "stack": lambda *parts, axis: np.stack(parts, axis=axis),
        "transpose": shapes.transpose,
        "variable": shapes.variable,
    }
)
"""Kind -> function of the input arrays, the weights and the attributes, in this order."""

_BINDINGS: Mapping[str, Bind] = MappingProxyType(
    {
        "batch_normalization": linear.bind_batch_normalization,
        "gru": recurrent.bind_gru,
        "lstm": recurrent.bind_lstm,
        "take": shapes.bind_take,
    }
)
"""Kinds that compute something of their weights and attributes once, before any row."""

MATRICES: Mapping[str, int] = MappingProxyType(
    {"conv1d": 1, "dense": 1, "gru": 2, "lstm": 2, "matmul": 1, "symbol_dense": 1}
)
"""Kind -> how many of its first weights rows are multiplied by."""

OPERATIONS = frozenset({*_FUNCTIONS, *_BINDINGS})
"""The kinds."""


def bind_operation(
    kind: str, weights: Sequence[Any], attributes: Mapping[str, Any]
) -> Callable[..., Any]:
    """The function of the input arrays that an operation with these weights and settings is.

    Args:
        kind: One of `OPERATIONS`.
        weights: Arrays of the network.
        attributes: Settings of the operation.
    """
    if kind in _BINDINGS:
        return _BINDINGS[kind](weights, attributes)
    function = _FUNCTIONS[kind]
    if not weights and not attributes:
        return function
    return lambda *inputs: function(*inputs, *weights, **attributes)
