"""Ranking of rules: on a market built for one rule, that rule has the best Sharpe ratio."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import MA_CROSSOVER, make_strategy, run_stages
from engine.selftest.proportion import estimate_proportion
from engine.selftest.synthetic_markets import mean_reverting_market, trending_market

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = ("buy_and_hold", "ma_crossover", "mean_reversion")
MARKET_DESCRIPTIONS = {
    "mean_reversion": "a price that reverts to its mean by a tenth of the distance a bar",
    "ma_crossover": "a drift, up or down, that lasts about a hundred bars",
}


@dataclass(frozen=True)
class RuleRankingCheck(SelfTestCheck):
    """The rule for which the market is built has the highest Sharpe ratio of three.

    Attributes:
        rule: The rule.
        min_win_rate: Lowest share of the markets in which it must be the best.
    """

    rule: Literal["mean_reversion", "ma_crossover"] = "mean_reversion"
    min_win_rate: float = 0.8

    @property
    def key(self) -> str:
        """The rule."""
        return f"market for {self.rule}"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Sharpe ratio of each rule, before costs."""
        rng = np.random.default_rng([seed, market_number])
        market = (
            mean_reverting_market(rng) if self.rule == "mean_reversion" else trending_market(rng)
        )
        rules = [{"kind": "buy_and_hold"}, MA_CROSSOVER, {"kind": "mean_reversion"}]
        spec = make_strategy(model={"kind": "persistence", "of": "price"}, benchmarks=rules)
        harness = run_stages(spec, market)
        return {rule: harness.sharpe(rule)["estimate"] or 0.0 for rule in RULES}

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails unless the whole interval of the win rate lies at or above `min_win_rate`."""
        best = [max(RULES, key=one.__getitem__) for one in observations]
        win_rate = estimate_proportion(rule == self.rule for rule in best)
        means = {rule: float(np.mean([one[rule] for one in observations])) for rule in RULES}
        names = {"mean_reversion": "mean reversion", "ma_crossover": "the crossover"}
        return [
            CheckResult(
                f"a market for {names[self.rule]}",
                MARKET_DESCRIPTIONS[self.rule],
                f"its Sharpe is the best of 3 rules in {100 * self.min_win_rate:.0f} % of "
                f"markets or more",
                str(win_rate),
                win_rate.low >= self.min_win_rate,
                win_rate.as_json() | {"mean_sharpe": means},
            )
        ]
