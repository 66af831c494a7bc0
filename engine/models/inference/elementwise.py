"""Operations on each element of arrays, by the names of `keras.ops` in lower case.

Formulas and defaults are those of Keras 3.15. All arrays are float32, or bool where compared.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    Array = npt.NDArray[Any]

SELU_ALPHA = 1.6732632423543772
SELU_SCALE = 1.0507009873554805
"""Klambauer, Unterthiner, Mayr & Hochreiter (2017), NeurIPS."""


def sigmoid(x: Array) -> Array:
    """1 / (1 + exp(-x)), by the hyperbolic tangent, which cannot overflow."""
    half: Array = np.tanh(x * np.float32(0.5))
    half *= np.float32(0.5)
    half += np.float32(0.5)
    return half


def relu(
    x: Array, negative_slope: float = 0.0, max_value: float | None = None, threshold: float = 0.0
) -> Array:
    """The input above the threshold, up to a maximum; slope times (x - threshold) below it."""
    if threshold == 0.0:
        above: Array = np.maximum(x, np.float32(0))
    else:
        above = np.where(x > np.float32(threshold), x, np.float32(0))
    if max_value is not None:
        above = np.clip(above, np.float32(0), np.float32(max_value))
    if negative_slope == 0.0:
        return above
    below = np.maximum(np.float32(threshold) - x, np.float32(0))
    return above - np.float32(negative_slope) * below


def leaky_relu(x: Array, negative_slope: float = 0.2) -> Array:
    """The input above 0, negative_slope x below."""
    return np.where(x > 0, x, np.float32(negative_slope) * x)


def elu(x: Array, alpha: float = 1.0) -> Array:
    """The input above 0, alpha (exp(x) - 1) below; Clevert et al. (2016), ICLR."""
    return np.where(x > 0, x, np.float32(alpha) * np.expm1(np.minimum(x, np.float32(0))))


def selu(x: Array) -> Array:
    """The ELU with the constants that keep mean 0 and variance 1."""
    return np.float32(SELU_SCALE) * elu(x, SELU_ALPHA)


def error_function(x: Array) -> Array:
    """2 / sqrt(pi) times the integral of exp(-t^2) from 0 to x."""
    from scipy.special import erf

    values: Array = erf(x)
    return values


def gelu(x: Array, approximate: bool = False) -> Array:
    """The input times the normal distribution function; Hendrycks & Gimpel (2016)."""
    half = np.float32(0.5) * x
    if approximate:
        inner: Array = np.float32(np.sqrt(2 / np.pi)) * (x + np.float32(0.044715) * (x * x * x))
        return half * (np.float32(1) + np.tanh(inner))
    return half * (np.float32(1) + error_function(x * np.float32(np.sqrt(0.5))))


def softplus(x: Array) -> Array:
    """log(1 + exp(x))."""
    return np.maximum(x, np.float32(0)) + np.log1p(np.exp(-np.abs(x)))


def silu(x: Array) -> Array:
    """The input times its sigmoid."""
    return x * sigmoid(x)


def hard_sigmoid(x: Array) -> Array:
    """The line x / 6 + 1 / 2, from 0 to 1."""
    return np.clip(x / np.float32(6) + np.float32(0.5), np.float32(0), np.float32(1))


def clip(x: Array, x_min: float | None, x_max: float | None) -> Array:
    """The input, at least `x_min` and at most `x_max`."""
    low = None if x_min is None else np.float32(x_min)
    return np.clip(x, low, None if x_max is None else np.float32(x_max))


ELEMENTWISE: Mapping[str, Callable[..., Any]] = MappingProxyType(
    {
        "absolute": np.absolute,
        "add": np.add,
        "arctan": np.arctan,
        "ceil": np.ceil,
        "clip": clip,
        "cos": np.cos,
        "divide": np.divide,
        "elu": elu,
        "equal": np.equal,
        "erf": error_function,
        "exp": np.exp,
        "expm1": np.expm1,
        "floor": np.floor,
        "gelu": gelu,
        "greater": np.greater,
        "greater_equal": np.greater_equal,
        "hard_sigmoid": hard_sigmoid,
        "isfinite": np.isfinite,
        "leaky_relu": leaky_relu,
        "less": np.less,
        "less_equal": np.less_equal,
        "linear": lambda x: x,
        "log": np.log,
        "log1p": np.log1p,
        "logical_and": np.logical_and,
        "logical_not": np.logical_not,
        "logical_or": np.logical_or,
        "maximum": np.maximum,
        "minimum": np.minimum,
        "multiply": np.multiply,
        "negative": np.negative,
        "not_equal": np.not_equal,
        "power": np.power,
        "reciprocal": np.reciprocal,
        "relu": relu,
        "relu6": lambda x: relu(x, max_value=6.0),
        "rsqrt": lambda x: np.float32(1) / np.sqrt(x),
        "selu": selu,
        "sigmoid": sigmoid,
        "sign": np.sign,
        "silu": silu,
        "sin": np.sin,
        "softplus": softplus,
        "softsign": lambda x: x / (np.float32(1) + np.abs(x)),
        "sqrt": np.sqrt,
        "square": np.square,
        "subtract": np.subtract,
        "tanh": np.tanh,
        "true_divide": np.divide,
        "where": np.where,
    }
)
"""Name -> function of the arrays and of its attributes."""

ELEMENTWISE_ATTRIBUTES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "clip": ("x_min", "x_max"),
        "elu": ("alpha",),
        "gelu": ("approximate",),
        "leaky_relu": ("negative_slope",),
    }
)
"""Name -> attributes, which have the same names in Keras."""
