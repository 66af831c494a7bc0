"""Operations that move, select or reduce elements within each row of a batch."""

from __future__ import annotations

from base64 import b64decode, b64encode
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]


def encode_constant(values: Array) -> dict[str, Any]:
    """The attributes of `constant`: shape, type, and the bytes in base 64, little-endian."""
    ordered = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    text = b64encode(ordered.tobytes()).decode("ascii")
    return {"sizes": list(values.shape), "dtype": values.dtype.name, "base64": text}


def constant(*, sizes: Sequence[int], dtype: str, base64: str) -> Array:
    """An array that no input changes."""
    values = np.frombuffer(b64decode(base64), np.dtype(dtype).newbyteorder("<"))
    return values.reshape(tuple(sizes))


def variable(values: Array, *, sizes: Sequence[int]) -> Array:
    """A weight, reshaped for broadcasting."""
    return values.reshape(tuple(sizes))


def bind_take(
    _weights: Sequence[Array], attributes: Mapping[str, Any]
) -> Callable[[Array], Array]:
    """Elements of one `axis` by their `indices`: a list, or one of them without the axis."""
    indices, axis = np.asarray(attributes["indices"]), int(attributes["axis"])
    return lambda x: x.take(indices, axis)


def get_item(x: Array, *, key: Sequence[Any]) -> Array:
    """`x[key]`: an item is an index, None for a new axis, or start, stop and step."""
    items = tuple(slice(*item) if isinstance(item, list | tuple) else item for item in key)
    selected: Array = x[items]
    return selected


def reduce(x: Array, *, function: str, axis: Sequence[int], keepdims: bool) -> Array:
    """Sum, mean, largest, smallest, product, variance or deviation over axes of each row."""
    reduced: Array = REDUCTIONS[function](x, axis=tuple(axis), keepdims=keepdims)
    return reduced


REDUCTIONS: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "max": np.max,
        "mean": np.mean,
        "min": np.min,
        "prod": np.prod,
        "std": np.std,
        "sum": np.sum,
        "var": np.var,
    }
)
"""Name -> function over axes."""


def reshape(x: Array, *, sizes: Sequence[int]) -> Array:
    """Another shape of each row."""
    return x.reshape(len(x), *sizes)


def embedding(x: Array, vectors: Array) -> Array:
    """The vector of each number of the input."""
    return vectors[x.astype(np.int64)]


def regroup(x: Array, *, sizes: Sequence[int]) -> Array:
    """Another number of parts of each row, which stand below each other: (n * parts, ...)."""
    return np.ascontiguousarray(x).reshape(-1, *sizes)


def transpose(x: Array, *, axes: Sequence[int]) -> Array:
    """Axes in another order; contiguous, so that no later operation depends on it."""
    return np.ascontiguousarray(x.transpose(tuple(axes)))


def pad(x: Array, *, widths: Sequence[Sequence[int]], value: float) -> Array:
    """A constant before and after the elements of each axis."""
    return np.pad(x, [tuple(width) for width in widths], constant_values=np.float32(value))
