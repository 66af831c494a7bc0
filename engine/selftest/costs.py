"""Costs cost: the same decisions at twice the price never leave more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from engine.pipeline.books import trade
from engine.selftest.check import Check, Row, Seen
from engine.selftest.markets import echo, elastic, garch_walk
from engine.selftest.passage import CROSSOVER, strategy, through
from engine.simulation.spec import Costs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.selftest.passage import Passage
    from engine.types import Vector

STEPS = (
    Costs(fee_bps=1, slippage_bps=0),
    Costs(fee_bps=0, slippage_bps=5),
    Costs(fee_bps=10, slippage_bps=5),
    Costs(fee_bps=50, slippage_bps=50),
    Costs(fee_bps=0, slippage_bps=0, borrow_bps_per_year=300),
)
"""Each beside free trading, and beside its own double."""

_ROUNDING = 1e-12


@dataclass(frozen=True)
class Dearer(Check):
    """Trades every book's decisions at some cost and at twice that."""

    @property
    def key(self) -> str:
        """One rule for all costs."""
        return "costs"

    def observe(self, seed: int, number: int) -> Seen:
        """How many books were compared, and how many the dearer costs left with more."""
        rng = np.random.default_rng([seed, number])
        made = (echo(rng, 0.2), elastic(rng), garch_walk(rng))[number % 3]
        rules = [{"kind": "buy_and_hold"}, CROSSOVER, {"kind": "mean_reversion"}]
        both_ways = [rule | {"side": "long_short"} for rule in rules[1:]]
        passage = through(strategy(opponents=[*rules, *both_ways]), made)
        compared = [pair for step in STEPS for pair in _pairs(passage, step)]
        return {
            "compared": len(compared),
            "richer": sum(bool((dear > cheap + _ROUNDING).any()) for cheap, dear in compared),
            "poorer": sum(bool(dear[-1] < cheap[-1] - _ROUNDING) for cheap, dear in compared),
        }

    def conclude(self, seen: Sequence[Seen]) -> list[Row]:
        """Fails if one book was richer at one close, or if costs touch hardly any."""
        total = {name: sum(one[name] for one in seen) for name in ("compared", "richer", "poorer")}
        return [
            Row(
                "costs twice as high",
                f"{len(STEPS)} kinds of cost, doubled; the same decisions of 6 books",
                "no book richer at any close, most of them poorer",
                f"{total['richer']} of {total['compared']} richer, {total['poorer']} poorer",
                total["richer"] == 0 and total["poorer"] > total["compared"] / 2,
                total,
            )
        ]


def _pairs(passage: Passage, step: Costs) -> Iterator[tuple[Vector, Vector]]:
    """Equity at every close, at a cost and at twice that, book by book."""
    doubled = Costs(**{name: 2 * value for name, value in step.model_dump().items()})
    cheap, dear = (_equity(passage, costs) for costs in (step, doubled))
    yield from zip(cheap, dear, strict=True)


def _equity(passage: Passage, costs: Costs) -> list[Vector]:
    made = passage.made
    priced = made.spec.model_copy(update={"costs": costs})
    books = trade(priced, made.ground, made.weights).values()
    return [np.cumprod(1.0 + book.returns.to_numpy()) for book in books]
