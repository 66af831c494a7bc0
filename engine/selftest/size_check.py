"""Luck is called luck: on noise, whatever it looks like, next to nothing is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import interval_covers, is_significant, make_strategy, run_stages
from engine.selftest.proportion import estimate_proportion
from engine.selftest.synthetic_markets import garch_market, random_walk_market

if TYPE_CHECKING:
    from collections.abc import Sequence

SIGNIFICANCE_LEVEL = 0.05
"""At which a Sharpe ratio above 0 is called significant; every interval's is 1 - LEVEL."""

NOISE_DESCRIPTIONS = {
    "noise": "a random walk: nothing to find",
    "GARCH": "GARCH noise: calm and wild spells, nothing to find",
}


@dataclass(frozen=True)
class SizeCheck(SelfTestCheck):
    """Three rows on one kind of noise, on which no causal book earns anything before costs.

    Attributes:
        noise: Which kind.
    """

    noise: Literal["noise", "GARCH"] = "noise"

    @property
    def key(self) -> str:
        """The kind of noise."""
        return f"luck on {self.noise}"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether it is called significant, whether its interval holds the truth; the verdict."""
        rng = np.random.default_rng([seed, market_number])
        market = random_walk_market(rng) if self.noise == "noise" else garch_market(rng)
        passage = run_stages(make_strategy(), market)
        figures = passage.sharpe("strategy")
        return {
            "significant": is_significant(figures["p_value"], SIGNIFICANCE_LEVEL),
            "holds_truth": interval_covers(figures, 0.0),
            "grade": passage.significance["verdict"]["grade"],
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """A row fails where the share's interval excludes the promised rate on the bad side."""
        alarms = estimate_proportion(one["significant"] for one in observations)
        held = estimate_proportion(one["holds_truth"] for one in observations)
        graded = estimate_proportion(one["grade"] != "none" for one in observations)
        planted = NOISE_DESCRIPTIONS[self.noise]
        return [
            CheckResult(
                f"{self.noise}: false alarms",
                planted,
                f"significant at {100 * SIGNIFICANCE_LEVEL:.0f} % no more often than that",
                str(alarms),
                alarms.low <= SIGNIFICANCE_LEVEL,
                alarms.as_json(),
            ),
            CheckResult(
                f"{self.noise}: intervals",
                planted,
                f"{100 - 100 * SIGNIFICANCE_LEVEL:.0f} % intervals hold the true Sharpe, 0, as "
                f"often",
                str(held),
                held.high >= 1 - SIGNIFICANCE_LEVEL,
                held.as_json(),
            ),
            CheckResult(
                f"{self.noise}: verdicts",
                planted,
                f"evidence told at most {50 * SIGNIFICANCE_LEVEL:g} % of the time",
                str(graded),
                graded.low <= SIGNIFICANCE_LEVEL / 2,
                graded.as_json(),
            ),
        ]
