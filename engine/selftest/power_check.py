"""A known edge is found: the pipeline can learn at all, and says so."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import is_significant, make_strategy, run_stages
from engine.selftest.proportion import estimate_proportion
from engine.selftest.size_check import SIGNIFICANCE_LEVEL
from engine.selftest.synthetic_markets import ar1_market

if TYPE_CHECKING:
    from collections.abc import Sequence


@dataclass(frozen=True)
class PowerCheck(SelfTestCheck):
    """Finds an echo of each move in the next one.

    Attributes:
        coefficient: Part of a move that comes again.
        min_power: Share of the markets in which it must be found.
    """

    coefficient: float = 0.2
    min_power: float = 0.8

    @property
    def key(self) -> str:
        """One edge."""
        return "edge"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether the strategy is called significant, and its Sharpe ratio."""
        market = ar1_market(np.random.default_rng([seed, market_number]), self.coefficient)
        figures = run_stages(make_strategy(), market).sharpe("strategy")
        return {
            "significant": is_significant(figures["p_value"], SIGNIFICANCE_LEVEL),
            "sharpe": figures["estimate"] or 0.0,
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails unless the whole interval of the share found lies at or above the power."""
        found = estimate_proportion(one["significant"] for one in observations)
        mean = float(np.mean([one["sharpe"] for one in observations]))
        return [
            CheckResult(
                "a known edge",
                f"{100 * self.coefficient:.0f} % of each move comes again on the next bar",
                f"significant at {100 * SIGNIFICANCE_LEVEL:.0f} % in at least "
                f"{100 * self.min_power:.0f} % of them",
                f"{found}, mean Sharpe {mean:.2f}",
                found.low >= self.min_power,
                found.as_json() | {"mean_sharpe": mean},
            )
        ]
