"""Matrix products, convolutions, pooling, norms and attention, one row of a batch at a time."""

from __future__ import annotations

from functools import lru_cache
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Array = npt.NDArray[Any]


MAX_PRODUCTS = 131_072
"""Multiplications in one call of BLAS: OpenBLAS takes several threads from 262,144 on, and the
order in which it adds then depends on how many."""


def column_blocks(kernel: Array) -> list[tuple[Array, slice]]:
    """The columns of a matrix in blocks, each of at most `MAX_PRODUCTS` elements, contiguous."""
    depth, width = kernel.shape
    columns = max(1, MAX_PRODUCTS // max(1, depth))
    parts = [slice(x, min(x + columns, width)) for x in range(0, width, columns)]
    return [(np.ascontiguousarray(kernel[:, part]), part) for part in parts]


def matmul(x: Array, kernel: Array) -> Array:
    """Product of (..., k) and (k, m).

    One call of BLAS for each row: in a product of many rows OpenBLAS adds up a row in an order
    that depends on its place, and so do its last bits; see `findings/numpy-equal-rows.sh`.
    """
    rows = x.reshape(-1, 1, x.shape[-1])
    if kernel.size <= MAX_PRODUCTS:
        return (rows @ kernel).reshape(*x.shape[:-1], kernel.shape[1])
    product = np.concatenate([rows @ block for block, _ in column_blocks(kernel)], axis=-1)
    return product.reshape(*x.shape[:-1], kernel.shape[1])


def batch_matmul(left: Array, right: Array) -> Array:
    """Product of (n, ..., steps, k) and (n, ..., k, m), a matrix for each row."""
    steps = max(1, MAX_PRODUCTS // (right.shape[-2] * right.shape[-1]))
    blocks = [
        left[..., first : first + steps, :] @ right for first in range(0, left.shape[-2], steps)
    ]
    return blocks[0] if len(blocks) == 1 else np.concatenate(blocks, axis=-2)


def dense(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """Product and bias over the last axis; kernel and bias may have more axes, as heads do."""
    product = matmul(x, kernel.reshape(x.shape[-1], -1))
    if bias is not None:
        product += bias.reshape(-1)
    return product


def symbol_dense(x: Array, kernel: Array, bias: Array | None = None) -> Array:
    """A product and a bias of its own for each symbol.

    Args:
        x: (n, symbols, k).
        kernel: (symbols, k, m).
        bias: (symbols, m).
    """
    product: Array = np.matmul(x[:, :, None], kernel)[:, :, 0]
    return product if bias is None else product + bias


def conv1d(
    x: Array,
    kernel: Array,
    bias: Array | None = None,
    *,
    stride: int,
    dilation: int,
    padding: Sequence[int],
) -> Array:
    """Convolution over the steps: (n, steps, k) -> (n, steps', filters).

    Args:
        x: (n, steps, k).
        kernel: (taps, k, filters).
        bias: (filters,).
        stride: Steps between two windows.
        dilation: Steps between two taps.
        padding: Zeros before the first and after the last step.
    """
    padded = _pad_steps(x, padding, 0.0)
    last = padded.shape[1] - (len(kernel) - 1) * dilation
    taps = [
        padded[:, tap * dilation : tap * dilation + last : stride] for tap in range(len(kernel))
    ]
    return dense(np.concatenate(taps, axis=2), kernel.reshape(-1, kernel.shape[-1]), bias)


def average_pool(x: Array, *, size: int, stride: int, padding: Sequence[int]) -> Array:
    """Mean over windows of steps; steps of padding do not count."""
    windows = _pool_windows(x, size, stride, padding, 0.0)
    total = sum(windows[1:], start=windows[0])
    if not any(padding):
        return total / np.float32(size)
    counts = _pool_windows(np.ones((1, x.shape[1], 1), np.float32), size, stride, padding, 0.0)
    return total / sum(counts[1:], start=counts[0])


def max_pool(x: Array, *, size: int, stride: int, padding: Sequence[int]) -> Array:
    """Largest value of windows of steps."""
    pooled: Array = np.maximum.reduce(_pool_windows(x, size, stride, padding, -np.inf))
    return pooled


def _pool_windows(
    x: Array, size: int, stride: int, padding: Sequence[int], fill: float
) -> list[Array]:
    padded = _pad_steps(x, padding, fill)
    last = padded.shape[1] - size
    return [padded[:, tap : tap + last + 1 : stride] for tap in range(size)]


def _pad_steps(x: Array, padding: Sequence[int], fill: float) -> Array:
    """Steps of one value before the first and after the last."""
    before, after = padding
    if not before and not after:
        return x
    rows, steps, columns = x.shape
    padded = np.full((rows, before + steps + after, columns), fill, x.dtype)
    padded[:, before : before + steps] = x
    return padded


def bind_batch_normalization(
    weights: Sequence[Array], attributes: Mapping[str, Any]
) -> Callable[[Array], Array]:
    """(x - mean) / sqrt(variance + epsilon) with the moving statistics.

    Args:
        weights: Mean and variance.
        attributes: `axis` of the features, and `epsilon`.
    """
    mean, variance = weights
    inverse = np.float32(1) / np.sqrt(variance + np.float32(attributes["epsilon"]))
    axis = attributes["axis"]

    def run(x: Array) -> Array:
        shape = [1] * x.ndim
        shape[axis] = -1
        normal = x - mean.reshape(shape)
        normal *= inverse.reshape(shape)
        return normal

    return run


def layer_normalization(x: Array, *, axis: Sequence[int], epsilon: float) -> Array:
    """(x - mean) / sqrt(variance + epsilon), both over some axes of each row."""
    axes = tuple(axis)
    count = np.float32(prod(x.shape[each] for each in axes))
    centred = x - np.add.reduce(x, axis=axes, keepdims=True) / count
    variance = np.add.reduce(np.square(centred), axis=axes, keepdims=True) / count
    normal: Array = centred / np.sqrt(variance + np.float32(epsilon))
    return normal


def softmax(x: Array, *, axis: int) -> Array:
    """exp(x) / sum(exp(x)) over one axis."""
    weights: Array = x - np.maximum.reduce(x, axis=axis, keepdims=True)
    np.exp(weights, weights)
    weights /= np.add.reduce(weights, axis=axis, keepdims=True)
    return weights


def attention(query: Array, key: Array, value: Array, *, heads: int, causal: bool) -> Array:
    """softmax(Q K' / sqrt(d)) V for each head; Vaswani et al. (2017), NeurIPS.

    Args:
        query: (n, steps, heads * d).
        key: (n, keys, heads * d).
        value: (n, keys, heads * v).
        heads: Number of heads.
        causal: A step attends to the steps up to its own only.

    Returns:
        (n, steps, heads * v).
    """
    values = value.reshape(*value.shape[:2], heads, -1).swapaxes(1, 2)
    attended = batch_matmul(attention_weights(query, key, heads=heads, causal=causal), values)
    return attended.swapaxes(1, 2).reshape(*query.shape[:2], -1)


def attention_weights(query: Array, key: Array, *, heads: int, causal: bool) -> Array:
    """softmax(Q K' / sqrt(d)) for each head: (n, heads, steps, keys).

    Args:
        query: As in `attention`.
        key: As in `attention`.
        heads: As in `attention`.
        causal: As in `attention`.
    """
    q, k = (x.reshape(*x.shape[:2], heads, -1).swapaxes(1, 2) for x in (query, key))
    scores = batch_matmul(q * np.float32(1 / np.sqrt(q.shape[-1])), k.swapaxes(2, 3))
    if causal:
        np.copyto(scores, -np.inf, where=_later_keys(*scores.shape[2:]))
    return softmax(scores, axis=-1)


@lru_cache(maxsize=64)
def _later_keys(steps: int, keys: int) -> Array:
    """(steps, keys) bool: whether a key is later than the step."""
    later: Array = np.arange(keys) > np.arange(steps)[:, None]
    return later
