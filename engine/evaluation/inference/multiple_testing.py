"""Multiple testing: adjusted p-values of Holm, of Finner, and of Benjamini and Hochberg."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's step-down adjustment of p-values.

    The i-th smallest of m is multiplied by m - i + 1, then raised to the largest one before it and
    bounded by 1. In the order given.

    Source: Holm (1979), Scandinavian J. of Statistics 6.
    """
    order = np.argsort(p_values)
    factors = np.arange(len(p_values), 0, -1)
    adjusted = np.empty(len(p_values))
    adjusted[order] = np.minimum(np.maximum.accumulate(np.asarray(p_values)[order] * factors), 1.0)
    return [float(value) for value in adjusted]


def finner(p_values: Sequence[float]) -> list[float]:
    """Finner's step-down adjustment of p-values.

    The j-th smallest of m becomes 1 - (1 - p)^(m / j), then is raised to the largest one before
    it. In the order given. Like Holm's it controls the family-wise error rate, with more power,
    but only where the tests are independent or positively dependent.

    Source: Finner (1993), On a Monotonicity Problem in Step-Down Multiple Test Procedures, JASA
    88.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    powers = len(values) / np.arange(1, len(values) + 1)
    with np.errstate(divide="ignore"):  # the logarithm of 0 where p is 1
        raised = -np.expm1(powers * np.log1p(-values[order]))
    adjusted = np.empty(len(values))
    adjusted[order] = np.maximum.accumulate(raised) if len(values) else raised
    return [float(value) for value in adjusted]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Benjamini and Hochberg's step-up adjustment of p-values, for the false discovery rate.

    The i-th smallest of m is multiplied by m / i, then lowered to the smallest one after it. In
    the order given. Of those at most q, a fraction of at most q is false in expectation, where the
    tests are independent or positively dependent.

    Source: Benjamini & Hochberg (1995), J. of the Royal Statistical Society B 57.
    """
    values = np.asarray(p_values, dtype=np.float64)
    order = np.argsort(values, kind="stable")
    raised = values[order] * len(values) / np.arange(1, len(values) + 1)
    adjusted = np.empty(len(values))
    adjusted[order] = np.minimum(np.minimum.accumulate(raised[::-1])[::-1], 1.0)
    return [float(value) for value in adjusted]


def holm_by_name(p_values: Mapping[str, float | None]) -> dict[str, float | None]:
    """`holm` over the defined p-values; None, for a test that is not defined, stays None."""
    tested = {name: each for name, each in p_values.items() if each is not None}
    adjusted = dict(zip(tested, holm(list(tested.values())), strict=True))
    return {name: adjusted.get(name) for name in p_values}
