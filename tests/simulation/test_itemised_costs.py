"""What a fill pays item by item, and what a bar can fill."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from engine.core.errors import InvalidBarsError, UsageError
from engine.pipeline.prepare import prepare_data
from engine.selftest.harness import make_strategy
from engine.simulation import Account, CostRates, Execution, ItemisedCosts
from engine.simulation.costs import BoundCosts, CostModel
from engine.testing.markets import make_market, market_of
from tests.simulation.folded_books import Case, assert_fold_equals_simulation, fold
from tests.simulation.panel_books import make_panel

if TYPE_CHECKING:
    import engine

FREE = {"kind": "constant", "half_bps": 0}


def market(prices: list[float], volumes: list[float] | None = None) -> engine.data.Market:
    """Bars of `AAA` that trade at one price, and of another symbol."""
    bars = make_market(len(prices)).bars.copy()
    own = bars["symbol"] == "AAA"
    for column in ("open", "high", "low", "close"):
        bars.loc[own, column] = prices
    bars.loc[own, "volume"] = volumes or [1e6] * len(prices)
    return market_of(bars)


def case(
    weights: list[float],
    prices: list[float],
    *,
    volumes: list[float] | None = None,
    capital: float = 10_000,
    **costs: Any,
) -> Case:
    bars = market(prices, volumes)
    close = bars.wide("close")[["AAA"]]
    model = ItemisedCosts.model_validate({"spread": FREE} | costs)
    return Case(
        weights=pd.DataFrame({"AAA": weights}, index=close.index),
        opens=close,
        closes=close,
        costs=model.bind(bars).with_capital(capital),
        execution=Execution(),
    )


def fees_in_money(book: Case, capital: float = 10_000) -> list[float]:
    return (book.simulated().trades["fee"] * capital).tolist()


def test_a_commission_a_share_has_a_minimum_and_a_maximum_that_wins() -> None:
    commission = {"kind": "per_unit", "per_unit": 0.005, "minimum": 1, "maximum_pct": 1}
    # 5,000 for shares of 10 are 500 shares and 2.50; for shares of 100, 50 and the minimum of 1.
    assert fees_in_money(case([0.5, 0.5, 0.5], [10.0] * 3, commission=commission)) == [
        pytest.approx(2.5)
    ]
    assert fees_in_money(case([0.5, 0.5, 0.5], [100.0] * 3, commission=commission)) == [
        pytest.approx(1.0)
    ]
    # 50 of value are charged 1 % of it, which is less than the minimum.
    assert fees_in_money(case([0.005, 0.005, 0.005], [10.0] * 3, commission=commission)) == [
        pytest.approx(0.5)
    ]


def test_each_part_of_an_order_pays_the_rate_of_its_tier() -> None:
    by_value = {"kind": "tiered", "tiers": [{"bps": 20}, {"above": 1_000, "bps": 10}]}
    by_units = {
        "kind": "tiered",
        "by": "units",
        "tiers": [{"per_unit": 0.01}, {"above": 100, "per_unit": 0.005}],
    }
    weights = [0.5, 0.5, 0.5]
    assert fees_in_money(case(weights, [10.0] * 3, commission=by_value)) == [
        pytest.approx(1_000 * 0.002 + 4_000 * 0.001)
    ]
    assert fees_in_money(case(weights, [10.0] * 3, commission=by_units)) == [
        pytest.approx(100 * 0.01 + 400 * 0.005)
    ]


def test_a_buy_of_everything_leaves_no_cash_whatever_it_pays() -> None:
    commission = {"kind": "per_unit", "per_unit": 0.005, "minimum": 30}
    book = case([1.0, 1.0, 1.0], [10.0] * 3, commission=commission, impact={"window": 2})
    trade = book.simulated().trades.iloc[0]
    assert trade["size"] * trade["price"] + trade["fee"] == pytest.approx(1.0, abs=1e-12)
    assert trade["fee"] == pytest.approx(0.003)


def test_nothing_is_bought_where_the_cash_does_not_pay_the_minimum() -> None:
    book = case(
        [1.0, 1.0, 1.0],
        [10.0] * 3,
        capital=20,
        commission={"kind": "bps", "bps": 0, "minimum": 30},
    )
    assert book.simulated().trades.empty


def test_an_order_moves_its_price_by_the_root_of_its_share_of_the_volume_before() -> None:
    prices = [10.0, 11.0, 10.0, 11.0, 10.0, 10.0]
    volumes = [1_000.0, 3_000.0, 1_000.0, 3_000.0, 7.0, 9.0]
    book = case(
        [0.0, 0.0, 0.0, 0.4, 0.4, 0.4],
        prices,
        volumes=volumes,
        commission={"kind": "bps", "bps": 0},
        impact={"coefficient": 0.5, "window": 4},
    )
    trade = book.simulated().trades.iloc[0]
    # Filled at the fifth bar: 4,000 at 10 are 400 units, of a mean volume of 2,000.
    sigma = np.sqrt(np.mean(np.log([11 / 10, 10 / 11, 11 / 10]) ** 2))
    assert trade["price"] == pytest.approx(10 * (1 + 0.5 * sigma * np.sqrt(400 / 2_000)))


def test_what_a_bar_cannot_fill_waits_and_is_told() -> None:
    # 5,000 at 10 are 500 units; a tenth of the volumes are 200, 0, 200, 200.
    book = case(
        [0.5] * 6,
        [10.0] * 6,
        volumes=[9_999.0, 2_000.0, 0.0, 2_000.0, 2_000.0, 2_000.0],
        commission={"kind": "bps", "bps": 0},
        max_participation=0.1,
    )
    result = book.simulated()
    assert (result.trades["size"] * 10_000).tolist() == pytest.approx([200, 200, 100])
    told = result.limited
    assert (told["filled"] * 10_000).tolist() == pytest.approx([200, 0, 200])
    assert (told["unfilled"] * 10_000).tolist() == pytest.approx([300, 300, 100])
    assert told["timestamp"].tolist() == book.weights.index[1:4].tolist()
    assert_fold_equals_simulation(book)


def test_nothing_is_filled_at_bars_without_a_trade_under_a_limit() -> None:
    book = case([0.5] * 5, [10.0] * 5, volumes=[9.0] + [0.0] * 4, max_participation=0.1)
    result = book.simulated()
    assert result.trades.empty
    assert len(result.limited) == 4
    assert (result.returns == 0).all()


OF_VOLUMES = [{"impact": {"window": 2}}, {"max_participation": 0.1}]


def silent_market(zero: slice, count: int = 200) -> engine.data.Market:
    """Prices that move at every bar, and a source that writes 0 for some volumes."""
    volumes = np.full(count, 1_000.0)
    volumes[zero] = 0.0
    return market([10.0 + number % 2 for number in range(count)], volumes.tolist())


@pytest.mark.parametrize("costs", OF_VOLUMES)
@pytest.mark.parametrize("zero", [slice(None), slice(1, 150)])
def test_volumes_that_the_source_does_not_know_are_refused(
    costs: dict[str, Any], zero: slice
) -> None:
    model, bars = ItemisedCosts.model_validate(costs), silent_market(zero)
    unknown = (bars.wide("volume")["AAA"] == 0) & bars.traded["AAA"]
    with pytest.raises(InvalidBarsError, match="no volume") as caught:
        model.check_market(bars, ["AAA"])
    first = unknown[unknown].index[0]
    assert caught.value.found == (
        f"no volume of AAA at {unknown.sum()} of 200 bars, the first {first}"
    )


def test_the_few_bars_of_unknown_volume_are_charged_by_the_volumes_before() -> None:
    bars = silent_market(slice(1, 4))
    model = ItemisedCosts.model_validate(OF_VOLUMES[0] | OF_VOLUMES[1])
    assert (bars.wide("volume")["AAA"] == 0)[bars.traded["AAA"]].sum() == 1
    model.check_market(bars, ["AAA"])
    rates = model.compute_rates(bars)
    # The first two zeros are believed; the window of the fifth bar has one and an unknown volume.
    assert rates.limit["AAA"].iloc[:5].tolist() == pytest.approx([100, 0, 0, np.inf, 100])
    assert (rates.impact["AAA"] < 0.01).all()
    assert (rates.impact["AAA"].iloc[2:] > 0).all()


@pytest.mark.parametrize("costs", OF_VOLUMES)
def test_bars_before_the_first_volume_cannot_be_traded_and_those_after_can(
    costs: dict[str, Any],
) -> None:
    bars = silent_market(slice(0, 120))
    model = ItemisedCosts.model_validate(costs)
    model.check_market(bars, ["AAA"])
    closes, (name,) = bars.wide("close")[["AAA"]], [key.split("_")[0] for key in costs]
    table = "limit" if name == "max" else name
    rates = model.bind(bars).rates
    assert np.isfinite(rates.aligned(table, closes.iloc[121:])).all()
    with pytest.raises(InvalidBarsError, match="no volume"):
        rates.aligned(table, closes.iloc[100:])


def test_an_order_back_to_the_target_before_is_filled_where_a_part_was() -> None:
    book = case(
        [0.5, 0.0, 0.0, 0.0],
        [10.0] * 4,
        volumes=[2_000.0] * 4,
        commission={"kind": "bps", "bps": 0},
        max_participation=0.1,
    )
    trades = book.simulated().trades
    assert trades["side"].tolist() == ["buy", "sell"]
    assert (trades["size"] * 10_000).tolist() == pytest.approx([200, 200])


def test_a_larger_book_pays_a_larger_share_for_its_impact_and_a_smaller_one_for_its_minimum() -> (
    None
):
    def lost(capital: float, **costs: Any) -> float:
        prices = [10.0, 11.0, 10.0, 11.0, 11.0, 11.0]
        book = case([0.0, 0.0, 0.0, 0.4, 0.4, 0.4], prices, capital=capital, **costs)
        return -float(book.simulated().returns.sum())

    impact = {"commission": {"kind": "bps", "bps": 0}, "impact": {}}
    minimum = {"commission": {"kind": "bps", "bps": 0, "minimum": 1}}
    assert lost(1e7, **impact) == pytest.approx(10 * lost(1e5, **impact), rel=1e-3)
    assert lost(1e3, **minimum) == pytest.approx(10 * lost(1e4, **minimum))


@pytest.mark.parametrize(
    ("costs", "told"),
    [
        ({"commission": {"kind": "per_unit", "per_unit": 0.005, "minimum": 1}}, "capital"),
        ({"impact": {"coefficient": 1}}, "capital"),
        ({"max_participation": 0.1}, "capital"),
        ({"by_symbol": {"AAA": {"max_participation": 0.1}}}, "capital"),
        ({"commission": {"kind": "tiered", "tiers": [{"bps": 1, "above": 5}]}}, "above: 0"),
        ({"commission": {"kind": "tiered", "tiers": [{"per_unit": 1}]}}, "`bps`"),
        ({"commission": {"kind": "per_share", "per_unit": 1}}, "per_unit"),
        ({"max_participation": 1.5}, "max_participation"),
        ({"by_symbol": {"AAA": {"fee_bps": 5}}}, "fee_bps"),
    ],
)
def test_costs_that_cannot_be_charged_are_refused(costs: dict[str, Any], told: str) -> None:
    with pytest.raises(ValidationError, match=told):
        make_strategy(costs={"kind": "itemised"} | costs)


class OwnCosts(CostModel):
    """Charges of money or units, without saying that they need a capital."""

    kind: Literal["own"] = "own"
    table: str
    value: float

    @property
    def one_way_cost_bps(self) -> float:
        return 0.0

    def compute_rates(self, market: engine.data.Market) -> CostRates:
        assert market.symbols
        return CostRates(fee=0.0, slippage=0.0, **{self.table: self.value})


@pytest.mark.parametrize("table", ["minimum", "impact", "limit"])
def test_charges_in_money_or_units_need_a_capital_whatever_the_model_says(table: str) -> None:
    bars, spec = make_market(400), make_strategy()
    model = OwnCosts(table=table, value=2.0)
    with pytest.raises(UsageError, match="need the money") as caught:
        prepare_data(spec.model_copy(update={"costs": model}), bars)
    assert caught.value.where == "capital, for costs of kind own"
    paid = spec.model_copy(update={"costs": model, "capital": 100.0}).bind_costs(bars)
    assert isinstance(paid, BoundCosts)
    assert paid.rates.capital == 100.0
    neutral = OwnCosts(table="per_unit", value=2.0)
    spec.model_copy(update={"costs": neutral}).bind_costs(bars)


def test_thresholds_in_round_trips_need_to_know_what_a_fill_costs() -> None:
    signal = {"kind": "cost_multiple", "enter": 1, "exit": 0}
    costs = {"kind": "itemised", "commission": {"kind": "per_unit", "per_unit": 0.005}}
    with pytest.raises(ValidationError, match="typical_bps"):
        make_strategy(signal=signal, costs=costs)
    spec = make_strategy(signal=signal, costs=costs | {"typical_bps": 4})
    assert spec.costs.round_trip_cost == pytest.approx(8e-4)


def test_a_strategy_without_capital_is_written_as_before() -> None:
    assert "capital" not in make_strategy().model_dump(mode="json")
    assert "by_symbol" not in make_strategy().model_dump(mode="json")["costs"]


@pytest.mark.parametrize("kind", ["fixed", "itemised"])
def test_a_symbol_that_the_dataset_does_not_have_is_named(kind: str) -> None:
    spec = make_strategy(costs={"kind": kind, "by_symbol": {"AAPL": {}}})
    with pytest.raises(UsageError, match="costs name a symbol") as caught:
        spec.costs.check_market(make_market(10), ["AAA"])
    assert (caught.value.found, caught.value.where) == ("AAPL", "costs.by_symbol")
    stand_in = replace(make_market(10), provenance={"offline": True})
    spec.costs.check_market(stand_in, ["AAA"])
    assert spec.costs.unknown_symbols(stand_in) == ("AAPL",)


@pytest.mark.parametrize("costs", [{"impact": {}}, {"max_participation": 0.1}])
def test_a_target_without_volumes_is_refused_and_another_symbol_is_not(
    costs: dict[str, Any],
) -> None:
    bars = make_market(20).bars.copy()
    bars.loc[bars["symbol"] == "AAA", "volume"] = np.nan
    model, silent = ItemisedCosts.model_validate(costs), market_of(bars)
    model.check_market(silent, ["BBB"])
    with pytest.raises(InvalidBarsError, match="no volume") as caught:
        model.check_market(silent, ["AAA"])
    first = silent.wide("close").index[0]
    assert caught.value.found == f"no volume of AAA at 20 of 20 bars, the first {first}"
    closes = silent.wide("close")
    with pytest.raises(InvalidBarsError, match="no volume"):
        model.bind(silent).rates.at(closes.index[5], ["AAA"])
    model.bind(silent).rates.at(closes.index[5], ["BBB"])


def test_twice_the_costs_are_twice_what_the_same_fills_pay() -> None:
    commission = {"kind": "per_unit", "per_unit": 0.01, "minimum": 8, "maximum_pct": 1}
    book = case([0.01, 0.01, 0.5, 0.5], [10.0] * 4, commission=commission)
    bound = book.costs.paying(10.0)
    once, twice = (
        fees_in_money(Case(book.weights, book.opens, book.closes, costs, Execution()))
        for costs in (bound, bound.at_one_way_cost(20.0))
    )
    assert once == pytest.approx([1.0, 8.0])
    assert twice == pytest.approx([2.0, 16.0], rel=1e-3)


def test_an_account_with_a_part_of_an_order_goes_on_from_its_json() -> None:
    volumes, bps = [2_000.0] * 6, {"kind": "bps", "bps": 5}
    book = case(
        [0.5, 0.5, 0.0, 0.0, 0.3, 0.3],
        [10.0] * 6,
        volumes=volumes,
        commission=bps,
        max_participation=0.1,
    )
    whole = fold(book, range(6))
    account, orders = fold(book, range(2)).state
    assert account.holdings[0].target_weight is None
    assert [order.waited_bars for order in account.orders] == [1]
    loaded = Account.model_validate_json(account.model_dump_json())
    assert loaded == account
    assert fold(book, range(2, 6), (loaded, orders)).accounts == whole.accounts[2:]


class TestPanels:
    """Costs that are estimated from the bars of symbols that are listed late and halted."""

    @staticmethod
    def panel(seed: int = 0) -> engine.data.Market:
        present = np.ones((60, 2), dtype=bool)
        present[:30, 1] = False
        return make_panel(present, np.random.default_rng(seed))

    @pytest.mark.parametrize(
        "key",
        [{"impact": {}}, {"max_participation": 0.1}, {"spread": {"kind": "abdi_ranaldo"}}],
    )
    def test_a_symbol_that_is_not_listed_yet_is_not_refused(self, key: dict[str, Any]) -> None:
        panel = self.panel()
        before = panel.until(panel.present.index[20])
        assert not before.present["S1"].any()
        ItemisedCosts.model_validate(key).check_market(before, ["S1"])

    @pytest.mark.parametrize("key", [{"impact": {}}, {"max_participation": 0.1}])
    def test_no_bar_is_no_unknown_volume(self, key: dict[str, Any]) -> None:
        costs = ItemisedCosts.model_validate(key)
        bars = self.panel().bars.assign(volume=lambda rows: rows["volume"].clip(lower=1.0))
        listed_late = replace(self.panel(), bars=bars)
        costs.check_market(listed_late, listed_late.symbols)
        bars.loc[bars["close"].notna() & (bars["symbol"] == "S1"), "volume"] = np.nan
        with pytest.raises(InvalidBarsError, match="S1 at 30 of 30 bars"):
            costs.check_market(replace(listed_late, bars=bars), listed_late.symbols)

    @pytest.mark.parametrize("spread", ["corwin_schultz", "abdi_ranaldo"])
    def test_no_estimate_reaches_back_before_the_first_bar(self, spread: str) -> None:
        costs = ItemisedCosts.model_validate({"spread": {"kind": spread}, "impact": {}})
        panel = self.panel()
        of_panel = costs.compute_rates(panel.carried).at_absences(panel.present.to_numpy())
        alone = costs.compute_rates(panel.of_symbol("S1"))
        for name in ("slippage", "impact"):
            own = getattr(of_panel, name)["S1"].iloc[31:]
            assert own.gt(0).any()
            np.testing.assert_array_equal(own, getattr(alone, name)["S1"].iloc[1:])
