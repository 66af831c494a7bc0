"""Interpretation: the input and lag that move a market are named, and noise is not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from engine.core.progress import NullProgress
from engine.interpretation.build_document import describe_features
from engine.interpretation.explain import explain_forecasts
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import make_strategy, run_to_books
from engine.selftest.proportion import estimate_proportion
from engine.selftest.synthetic_markets import SYMBOL, lagged_market, random_walk_market

if TYPE_CHECKING:
    from collections.abc import Sequence

LOOKBACK = 4
LEVEL = 0.05
CAUSES: tuple[Literal["return", "volume"], ...] = ("return", "volume")
"""In the order of the strategy's inputs."""


@dataclass(frozen=True)
class AttributionCheck(SelfTestCheck):
    """The planted cell of input and lag has the largest attribution; noise has none that matters.

    Attributes:
        planted: Whether the market has a cause.
        min_rate: Lowest share of the markets in which the planted cell is the largest.
    """

    planted: bool = True
    min_rate: float = 0.95

    @property
    def key(self) -> str:
        """Whether something is planted."""
        return "planted input" if self.planted else "inputs of noise"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Whether the largest cell is the planted one, and which inputs matter."""
        rng = np.random.default_rng([seed, market_number])
        place, lag = int(rng.integers(len(CAUSES))), int(rng.integers(LOOKBACK))
        market = (
            lagged_market(rng, CAUSES[place], lag) if self.planted else random_walk_market(rng)
        )
        spec = make_strategy(
            model={"kind": "ridge", "lookback": LOOKBACK, "alphas": [1.0]},
            benchmarks=[{"kind": "buy_and_hold"}],
            features=[{"kind": "log_return"}, {"kind": "volume_zscore"}],
        )
        result = run_to_books(spec, market)
        explanation = explain_forecasts(
            result.prepared, result.fits, (SYMBOL,), seed=spec.seed, progress=NullProgress()
        )
        sizes = np.mean(
            [
                np.abs(part.gradients.by_cell).mean(axis=0)
                for part in explanation.parts
                if part.gradients is not None
            ],
            axis=0,
        )
        step, column = divmod(int(sizes.argmax()), sizes.shape[1])
        features = describe_features(explanation.parts, explanation.names, 1 - LEVEL)
        matters = {each.name for each in features if each.matters}
        return {
            "right_cell": bool((column, LOOKBACK - 1 - step) == (place, lag)),
            "cause_matters": explanation.names[place] in matters,
            "any_matters": bool(matters),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if the cell is not found often enough, or noise is called important too often."""
        if not self.planted:
            found = estimate_proportion(bool(one["any_matters"]) for one in observations)
            return [
                CheckResult(
                    "inputs of noise",
                    "moves that no input explains",
                    f"an input that matters in at most {100 * LEVEL:g} % of markets",
                    str(found),
                    found.low <= LEVEL,
                    found.as_json(),
                )
            ]
        cell = estimate_proportion(bool(one["right_cell"]) for one in observations)
        cause = estimate_proportion(bool(one["cause_matters"]) for one in observations)
        planted = "one input at one lag explains a tenth of the variance"
        least = f"{100 * self.min_rate:g} % of markets or more"
        return [
            CheckResult(
                "planted input: the largest attribution",
                planted,
                f"the right input and lag in {least}",
                str(cell),
                cell.rate >= self.min_rate,
                cell.as_json(),
            ),
            CheckResult(
                "planted input: matters",
                planted,
                f"the input matters more than noise in {least}",
                str(cause),
                cause.rate >= self.min_rate,
                cause.as_json(),
            ),
        ]
