"""Costs cost: the same decisions at twice the price never leave more."""

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
"""Each beside free trading, and beside its own double."""

_TOLERANCE = 1e-12


@dataclass(frozen=True)
class CostMonotonicityCheck(SelfTestCheck):
    """Trades every book's decisions at some cost and at twice that."""

    @property
    def key(self) -> str:
        """One rule for all costs."""
        return "costs"

    def observe(self, seed: int, market_number: int) -> Observation:
        """How many books were compared, and how many the dearer costs left with more."""
        rng = np.random.default_rng([seed, market_number])
        made = (ar1_market(rng, 0.2), mean_reverting_market(rng), garch_market(rng))[
            market_number % 3
        ]
        rules = [{"kind": "buy_and_hold"}, MA_CROSSOVER, {"kind": "mean_reversion"}]
        both_ways = [rule | {"side": "long_short"} for rule in rules[1:]]
        passage = run_stages(make_strategy(benchmarks=[*rules, *both_ways]), made)
        compared = [pair for step in COST_SCENARIOS for pair in _equity_pairs(passage, step)]
        return {
            "compared": len(compared),
            "richer": sum(bool((dear > cheap + _TOLERANCE).any()) for cheap, dear in compared),
            "poorer": sum(bool(dear[-1] < cheap[-1] - _TOLERANCE) for cheap, dear in compared),
        }

    def conclude(self, observations: Sequence[Observation]) -> list[CheckResult]:
        """Fails if one book was richer at one close, or if costs touch hardly any."""
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
    """Equity at every close, at a cost and at twice that, book by book."""
    doubled = Costs(**{name: 2 * value for name, value in base_costs.model_dump().items()})
    cheap, dear = (_equity_curves(harness, costs) for costs in (base_costs, doubled))
    yield from zip(cheap, dear, strict=True)


def _equity_curves(harness: HarnessResult, costs: Costs) -> list[Vector]:
    made = harness.result
    priced = made.spec.model_copy(update={"costs": costs})
    books = simulate_books(priced, made.prepared, made.weights).values()
    return [np.cumprod(1.0 + book.returns.to_numpy()) for book in books]
