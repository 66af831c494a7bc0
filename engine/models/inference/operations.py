"""The table of operations that a network program may consist of."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from engine.models.inference import linear, recurrent, shapes
from engine.models.inference.elementwise import ELEMENTWISE

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

OPERATIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        **ELEMENTWISE,
        "attention": linear.attention,
        "average_pool": linear.average_pool,
        "batch_matmul": linear.batch_matmul,
        "batch_normalization": linear.batch_normalization,
        "cast": lambda x, *, dtype: x.astype(dtype),
        "concatenate": lambda *parts, axis: np.concatenate(parts, axis=axis),
        "constant": shapes.constant,
        "conv1d": linear.conv1d,
        "cumsum": lambda x, *, axis: np.cumsum(x, axis=axis),
        "dense": linear.dense,
        "flip": lambda x, *, axis: np.flip(x, axis=tuple(axis)),
        "get_item": shapes.get_item,
        "gru": recurrent.gru,
        "layer_normalization": linear.layer_normalization,
        "lstm": recurrent.lstm,
        "matmul": linear.matmul,
        "max_pool": linear.max_pool,
        "pad": shapes.pad,
        "reduce": shapes.reduce,
        "repeat": lambda x, *, repeats, axis: np.repeat(x, repeats, axis=axis),
        "reshape": shapes.reshape,
        "softmax": linear.softmax,
        "stack": lambda *parts, axis: np.stack(parts, axis=axis),
        "take": shapes.take,
        "transpose": shapes.transpose,
        "variable": shapes.variable,
    }
)
"""Kind -> function of the input arrays, the weights and the attributes, in this order."""
