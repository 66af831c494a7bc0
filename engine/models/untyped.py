"""Names for what Keras, TensorFlow and JAX hand around; none of them ships usable types."""

from __future__ import annotations

from typing import Any, TypeAlias

Tensor: TypeAlias = Any
"""A symbolic, eager or traced tensor."""

KerasModel: TypeAlias = Any
"""A `keras.Model`."""

KerasLayer: TypeAlias = Any
"""A `keras.Layer`."""
