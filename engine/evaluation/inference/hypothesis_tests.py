"""What a statistical test found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


@dataclass(frozen=True)
class HypothesisTestResult:
    """A test's statistic and p-value; None where they are not defined, never NaN.

    Attributes:
        statistic: Its sign and null distribution are told by the function that made it.
        p_value: Chance, under the null hypothesis, of a statistic at least as extreme.
        degrees: Degrees of freedom of the null distribution, where it has such.
        lags: Lags tested or chosen, where there are any.
        observations: Rows that entered the statistic.
    """

    __test__: ClassVar[bool] = False  # pytest takes classes named Test.. for tests

    statistic: float | None = None
    p_value: float | None = None
    degrees: int | None = None
    lags: int | None = None
    observations: int | None = None
