"""Whether a feature is distributed in test rows as it was in train rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from engine.core.types import Vector


def kolmogorov_smirnov(train: Vector, test: Vector) -> float:
    """D = max_x |F_train(x) - F_test(x)|, the distance of two empirical distributions.

    From 0, the same values as often, to 1, no value of one within the range of the other (Smirnov
    1939). Unlike the population stability index it needs no bins, and takes labels with few
    values. No p-value: rows of a feature hang together, for which the test is not made.

    Args:
        train: At least one value, finite.
        test: At least one value, finite.
    """
    at = np.concatenate([train, test])
    shares = [
        np.searchsorted(np.sort(part), at, side="right") / len(part) for part in (train, test)
    ]
    return float(np.abs(shares[0] - shares[1]).max())
