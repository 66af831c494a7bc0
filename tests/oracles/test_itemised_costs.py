"""Books that pay itemised costs beside a plain account, a fold bar by bar, and bare vectorbt."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.selftest.generated_bars import BarPattern, generate_market
from engine.simulation import Costs, Execution, ItemisedCosts, simulate
from tests.simulation.folded_books import Case, assert_fold_equals_simulation

if TYPE_CHECKING:
    from engine.data import Market

# tests/ is no package, so the module beside this one is run by its path.
ACCOUNT = run_path(str(Path(__file__).with_name("itemised_account.py")))
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


@settings(max_examples=10, deadline=None)
@given(books())
def test_the_fold_of_a_book_that_pays_item_by_item_equals_its_simulation(book) -> None:
    assert_fold_equals_simulation(book[0])


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(books())
def test_the_folds_of_more_such_books_equal_their_simulations(book) -> None:
    assert_fold_equals_simulation(book[0])


def charges_of(costs: ItemisedCosts, market: Market, symbol: str) -> Any:
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
    return ACCOUNT["Charges"](
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


def assert_has_the_equity_of_the_plain_account(
    case: Case, costs: ItemisedCosts, market: Market, capital: float
) -> None:
    days = np.diff(case.weights.index.to_numpy(), prepend=case.weights.index.to_numpy()[:1])
    expected = ACCOUNT["equity_curve"](
        case.weights.to_numpy().tolist(),
        (case.opens if case.execution.price == "open" else case.closes).to_numpy().tolist(),
        case.closes.to_numpy().tolist(),
        (days / np.timedelta64(1, "D") / 365.25).tolist(),
        [charges_of(costs, market, symbol) for symbol in SYMBOLS],
        delay=case.execution.delay,
        capital=capital,
    )
    found = (1 + case.simulated().returns).cumprod().to_numpy()
    alive = np.logical_and.accumulate(np.minimum(found, expected) > 0.01)
    np.testing.assert_allclose(found[alive], np.array(expected)[alive], rtol=1e-9)


@settings(max_examples=15, deadline=None)
@given(books(low=-0.6))
def test_it_has_the_equity_of_a_plain_account_in_money(book) -> None:
    case, costs, market, capital = book
    plain = case.execution.model_copy(update={"maintenance_margin": None})
    own = Case(case.weights, case.opens, case.closes, case.costs, plain)
    assert_has_the_equity_of_the_plain_account(own, costs, market, capital)


@pytest.mark.slow
@settings(max_examples=150, deadline=None)
@given(books(low=-0.6))
def test_more_of_them_have_the_equity_of_a_plain_account(book) -> None:
    case, costs, market, capital = book
    plain = case.execution.model_copy(update={"maintenance_margin": None})
    own = Case(case.weights, case.opens, case.closes, case.costs, plain)
    assert_has_the_equity_of_the_plain_account(own, costs, market, capital)


@pytest.mark.slow
def test_costs_by_symbol_and_an_estimated_spread_have_the_equity_of_bare_vectorbt() -> None:
    import vectorbt as vbt

    market = generate_market(np.random.default_rng(3), 300, BarPattern(SYMBOLS))
    closes, opens = market.wide("close"), market.wide("open")
    rng = np.random.default_rng(4)
    targets = np.repeat(rng.uniform(0, 0.3, (60, 3)), 5, axis=0)
    weights = pd.DataFrame(targets, index=closes.index, columns=closes.columns)
    spread = {"kind": "corwin_schultz", "window": 10}
    by_symbol = {"B": {"commission": {"kind": "bps", "bps": 40}}}
    costs = ItemisedCosts.model_validate(
        {"commission": {"kind": "bps", "bps": 5}, "spread": spread, "by_symbol": by_symbol}
    )
    own = simulate(weights, opens, closes, costs=costs.bind(market), execution=Execution())
    before = weights.shift(fill_value=0.0)
    size = weights.where(weights != before).shift(1)
    portfolio = vbt.Portfolio.from_orders(
        closes,
        size=size,
        size_type="targetpercent",
        price=opens,
        val_price=opens,
        fees=np.array([[5e-4, 40e-4, 5e-4]]),
        slippage=costs.compute_rates(market).slippage,
        group_by=True,
        cash_sharing=True,
        call_seq="auto",
        init_cash=1e9,
        freq="1D",
    )
    found = (1 + own.returns).cumprod().to_numpy()
    np.testing.assert_allclose(found, portfolio.value().to_numpy() / 1e9, rtol=1e-9)


def test_a_symbol_named_in_fixed_costs_pays_its_own_rates_and_the_others_as_before() -> None:
    market = generate_market(np.random.default_rng(1), 30, BarPattern(SYMBOLS))
    closes, opens = market.wide("close"), market.wide("open")
    weights = pd.DataFrame(0.0, index=closes.index, columns=closes.columns)
    weights.iloc[3:] = 0.3
    costs = Costs.model_validate({"by_symbol": {"B": {"fee_bps": 100, "slippage_bps": 0}}})
    trades = simulate(
        weights, opens, closes, costs=costs.bind(market), execution=Execution()
    ).trades.set_index("symbol")
    share = trades["fee"] / (trades["size"] * trades["price"])
    assert share.to_dict() == pytest.approx({"A": 1e-3, "B": 1e-2, "C": 1e-3})
    assert trades["slippage_cost"]["B"] == 0
    assert trades["slippage_cost"]["A"] > 0
