"""Luck is called luck: on noise, whatever it looks like, next to nothing is found."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import garch_walk, random_walk
from engine.selftest.passage import below, holds, strategy, through
from engine.selftest.shares import share

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.05
"""At which a Sharpe ratio above 0 is called significant; every interval's is 1 - LEVEL."""

PLANTED = {
    "noise": "a random walk: nothing to find",
    "GARCH": "GARCH noise: calm and wild spells, nothing to find",
}


@dataclass(frozen=True)
class Luck(Check):
    """Three rows on one kind of noise, on which no causal book earns anything before costs.

    Attributes:
        noise: Which kind.
    """

    noise: Literal["noise", "GARCH"] = "noise"

    @property
    def key(self) -> str:
        """The kind of noise."""
        return f"luck on {self.noise}"

    def observe(self, seed: int, number: int) -> Seen:
        """Whether it is called significant, whether its interval holds the truth; the verdict."""
        rng = np.random.default_rng([seed, number])
        market = random_walk(rng) if self.noise == "noise" else garch_walk(rng)
        passage = through(strategy(), market)
        figures = passage.sharpe("strategy")
        return {
            "significant": below(figures["p_value"], LEVEL),
            "holds_truth": holds(figures, 0.0),
            "grade": passage.significance["verdict"]["grade"],
        }

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """A row fails where the share's interval excludes the promised rate on the bad side."""
        alarms = share(one["significant"] for one in seen)
        held = share(one["holds_truth"] for one in seen)
        graded = share(one["grade"] != "none" for one in seen)
        planted = PLANTED[self.noise]
        return [
            Row(
                f"{self.noise}: false alarms",
                planted,
                f"significant at {100 * LEVEL:.0f} % no more often than that",
                str(alarms),
                alarms.low <= LEVEL,
                alarms.figures(),
            ),
            Row(
                f"{self.noise}: intervals",
                planted,
                f"{100 - 100 * LEVEL:.0f} % intervals hold the true Sharpe, 0, as often",
                str(held),
                held.high >= 1 - LEVEL,
                held.figures(),
            ),
            Row(
                f"{self.noise}: verdicts",
                planted,
                f"evidence told at most {50 * LEVEL:g} % of the time",
                str(graded),
                graded.low <= LEVEL / 2,
                graded.figures(),
            ),
        ]
