"""Monotonicity in costs: the same decisions at twice the costs never leave more equity."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.pipeline.steps import simulate_books
from engine.selftest.base import CheckResult, Observation, SelfTestCheck
from engine.selftest.harness import MA_CROSSOVER, make_strategy, run_stages
from engine.selftest.synthetic_markets import ar1_market, garch_market, mean_reverting_market
from engine.simulation.config import Costs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import Vector
    from engine.selftest.harness import HarnessResult

COST_SCENARIOS = (
    Costs(fee_bps=1, slippage_bps=0),
    Costs(fee_bps=0, slippage_bps=5),
    Costs(fee_bps=10, slippage_bps=5),
    Costs(fee_bps=50, slippage_bps=50),
    Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=300),
)
"""Each is compared with its double."""

_TOLERANCE = 1e-12


@dataclass(frozen=True)
class CostMonotonicityCheck(SelfTestCheck):
    """Simulates the decisions of every book at some costs and at twice those costs."""

    @property
    def key(self) -> str:
        """One check for all cost scenarios."""
        return "costs"

    def observe(self, seed: int, market_number: int) -> Observation:
        """Number of compared books, and of those richer or poorer at the higher costs."""
        rng = np.random.default_rng([seed, market_number])
        market = (ar1_market(rng, 0.2), mean_reverting_market(rng), garch_market(rng))[
            market_number % 3
        ]
        rules = [{"kind": "buy_and_hold"}, MA_CROSSOVER, {"kind": "mean_reversion"}]
        long_short = [rule | {"side": "long_short"} for rule in rules[1:]]
        harness = run_stages(make_strategy(benchmarks=[*rules, *long_short]), market)
        compared = [pair for costs in COST_SCENARIOS for pair in _equity_pairs(harness, costs)]
        return {
            "compared": len(compared),
            "richer": sum(bool((doubled > base + _TOLERANCE).any()) for base, doubled in compared),
            "poorer": sum(bool(doubled[-1] < base[-1] - _TOLERANCE) for base, doubled in compared),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if one book is richer at one close, or if at most half of the books are poorer."""
        total = {
            name: sum(one[name] for one in observations)
            for name in ("compared", "richer", "poorer")
        }
        return [
            CheckResult(
                "costs twice as high",
                f"{len(COST_SCENARIOS)} kinds of cost, doubled; the same decisions of 6 books",
                "no book richer at any close, most of them poorer",
                f"{total['richer']} of {total['compared']} richer, {total['poorer']} poorer",
                total["richer"] == 0 and total["poorer"] > total["compared"] / 2,
                total,
            )
        ]


def _equity_pairs(harness: HarnessResult, base_costs: Costs) -> Iterator[tuple[Vector, Vector]]:
    """The equity curve of every book at some costs and at twice those costs."""
    doubled = Costs(**{name: 2 * value for name, value in base_costs.model_dump().items()})
    curves = (_equity_curves(harness, costs) for costs in (base_costs, doubled))
    yield from zip(*curves, strict=True)


def _equity_curves(harness: HarnessResult, costs: Costs) -> list[Vector]:
    result = harness.result
    spec = result.spec.model_copy(update={"costs": costs})
    books = simulate_books(spec, result.prepared, result.weights).values()
    return [np.cumprod(1.0 + book.returns.to_numpy()) for book in books]
