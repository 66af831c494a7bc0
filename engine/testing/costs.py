"""The contract of cost models."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from engine.simulation.cost_rates import KNOWN_AT_CLOSE, RATE_NAMES
from engine.simulation.costs import CostModel
from engine.simulation.rate_values import values_of
from engine.testing.markets import make_market, market_of
from engine.testing.rules import check_part, require

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.data import Market
    from engine.simulation.cost_rates import CostRates


def check_costs(costs: CostModel, *, market: Market | None = None) -> None:
    """Computes the rates of a generated market, and again without its latest bars.

    The rules: a frozen class with a kind of its own, whose JSON gives an equal part; finite rates
    of at least 0, fee and slippage below 1, as numbers or on the timestamps and symbols of the
    market; no change of a rate by later bars; the same rates again; untouched bars; a finite
    `one_way_cost_bps` of at least 0; and of a model that says `known_before_fill`, no change of
    what a fill pays by its own bar.

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
            kept=np.array_equal(values_of(rate), values_of(getattr(again, name)), equal_nan=True),
            found=f"another {name}",
        )
        known = rate.loc[half] if isinstance(rate, pd.DataFrame) else rate
        require(
            costs.kind,
            "later bars do not change a rate",
            kept=_is_close(values_of(getattr(early, name)), values_of(known)),
            found=f"another {name} where they are missing",
        )
    if costs.known_before_fill:
        _check_own_bar(costs, bars, whole, pd.DatetimeIndex(half))


def _check_own_bar(
    costs: CostModel, bars: Market, whole: CostRates, known: pd.DatetimeIndex
) -> None:
    """Refuses charges at the bar after `known` that other prices and volumes of it change."""
    altered = bars.bars.copy()
    later = ~altered["timestamp"].isin(known)
    for column, factor in (
        ("open", 1.1),
        ("high", 1.4),
        ("low", 0.9),
        ("close", 1.2),
        ("volume", 3),
    ):
        altered.loc[later, column] *= factor
    other = costs.compute_rates(market_of(altered))
    for name in RATE_NAMES:
        one, two = getattr(whole, name), getattr(other, name)
        if isinstance(one, pd.DataFrame) and name not in KNOWN_AT_CLOSE:
            rows = len(known) + 1
            require(
                costs.kind,
                "the bar of a fill does not change what it pays",
                kept=_is_close(values_of(one.iloc[:rows]), values_of(two.iloc[:rows])),
                found=f"another {name}",
            )


def _is_close(left: npt.NDArray[np.float64], right: npt.NDArray[np.float64]) -> bool:
    return bool(np.allclose(left, right, rtol=1e-9, atol=1e-15, equal_nan=True))
