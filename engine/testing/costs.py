"""The contract of cost models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.simulation.costs import RATE_NAMES, CostModel
from engine.testing.markets import make_market, market_of
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    from engine.data import Market


def check_costs(costs: CostModel, *, market: Market | None = None) -> None:
    """Computes the rates of a generated market, and again without its latest bars.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; finite rates
    of at least 0, fee and slippage below 1, as numbers or on the timestamps and symbols of the
    market; no change of a rate by later bars; the same rates again; untouched bars; a finite
    `one_way_cost_bps` of at least 0.

    Args:
        costs: The cost model.
        market: What it is computed on; two generated symbols unless given.

    Raises:
        ContractError: The first rule that is broken.
    """
    check_part(costs, (CostModel,))
    bars = market or make_market()
    before = bars.bars.copy(deep=True)
    costs.bind(bars)
    require(
        costs.kind,
        "compute_rates leaves the bars as they are",
        kept=bars.bars.equals(before),
        found="other bars",
    )
    typical = costs.one_way_cost_bps
    require(
        costs.kind,
        "one_way_cost_bps is finite and at least 0",
        kept=bool(np.isfinite(typical)) and typical >= 0,
        found=str(typical),
    )
    whole, again = costs.compute_rates(bars), costs.compute_rates(bars)
    stamps = bars.wide("close").index
    half = stamps[: len(stamps) // 2]
    early = costs.compute_rates(market_of(bars.bars[bars.bars["timestamp"].isin(half)]))
    for name in RATE_NAMES:
        rate = getattr(whole, name)
        require(
            costs.kind,
            "the same bars give the same rates",
            kept=np.array_equal(np.asarray(rate), np.asarray(getattr(again, name))),
            found=f"another {name}",
        )
        known = rate.loc[half] if isinstance(rate, pd.DataFrame) else rate
        require(
            costs.kind,
            "later bars do not change a rate",
            kept=bool(np.allclose(getattr(early, name), known, rtol=1e-9, atol=1e-15)),
            found=f"another {name} where they are missing",
        )
