"""The grade of the best of many timing rules without skill, in a market that rises."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import grade_run
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.proportion import estimate_proportion
from engine.selftest.return_processes import iid_normal
from engine.selftest.searched_market import MarketKind
from engine.selftest.timing_rules import RandomTurns

if TYPE_CHECKING:
    from collections.abc import Sequence

HIGHEST_RATE = 0.05
"""Largest share of markets without skill in which any grade is allowed."""

RESAMPLES = 499
PREMIUM = 2.0
"""True annualised Sharpe ratio of the market: the higher it is, the more luck looks like skill."""


@dataclass(frozen=True)
class SearchCheck(SelfTestCheck):
    """Whether a search is paid for: the best of all rules is graded, and the others are known.

    Attributes:
        tries: Number of rules, each in or out of the market for random spells.
    """

    tries: int = 20

    @property
    def key(self) -> str:
        """One check."""
        return "search"

    def observe(self, seed: int, market_number: int) -> Observation:
        """The grade of the rule with the highest Sharpe ratio."""
        kind = MarketKind(iid_normal, RandomTurns(), premium=PREMIUM)
        rng = np.random.default_rng([seed, market_number])
        market = kind.draw(rng, self.tries)
        spec = EvaluationSpec(resamples=RESAMPLES)
        return {"grade": grade_run(market.select_best(self.tries), spec, rng)}

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if the interval of the share lies above 5 %."""
        graded = estimate_proportion(one["grade"] != "none" for one in observations)
        return [
            CheckResult(
                "the best of a search",
                f"{self.tries} rules without skill in a market with a Sharpe ratio of "
                f"{PREMIUM:g}; all are in the ledger",
                f"a grade above none at most {100 * HIGHEST_RATE:g} % of the time",
                str(graded),
                graded.low <= HIGHEST_RATE,
                graded.as_json(),
            )
        ]
