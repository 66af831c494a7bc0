"""How often something happened, and how sure that share is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

CONFIDENCE = 0.99
"""Of the intervals by which a check fails: a sound engine fails one in 200 by chance, on a seed of
the user's own. The default seed is fixed."""


@dataclass(frozen=True)
class Proportion:
    """`count` of `total`, with its interval.

    Attributes:
        count: How often it happened.
        total: How often it could have; at least 1.
        low: Lower end of the share's interval.
        high: Upper end.
    """

    count: int
    total: int
    low: float
    high: float

    @property
    def rate(self) -> float:
        """The share itself."""
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
    """The share of cases in which something happened, with its exact binomial interval.

    The ends are the shares at which so many or more, so many or fewer, would each have had a
    chance of (1 - confidence) / 2: quantiles of Beta(k, n - k + 1) and Beta(k + 1, n - k).

    Args:
        outcomes: Once a case, at least one; cases independent of each other.
        confidence: Of the interval; it holds the true share at least so often.

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
