"""Size and power of the test of the Sharpe ratio, through all stages of a run."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import interval_covers, is_significant, make_strategy, run_stages
from engine.selftest.proportion import estimate_proportion
from engine.selftest.synthetic_markets import ar1_market, garch_market, random_walk_market

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNIFICANCE_LEVEL = 0.05
"""Level of the test that the Sharpe ratio is above 0; intervals have confidence 1 - level."""

NOISE_DESCRIPTIONS = {
    "noise": "a random walk: no edge",
    "GARCH": "GARCH noise with volatility clustering: no edge",
}


@dataclass(frozen=True)
class SizeCheck(SelfTestCheck):
    """Size: three rows on one kind of noise, where no causal book earns a profit before costs.

    Attributes:
        noise: Kind of noise.
    """

    noise: Literal["noise", "GARCH"] = "noise"

    @property
    def key(self) -> str:
        """The kind of noise."""
        return f"luck on {self.noise}"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether it is significant, whether its interval contains the truth, and the grade."""
        rng = np.random.default_rng([seed, market_number])
        market = random_walk_market(rng) if self.noise == "noise" else garch_market(rng)
        harness = run_stages(make_strategy(), market)
        figures = harness.sharpe("strategy")
        return {
            "significant": is_significant(figures["p_value"], SIGNIFICANCE_LEVEL),
            "holds_truth": interval_covers(figures, 0.0),
            "grade": harness.significance["verdict"]["grade"],
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """A row fails if the interval of its rate excludes the nominal rate on the bad side."""
        rejected = estimate_proportion(one["significant"] for one in observations)
        covered = estimate_proportion(one["holds_truth"] for one in observations)
        graded = estimate_proportion(one["grade"] != "none" for one in observations)
        planted = NOISE_DESCRIPTIONS[self.noise]
        return [
            CheckResult(
                f"{self.noise}: false alarms",
                planted,
                f"significant at {100 * SIGNIFICANCE_LEVEL:.0f} % no more often than that",
                str(rejected),
                rejected.low <= SIGNIFICANCE_LEVEL,
                rejected.as_json(),
            ),
            CheckResult(
                f"{self.noise}: intervals",
                planted,
                f"{100 - 100 * SIGNIFICANCE_LEVEL:.0f} % intervals contain the true Sharpe, 0, as "
                f"often",
                str(covered),
                covered.high >= 1 - SIGNIFICANCE_LEVEL,
                covered.as_json(),
            ),
            CheckResult(
                f"{self.noise}: verdicts",
                planted,
                f"a grade above none at most {50 * SIGNIFICANCE_LEVEL:g} % of the time",
                str(graded),
                graded.low <= SIGNIFICANCE_LEVEL / 2,
                graded.as_json(),
            ),
        ]


@dataclass(frozen=True)
class PowerCheck(SelfTestCheck):
    """Power: the share of AR(1) markets whose edge is found significant.

    Attributes:
        coefficient: AR(1) coefficient of the moves.
        min_power: Lowest share of the markets in which it must be found.
    """

    coefficient: float = 0.2
    min_power: float = 0.8

    @property
    def key(self) -> str:
        """One check."""
        return "edge"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether the strategy is significant, and its Sharpe ratio."""
        market = ar1_market(np.random.default_rng([seed, market_number]), self.coefficient)
        figures = run_stages(make_strategy(), market).sharpe("strategy")
        return {
            "significant": is_significant(figures["p_value"], SIGNIFICANCE_LEVEL),
            "sharpe": figures["estimate"] or 0.0,
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails unless the whole interval of the share lies at or above `min_power`."""
        significant = estimate_proportion(one["significant"] for one in observations)
        mean = float(np.mean([one["sharpe"] for one in observations]))
        return [
            CheckResult(
                "a known edge",
                f"{100 * self.coefficient:.0f} % of each move is repeated on the next bar",
                f"significant at {100 * SIGNIFICANCE_LEVEL:.0f} % in at least "
                f"{100 * self.min_power:.0f} % of them",
                f"{significant}, mean Sharpe {mean:.2f}",
                significant.low >= self.min_power,
                significant.as_json() | {"mean_sharpe": mean},
            )
        ]
