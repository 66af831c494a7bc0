"""The interface of a check: observe generated markets one by one, then draw conclusions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Sequence

Observation: TypeAlias = Mapping[str, Any]
"""What a check measured on one market: figures and flags that JSON can hold."""


@dataclass(frozen=True)
class CheckResult:
    """One row of the self-test table.

    Attributes:
        name: Name of the row.
        planted: The known property of the generated markets.
        expected: The result that follows from that property.
        found: The result of the engine.
        passed: Whether the result is the expected one.
        figures: The numbers of `found` at full precision.
    """

    name: str
    planted: str
    expected: str
    found: str
    passed: bool
    figures: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class SelfTestCheck(ABC):
    """A check of one known property; frozen and small, because worker processes receive it.

    Attributes:
        markets: Number of generated markets.
    """

    markets: int

    @property
    @abstractmethod
    def key(self) -> str:
        """Unique name of the check, from which the seeds of its markets are derived."""

    @abstractmethod
    def observe(self, seed: int, market_number: int) -> Observation:
        """Generates one market, runs the stages on it, and returns the measurements.

        Args:
            seed: Seed of the check; the market's random stream is that of (seed, market_number).
            market_number: Number of the market, from 0.
        """

    @abstractmethod
    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """One or several rows from all observations, which are in the order of the markets."""
