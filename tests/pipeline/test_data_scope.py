"""What a run tells the trial ledger about its bars."""

from __future__ import annotations

from dataclasses import replace

from engine.models import Ridge
from engine.pipeline.prepare import prepare_data
from engine.strategy import Strategy
from engine.testing import make_market

MARKET = make_market(300)
SPEC = Strategy(
    name="small",
    data={"dataset": "made-up"},
    windows={"train": 150, "validation": 40, "test": 50},
    model=Ridge(),
)


def opening(spec: Strategy = SPEC, price_factor: float = 1.0, row: int = 0) -> str | None:
    """Hash of the first out-of-sample bars, where the prices from a bar on are others."""
    bars = MARKET.bars.copy()
    later = bars["timestamp"] >= bars["timestamp"].unique()[row]
    bars.loc[later, ["open", "high", "low", "close"]] *= price_factor
    return prepare_data(spec, replace(MARKET, bars=bars)).to_data_scope().opening


def test_other_prices_or_rates_at_the_first_bars_are_told_apart() -> None:
    assert opening(price_factor=1.1, row=215) != opening()
    dearer = SPEC.model_copy(update={"rates": type(SPEC.rates)(risk_free=0.03)})
    assert opening(dearer) != opening()


def test_a_common_factor_and_later_bars_change_nothing() -> None:
    assert opening(price_factor=2.0) == opening()
    assert opening(price_factor=1.1, row=290) == opening()
