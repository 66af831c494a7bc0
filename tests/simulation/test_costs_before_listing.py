"""What a cost model of a user's own reads of a symbol before its first bar."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pytest

from engine.core.errors import ContractError
from engine.selftest.generated_panel import generate_panel, panel_strategy
from engine.simulation.cost_rates import CostRates
from engine.simulation.costs import CostModel
from tests.live.replays import assert_equal, backtest, replay_live

if TYPE_CHECKING:
    from engine.data import Market
    from engine.strategy import Strategy

PANEL = generate_panel(np.random.default_rng(1))
LATE = "S2"
WINDOW = 5


class RangeOfReturns(CostModel):
    """Slippage of a tenth of the standard deviation of the last returns; NaN before there are."""

    kind: Literal["range_of_returns"] = "range_of_returns"
    forgets: bool = False

    @property
    def one_way_cost_bps(self) -> float:
        return 10.0

    def compute_rates(self, market: Market) -> CostRates:
        close = market.wide("close")
        slippage = 0.1 * close.pct_change(fill_method=None).rolling(WINDOW).std().shift(1)
        begun = close.notna()
        slippage = slippage.mask(begun & slippage.isna(), 0.001)
        if self.forgets:
            slippage.loc[begun[LATE].idxmax(), LATE] = np.nan
        return CostRates(fee=0.0, slippage=slippage, borrow_per_year=0.0)


def strategy(*, forgets: bool = False) -> Strategy:
    return panel_strategy().model_copy(
        update={"costs": RangeOfReturns(forgets=forgets), "benchmarks": ()}
    )


def test_a_symbol_has_no_price_before_its_first_bar() -> None:
    market = PANEL.since_listing
    begins = PANEL.present[LATE].idxmax()
    before = market.present.index < begins
    for column in ("open", "high", "low", "close", "volume"):
        values = market.wide(column)[LATE]
        assert values[before].isna().all()
        assert values[~before].notna().all()
    assert market.wide("close")["S3"].notna().all()  # halted, and carried
    assert PANEL.carried.wide("close")[LATE][before].eq(1.0).all()


def test_the_window_of_a_cost_holds_nothing_that_was_no_bar() -> None:
    rates = strategy().bind_costs(PANEL).rates
    slippage = rates.slippage[LATE]
    begins = PANEL.present[LATE].to_numpy().argmax()
    assert slippage.iloc[:begins].eq(0.0).all()
    assert slippage.iloc[begins : begins + WINDOW].eq(0.001).all()
    returns = PANEL.wide("close")[LATE].pct_change(fill_method=None)
    honest = 0.1 * returns.iloc[begins + 1 : begins + 1 + WINDOW].std()
    assert slippage.iloc[begins + WINDOW + 1] == pytest.approx(honest)
    assert slippage.max() < 0.05  # a price of 1 before the listing would have made it ten


def test_a_rate_that_is_missing_from_its_first_bar_on_is_still_refused() -> None:
    with pytest.raises(ContractError, match="slippage"):
        strategy(forgets=True).bind_costs(PANEL)


@pytest.mark.slow
def test_such_costs_are_charged_live_as_they_are_tested(tmp_path) -> None:
    replay = replay_live(backtest(strategy(), PANEL, tmp_path), tmp_path, bars=60)
    assert_equal(replay)
    assert replay.compared.fills > 0
