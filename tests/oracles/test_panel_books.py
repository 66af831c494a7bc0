"""Books with listings, halts and delistings: the simulators of the engine, and one apart."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from runpy import run_path

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given

from tests.hypothesis_examples import examples
from tests.simulation.panel_books import PanelBook, panel_books

oracle = run_path(str(Path(__file__).with_name("panel_account.py")), run_name="panel_account")


def assert_equal_bits(left: object, right: object) -> None:
    for name in ("returns", "held_weights", "trades", "financing"):
        expected, found = (pd.DataFrame(getattr(each, name)) for each in (left, right))
        pd.testing.assert_frame_equal(expected, found, check_exact=True)


@examples(25)
@given(panel_books())
def test_the_fold_of_a_book_on_a_panel_equals_its_simulation(book: PanelBook) -> None:
    result = book.simulated(bar_by_bar=True)
    accounts, fills = book.fold()
    assert [account.bar_return for account in accounts] == result.returns.tolist()
    assert [(each.symbol, each.price, each.fee, each.side, each.size) for each in fills] == [
        (row.symbol, row.price, row.fee, row.side, row.size) for row in result.trades.itertuples()
    ]


@pytest.mark.slow
@examples(40)
@given(panel_books(financed=False))
def test_vectorbt_and_the_fold_agree_on_a_panel_to_the_last_bit(book: PanelBook) -> None:
    assert_equal_bits(book.simulated(), book.simulated(bar_by_bar=True))


@examples(40)
@given(panel_books())
def test_an_account_in_plain_python_agrees_on_a_panel(book: PanelBook) -> None:
    execution = book.execution.model_copy(update={"maintenance_margin": None})
    book = replace(book, execution=execution)
    market, costs = book.market, book.costs
    opens, closes = market.wide("open"), market.wide("close")
    bars = [
        {
            symbol: (
                opens[symbol].iloc[row],
                closes[symbol].iloc[row],
                bool(market.traded[symbol].iloc[row]),
            )
            for symbol in market.symbols
            if market.present[symbol].iloc[row]
        }
        for row in range(len(opens))
    ]
    result = book.simulated(bar_by_bar=True)
    assume((result.returns > -0.999).all())
    expected = oracle["equity_of_panel"](
        ((opens.index - opens.index[0]) / pd.Timedelta(days=1)).tolist(),
        bars,
        book.weights.to_dict("records"),
        oracle["Terms"](
            at_open=execution.price == "open",
            delay=execution.delay,
            fee=costs.fee_bps / 10_000,
            slippage=costs.slippage_bps / 10_000,
            borrow=costs.borrow_bps_per_year / 10_000,
            cash_rate=book.cash_rate,
            after_days=market.delisting.after_days,
            delisting_returns={s: market.delisting.return_of(s) for s in market.symbols},
        ),
    )
    np.testing.assert_allclose((1 + result.returns).cumprod(), expected, rtol=1e-9, atol=1e-9)


@examples(20)
@given(panel_books())
def test_later_bars_and_absences_change_nothing_that_was_filled(book: PanelBook) -> None:
    row = len(book.weights) // 2
    cut = book.weights.index[row]
    known = replace(book, market=book.market.until(cut), weights=book.weights.loc[:cut])
    before, after = known.simulated(bar_by_bar=True), book.simulated(bar_by_bar=True)
    pd.testing.assert_series_equal(before.returns, after.returns.loc[:cut], check_exact=True)
    trades = after.trades[after.trades["timestamp"] <= cut]
    pd.testing.assert_frame_equal(before.trades, trades, check_exact=True)
