"""Type names for objects of Keras, TensorFlow and JAX, which ship no usable types."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A symbolic, eager or traced tensor."""

KerasModel: TypeAlias = Any
"""A `keras.Model`."""

KerasLayer: TypeAlias = Any
"""A `keras.Layer`."""

KerasOptimizer: TypeAlias = Any
"""A `keras.optimizers.Optimizer`."""

Ops: TypeAlias = Any
"""A module of array functions: `numpy` or `keras.ops`."""

Regularizer: TypeAlias = Any
"""A `keras.regularizers.Regularizer`."""

SYMBOL_EMBEDDING = "symbol_embedding"
"""Name of the layer with a vector for each symbol."""
