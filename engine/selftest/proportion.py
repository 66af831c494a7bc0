"""A binomial proportion with its exact confidence interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIDENCE = 0.99
"""Confidence of the intervals that decide a check: with a seed of the user's choice, a correct
engine fails one check in 200 by chance. The default seed is fixed."""


@dataclass(frozen=True)
class Proportion:
    """`count` out of `total` cases, with the confidence interval of the proportion.

    Attributes:
        count: Cases with the outcome.
        total: All cases; at least 1.
        low: Lower end of the interval.
        high: Upper end of the interval.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The proportion itself."""
        return self.count / self.total

    def as_json(self) -> dict[str, Any]:
        """As JSON."""
        bounds = {"low": self.low, "high": self.high, "confidence": CONFIDENCE}
        return {"count": self.count, "total": self.total, "rate": self.rate} | bounds

    def __str__(self) -> str:
        """`31 of 600: 5.2 % (3.1 to 8.0 %)`."""
        return (
            f"{self.count} of {self.total}: {100 * self.rate:.1f} % "
            f"({100 * self.low:.1f} to {100 * self.high:.1f} %)"
        )


def estimate_proportion(outcomes: Iterable[bool], confidence: float = CONFIDENCE) -> Proportion:
    """The proportion of cases with the outcome, with its exact (Clopper-Pearson) interval.

    At each end of the interval, the probability of a count at least as extreme is
    (1 - confidence) / 2: the ends are quantiles of Beta(k, n - k + 1) and Beta(k + 1, n - k).

    Args:
        outcomes: One for each case, at least one; the cases are independent.
        confidence: Least probability that the interval contains the true proportion.

    Source: Clopper & Pearson (1934), Biometrika 26.
    """
    from scipy.special import betaincinv

    cases = np.fromiter(outcomes, dtype=bool)
    count, total = int(cases.sum()), len(cases)
    tail = (1 - confidence) / 2
    return Proportion(
        count=count,
        total=total,
        low=float(betaincinv(count, total - count + 1, tail)) if count else 0.0,
        high=float(betaincinv(count + 1, total - count, 1 - tail)) if count < total else 1.0,
    )
