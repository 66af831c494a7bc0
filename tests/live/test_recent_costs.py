"""Itemised costs of bars that come one by one, from the newest bars alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.data.next_bar import NextBar
from engine.live.loop.recent_costs import RecentCosts
from engine.selftest.generated_bars import BarPattern, generate_market
from engine.selftest.harness import make_strategy
from engine.simulation import Costs

TARGETS = ("S1", "S3")
COSTS = {
    "kind": "itemised",
    "commission": {"kind": "per_unit", "per_unit": 0.005, "minimum": 1},
    "spread": {"kind": "corwin_schultz", "window": 7},
    "impact": {"window": 4},
    "max_participation": 0.05,
    "by_symbol": {
        "S3": {"spread": {"kind": "abdi_ranaldo", "window": 5}, "impact": {"window": 9}}
    },
}


def strategy(costs=COSTS):
    return make_strategy(costs=costs, capital=1e6)


def bars(still_share: float):
    return generate_market(
        np.random.default_rng(7), 120, BarPattern(("S1", "S2", "S3"), still_share=still_share)
    )


@pytest.mark.parametrize("still_share", [0.0, 0.3, 0.7])
def test_each_bar_is_charged_what_the_whole_history_says_bit_for_bit(still_share: float) -> None:
    spec, market = strategy(), bars(still_share)
    stamps = market.wide("close").index
    recent = RecentCosts.of_history(spec, market.until(stamps[39]), TARGETS)
    known = 0
    later = NextBar.of_market(market.bars.iloc[40 * 3 :], market.symbols)
    for stamp, bar in zip(stamps[40:], later, strict=True):
        until = market.until(stamp)
        said = until.traded.iloc[-1]
        recent = recent.append(bar, {symbol: bool(said[symbol]) for symbol in TARGETS})
        found = recent.bind()
        if found is not None:
            known += 1
            whole = spec.bind_costs(until).rates.at(stamp, TARGETS)
            assert found.rates.at(stamp, TARGETS) == whole
    assert known > (40 if still_share > 0.5 else 78)
    assert len(recent.traded) == spec.costs.bars_needed == 11


def test_a_window_without_a_trade_needs_the_history() -> None:
    spec, market = strategy(), bars(0.0)
    still = market.bars.assign(
        volume=np.where(np.arange(len(market.bars)) < 60, market.bars["volume"], 0.0)
    )
    for name in ("open", "high", "low"):
        still[name] = np.where(still["volume"] == 0, still["close"], still[name])
    assert RecentCosts.of_history(spec, replace(market, bars=still), TARGETS).bind() is None


def test_other_costs_are_not_kept() -> None:
    assert RecentCosts.of_history(strategy(Costs()), bars(0.0), TARGETS) is None
    funded = {"kind": "itemised", "funding": {}}
    assert RecentCosts.of_history(strategy(funded), bars(0.0), TARGETS) is None
