"""A known edge is found: the pipeline can learn at all, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.selftest.check import Check, Row, Seen
from engine.selftest.luck import LEVEL
from engine.selftest.markets import echo
from engine.selftest.passage import below, strategy, through
from engine.selftest.shares import share

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class Edge(Check):
    """Finds an echo of each move in the next one.

    Attributes:
        coefficient: Part of a move that comes again.
        power: Share of the markets in which it must be found.
    """

    coefficient: float = 0.2
    power: float = 0.8

    @property
    def key(self) -> str:
        """One edge."""
        return "edge"

    def observe(self, seed: int, number: int) -> Seen:
        """Whether the strategy is called significant, and its Sharpe ratio."""
        market = echo(np.random.default_rng([seed, number]), self.coefficient)
        figures = through(strategy(), market).sharpe("strategy")
        return {
            "significant": below(figures["p_value"], LEVEL),
            "sharpe": figures["estimate"] or 0.0,
        }

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Fails unless the whole interval of the share found lies at or above the power."""
        found = share(one["significant"] for one in seen)
        mean = float(np.mean([one["sharpe"] for one in seen]))
        return [
            Row(
                "a known edge",
                f"{100 * self.coefficient:.0f} % of each move comes again on the next bar",
                f"significant at {100 * LEVEL:.0f} % in at least {100 * self.power:.0f} % of them",
                f"{found}, mean Sharpe {mean:.2f}",
                found.low >= self.power,
                found.figures() | {"mean_sharpe": mean},
            )
        ]
