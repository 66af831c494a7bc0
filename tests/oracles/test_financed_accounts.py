"""Books with loans, funding, calls, halts and cut orders, beside a plain account in money."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from engine.data.funding_rates import FundingRates, SymbolFunding
from engine.simulation import Execution
from tests.hypothesis_examples import examples
from tests.oracles.itemised_account import Terms, equity_curve
from tests.oracles.itemised_books import SYMBOLS, books, charges_of
from tests.simulation.folded_books import Case, assert_fold_equals_simulation

if TYPE_CHECKING:
    from engine.data import Market
    from engine.simulation import ItemisedCosts

DAY_US = 86_400_000_000


class FinancedBook(NamedTuple):
    """A book and all that its plain account needs."""

    case: Case
    costs: ItemisedCosts
    market: Market
    capital: float


@st.composite
def financed_books(draw: st.DrawFn) -> FinancedBook:
    """Some with loans and up to three times the equity, funding, a margin, and a yield."""
    case, costs, market, capital = draw(books(low=-0.6))
    lends = draw(st.booleans())
    funded = draw(st.booleans())
    update = {
        "financing_bps_per_year": draw(st.sampled_from([0.0, 800.0])) if lends else None,
        "funding": {"missing": "zero"} if funded else None,
    }
    costs = type(costs).model_validate(costs.model_dump() | update)
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    market = replace(market, funding=draw_payments(rng, market))
    margin = draw(st.sampled_from([None, 0.2, 0.45]))
    execution = Execution(
        delay=case.execution.delay, price=case.execution.price, maintenance_margin=margin
    )
    case = replace(
        case,
        weights=case.weights * (draw(st.sampled_from([1.0, 3.0])) if lends else 1.0),
        costs=costs.bind(market).with_capital(capital),
        execution=execution,
        traded=market.traded if draw(st.booleans()) else None,
        cash_rates=draw(st.sampled_from([0.0, 0.04])),
    )
    return FinancedBook(case, costs, market, capital)


def draw_payments(rng: np.random.Generator, market: Market) -> FundingRates:
    """Payments at odd times, and at opens and closes of bars; one symbol has none."""
    stamps = market.wide("close").index
    first, last = stamps[0].value // 1000, market.end_of(stamps[-1])
    own = {}
    for symbol in SYMBOLS[:-1]:
        odd = rng.integers(first, last + 3 * DAY_US, 20)
        at_bars = first + DAY_US * rng.integers(0, len(stamps) + 2, 20)
        instants = np.unique(np.concatenate([odd, at_bars]))
        own[symbol] = SymbolFunding(instants, rng.normal(0, 0.01, len(instants)))
    return FundingRates(own)


def terms_of(book: FinancedBook) -> Terms:
    case, market = book.case, book.market
    opens = [stamp.value / 1000 / DAY_US for stamp in case.weights.index]
    payments = [
        list(zip((own.instants / DAY_US).tolist(), own.rates.tolist(), strict=True))
        for own in map(market.funding.of, SYMBOLS)
    ]
    bps = book.costs.financing_bps_per_year
    return Terms(
        delay=case.execution.delay,
        capital=book.capital,
        loan=None if bps is None else bps / 10_000,
        cash_rate=case.cash_rates,
        margin=case.execution.maintenance_margin or 0.0,
        traded=None if case.traded is None else case.traded.to_numpy().tolist(),
        payments=payments if book.costs.funding else (),
        opens_at=opens,
        closes_at=[each + 1 for each in opens],
        fills_at_close=case.execution.price == "close",
    )


def assert_equals_the_plain_account(book: FinancedBook) -> None:
    case = book.case
    stamps = case.weights.index.to_numpy()
    days = np.diff(stamps, prepend=stamps[:1]) / np.timedelta64(1, "D")
    expected = equity_curve(
        case.weights.to_numpy().tolist(),
        (case.opens if case.execution.price == "open" else case.closes).to_numpy().tolist(),
        case.closes.to_numpy().tolist(),
        (days / 365.25).tolist(),
        [charges_of(book.costs, book.market, symbol) for symbol in SYMBOLS],
        terms_of(book),
    )
    found = (1 + case.simulated().returns).cumprod().to_numpy()
    alive = np.logical_and.accumulate(np.minimum(found, expected) > 0.01)
    np.testing.assert_allclose(found[alive], np.array(expected)[alive], rtol=1e-9)


@examples(10)
@given(financed_books())
def test_a_financed_book_has_the_equity_of_a_plain_account(book) -> None:
    assert_equals_the_plain_account(book)


@pytest.mark.slow
@settings(max_examples=100, deadline=None)
@given(financed_books())
def test_more_financed_books_have_the_equity_of_plain_accounts(book) -> None:
    assert_equals_the_plain_account(book)


@examples(10)
@given(financed_books())
def test_the_fold_of_a_financed_book_equals_its_simulation(book) -> None:
    assert_fold_equals_simulation(book.case)
