"""One step of pandas' exponential mean, to the last bit.

pandas smooths without a bias correction (`adjust=False`) by a recursion on its last value. On some
processors its compiler fuses the multiplication and the addition of the kernel, which rounds once
instead of twice. Which of the two this installation does is found out by trying.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from engine.core.types import Matrix, Vector

_Number = TypeVar("_Number", float, "Vector")

_TRIED_STEPS = 500


def continue_mean(previous: float, value: float, centre_of_mass: float) -> float:
    """The exponential mean after one more value.

    Args:
        previous: The mean before it.
        value: A number.
        centre_of_mass: The weight of the value is 1 / (1 + centre_of_mass).
    """
    if _rounds_twice():
        return _step(previous, value, centre_of_mass)
    joined = pd.Series([previous, value])
    return float(joined.ewm(com=centre_of_mass, adjust=False).mean().iloc[-1])


def continue_means(previous: Vector, values: Vector, centre_of_mass: float) -> Vector:
    """`continue_mean` of many series, each with the bits that it has alone.

    Args:
        previous: (k,) the mean of each before the value.
        values: (k,) numbers.
        centre_of_mass: As in `continue_mean`.
    """
    if _rounds_twice():
        continued = _weighted_mean(previous, values, centre_of_mass)
        return np.where(previous == values, previous, continued)
    joined = pd.DataFrame(np.vstack([previous, values]))
    means: Matrix = joined.ewm(com=centre_of_mass, adjust=False).mean().to_numpy()
    last: Vector = means[-1]
    return last


@cache
def _rounds_twice() -> bool:
    """Whether pandas' kernel gives the bits of `_step`."""
    values = np.random.default_rng(0).standard_normal(_TRIED_STEPS + 1)
    centre = 6.5
    means = [values[0]]
    for value in values[1:].tolist():
        means.append(_step(means[-1], value, centre))
    of_pandas = pd.Series(values).ewm(com=centre, adjust=False).mean()
    return bool(np.array_equal(means, of_pandas))


def _step(previous: float, value: float, centre_of_mass: float) -> float:
    if previous == value:  # as pandas has it: a constant series keeps its value
        return previous
    return _weighted_mean(previous, value, centre_of_mass)


def _weighted_mean(previous: _Number, value: _Number, centre_of_mass: float) -> _Number:
    weight = 1.0 / (1.0 + centre_of_mass)
    kept = 1.0 - weight
    return (kept * previous + weight * value) / (kept + weight)
