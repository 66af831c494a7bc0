"""A market's character favours the rule that is made for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import elastic, trending
from engine.selftest.passage import CROSSOVER, strategy, through
from engine.selftest.shares import share

if TYPE_CHECKING:
    from collections.abc import Sequence

RULES = ("buy_and_hold", "ma_crossover", "mean_reversion")
PLANTED = {
    "mean_reversion": "a price pulled back by a tenth of its distance a bar",
    "ma_crossover": "a drift, up or down, that lasts about a hundred bars",
}


@dataclass(frozen=True)
class Favoured(Check):
    """The rule made for the market has the highest Sharpe ratio of three.

    Attributes:
        rule: Which.
        most: Share of the markets in which it must have.
    """

    rule: Literal["mean_reversion", "ma_crossover"] = "mean_reversion"
    most: float = 0.8

    @property
    def key(self) -> str:
        """The rule."""
        return f"market for {self.rule}"

    def observe(self, seed: int, number: int) -> Seen:
        """Sharpe ratio of each rule, before costs."""
        rng = np.random.default_rng([seed, number])
        market = elastic(rng) if self.rule == "mean_reversion" else trending(rng)
        rules = [{"kind": "buy_and_hold"}, CROSSOVER, {"kind": "mean_reversion"}]
        spec = strategy(model={"kind": "persistence", "of": "price"}, opponents=rules)
        passage = through(spec, market)
        return {rule: passage.sharpe(rule)["estimate"] or 0.0 for rule in RULES}

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Fails unless the whole interval of its share of wins lies at or above `most`."""
        best = [max(RULES, key=one.__getitem__) for one in seen]
        won = share(rule == self.rule for rule in best)
        means = {rule: float(np.mean([one[rule] for one in seen])) for rule in RULES}
        spoken = {"mean_reversion": "mean reversion", "ma_crossover": "the crossover"}
        return [
            Row(
                f"a market for {spoken[self.rule]}",
                PLANTED[self.rule],
                f"its Sharpe is the best of 3 rules in {100 * self.most:.0f} % of markets or more",
                str(won),
                won.low >= self.most,
                won.figures() | {"mean_sharpe": means},
            )
        ]
