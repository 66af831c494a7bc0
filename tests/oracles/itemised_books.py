"""Random books that pay item by item, and the charges of the plain account for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from engine.selftest.generated_bars import BarPattern, generate_market
from engine.simulation import Execution, ItemisedCosts
from tests.oracles.itemised_account import Charges
from tests.simulation.folded_books import Case

if TYPE_CHECKING:
    from engine.data import Market

SYMBOLS = ("A", "B", "C")

COMMISSIONS: tuple[dict[str, Any], ...] = (
    {"kind": "bps", "bps": 10},
    {"kind": "bps", "bps": 3, "minimum": 40},
    {"kind": "per_unit", "per_unit": 0.005, "minimum": 1, "maximum_pct": 1},
    {"kind": "per_unit", "per_unit": 0.2, "maximum_pct": 0.1},
    {
        "kind": "tiered",
        "tiers": [{"bps": 20}, {"above": 5_000, "bps": 10}, {"above": 20_000, "bps": 2}],
        "minimum": 5,
    },
)
SPREADS: tuple[dict[str, Any], ...] = (
    {"kind": "constant", "half_bps": 0},
    {"kind": "constant", "half_bps": 25},
    {"kind": "corwin_schultz", "window": 5},
    {"kind": "abdi_ranaldo", "window": 8, "least_half_bps": 2},
)
IMPACTS: tuple[dict[str, Any] | None, ...] = (None, {"coefficient": 1, "window": 5})
PARTICIPATIONS = (None, 0.1, 1e-3)


@st.composite
def itemised(draw: st.DrawFn) -> ItemisedCosts:
    def part() -> dict[str, Any]:
        return {
            "commission": draw(st.sampled_from(COMMISSIONS)),
            "spread": draw(st.sampled_from(SPREADS)),
            "impact": draw(st.sampled_from(IMPACTS)),
            "max_participation": draw(st.sampled_from(PARTICIPATIONS)),
            "borrow_bps_per_year": draw(st.sampled_from([0.0, 300.0])),
        }

    own = {symbol: part() for symbol in draw(st.sets(st.sampled_from(SYMBOLS)))}
    return ItemisedCosts.model_validate(part() | {"by_symbol": own})


@st.composite
def books(draw: st.DrawFn, *, low: float = -1.2) -> tuple[Case, ItemisedCosts, Market, float]:
    """Random weights on generated bars, a few of which have no volume; any size of capital."""
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    market = generate_market(rng, draw(st.integers(12, 45)), BarPattern(SYMBOLS, still_share=0.1))
    closes = market.wide("close")
    held = rng.uniform(low, 1.1, closes.shape) * rng.integers(0, 2, closes.shape)
    weights = np.repeat(held, draw(st.integers(1, 5)), axis=0)[: len(closes)] / 2
    costs = draw(itemised())
    capital = draw(st.sampled_from([1e3, 1e5, 1e8]))
    case = Case(
        weights=pd.DataFrame(weights, index=closes.index, columns=closes.columns),
        opens=market.wide("open"),
        closes=closes,
        costs=costs.bind(market).with_capital(capital),
        execution=Execution(
            delay=draw(st.integers(1, 3)),
            price=draw(st.sampled_from(["open", "close"])),
            maintenance_margin=draw(st.sampled_from([None, None, 0.4])),
        ),
    )
    return case, costs, market, capital


def charges_of(costs: ItemisedCosts, market: Market, symbol: str) -> Charges:
    """The plain account's charges of a symbol, from the settings themselves."""
    named = costs.by_symbol.get(symbol)

    def of(name: str) -> Any:
        own = None if named is None else getattr(named, name)
        return getattr(costs, name) if own is None else own

    commission, impact, share = of("commission"), of("impact"), of("max_participation")
    rates, count = costs.compute_rates(market), len(market.wide("close"))
    volume = market.wide("volume")[symbol].to_numpy()
    spread = rates.aligned("slippage", market.wide("close"))
    moves = np.zeros(count)
    if impact is not None:
        returns = np.log(market.wide("close")[symbol]).diff()
        sigma = (returns**2).rolling(5, min_periods=1).mean().shift(1) ** 0.5
        mean = pd.Series(volume).rolling(5, min_periods=1).mean().shift(1).to_numpy()
        moves = (sigma / np.sqrt(mean)).fillna(0.0).to_numpy()
    return Charges(
        half_spread=np.broadcast_to(spread, (count, 3))[:, SYMBOLS.index(symbol)].tolist(),
        impact=moves.tolist(),
        limit=(np.full(count, np.inf) if share is None else share * volume).tolist(),
        bps=getattr(commission, "bps", 0.0),
        per_unit=getattr(commission, "per_unit", 0.0) if commission.kind == "per_unit" else 0.0,
        minimum=commission.minimum,
        maximum=np.inf if commission.maximum_pct is None else commission.maximum_pct / 100,
        tiers=[(tier.above, tier.bps) for tier in getattr(commission, "tiers", ())],
        borrow=of("borrow_bps_per_year") / 10_000,
    )
