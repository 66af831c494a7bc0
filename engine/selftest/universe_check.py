"""Books of many symbols: an edge over the cross-section is found, and noise is not evidence."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.evaluation.config import EvaluationSpec
from engine.evaluation.evidence import grade_run
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.proportion import estimate_proportion
from engine.selftest.universe_markets import UniverseKind

if TYPE_CHECKING:
    from collections.abc import Sequence

LEVEL = 0.05
RESAMPLES = 499

NOISE = {
    "noise": UniverseKind(symbols=100),
    "correlated": UniverseKind(symbols=100, common_share=0.6),
}
NOISE_NAMES = {
    "noise": ("100 symbols of noise", "100 independent random walks: no edge"),
    "correlated": (
        "100 correlated symbols",
        "100 random walks, 60 % of their variance in common: no edge",
    ),
}
EDGE = UniverseKind(symbols=50, information_coefficient=0.05, common_share=0.3)


def _observe(kind: UniverseKind, seed: int, market_number: int) -> dict[str, object]:
    """Rank IC, grade and single symbols of the book on one universe."""
    rng = np.random.default_rng([seed, market_number])
    universe = kind.draw(rng)
    rank_ic = universe.cross_section().rank_ic
    weights = universe.weights()
    spec = EvaluationSpec(resamples=RESAMPLES)
    return {
        "ranked": rank_ic.p_value is not None and rank_ic.p_value < LEVEL,
        "rank_ic": rank_ic.mean or 0.0,
        "graded": grade_run(universe.verdict_inputs(weights), spec, rng) != "none",
        "named": universe.lowest_symbol_p_value(weights) < LEVEL,
    }


@dataclass(frozen=True)
class UniverseNoiseCheck(SelfTestCheck):
    """Size: three rows on universes where no forecast is worth anything.

    Attributes:
        noise: Kind of noise.
    """

    noise: Literal["noise", "correlated"] = "noise"

    @property
    def key(self) -> str:
        """The kind of noise."""
        return f"universe of {self.noise}"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether rank IC, book and a single symbol are called evidence."""
        return _observe(NOISE[self.noise], seed, market_number)

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """A row fails if the interval of its rate lies above the nominal rate."""
        name, planted = NOISE_NAMES[self.noise]
        rows = []
        for key, what, claim, level in (
            ("ranked", "rank IC", "the rank IC significant at 5 %", LEVEL),
            ("graded", "verdicts", "a grade above none", LEVEL / 2),
            ("named", "single symbols", "any symbol significant, Holm-adjusted", LEVEL),
        ):
            found = estimate_proportion(bool(one[key]) for one in observations)
            rows.append(
                CheckResult(
                    f"{name}: {what}",
                    planted,
                    f"{claim} at most {100 * level:g} % of the time",
                    str(found),
                    found.low <= level,
                    found.as_json(),
                )
            )
        return rows


@dataclass(frozen=True)
class UniverseEdgeCheck(SelfTestCheck):
    """Power: a small correlation of forecasts and outcomes over 50 symbols is found.

    Attributes:
        min_power: Lowest share of the universes in which it must be found.
    """

    min_power: float = 0.7

    @property
    def key(self) -> str:
        """One check."""
        return "universe with an edge"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether the rank IC is significant and above 0, and the book is graded."""
        found = _observe(EDGE, seed, market_number)
        return found | {"ranked": found["ranked"] and float(str(found["rank_ic"])) > 0}

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """A row fails unless the whole interval of its share lies at or above `min_power`."""
        planted = (
            f"forecasts of {EDGE.symbols} symbols correlate by "
            f"{EDGE.information_coefficient:g} with what follows"
        )
        mean = float(np.mean([one["rank_ic"] for one in observations]))
        rows = []
        for key, what, claim in (
            ("ranked", "rank IC", "the rank IC above 0, significant at 5 %"),
            ("graded", "verdicts", "a verdict that names evidence"),
        ):
            found = estimate_proportion(bool(one[key]) for one in observations)
            rows.append(
                CheckResult(
                    f"an edge over 50 symbols: {what}",
                    planted,
                    f"{claim} in at least {100 * self.min_power:.0f} % of them",
                    f"{found}, mean rank IC {mean:.3f}",
                    found.low >= self.min_power,
                    found.as_json() | {"mean_rank_ic": mean},
                )
            )
        return rows
