"""What a check is: markets to look at one by one, and what is to be seen in all of them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Observation: TypeAlias = Mapping[str, Any]
"""What was seen in one market: figures and flags that JSON can hold."""


@dataclass(frozen=True)
class CheckResult:
    """One line of the table.

    Attributes:
        name: Of the check.
        planted: The truth that was put into the market.
        expected: What must follow from it.
        found: What the engine found.
        passed: Whether that is what was expected.
        figures: The numbers behind `found`, at full precision.
    """

    name: str
    planted: str
    expected: str
    found: str
    passed: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SelfTestCheck(ABC):
    """One planted truth; frozen and small, as it travels to worker processes.

    Attributes:
        markets: How many are generated.
    """

    markets: int

    @property
    @abstractmethod
    def key(self) -> str:
        """Names the seeds of its markets, and the check in progress; no two have the same."""

    @abstractmethod
    def observe(self, seed: int, market_number: int) -> Observation:
        """Generates one market, sends it through the stages, and says what came of it.

        Args:
            seed: The check's own; the market's stream is that of (seed, number).
            market_number: Of this market, from 0.
        """

    @abstractmethod
    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Judges all that was seen, in the order of the markets; one row or several."""
