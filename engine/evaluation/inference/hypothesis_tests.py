"""Result of a hypothesis test."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class HypothesisTestResult:
    """Statistic and p-value of a test; None where they are not defined, never NaN.

    Attributes:
        statistic: The function that returns it documents sign and null distribution.
        p_value: Probability, under the null hypothesis, of a statistic at least as extreme.
        degrees: Degrees of freedom of the null distribution, where it has any.
        lags: Number of lags tested or selected, where there are any.
        observations: Number of rows.
    """

    __test__: ClassVar[bool] = False  # pytest collects classes named Test..

    statistic: float | None = None
    p_value: float | None = None
    degrees: int | None = None
    lags: int | None = None
    observations: int | None = None
