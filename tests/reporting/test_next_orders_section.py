"""The tearsheet's table of orders that are due after the last bar."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pandas as pd
import pytest

from engine.reporting.tearsheet.next_orders import next_orders_section
from tests.reporting.small_run import Shape, shown, small_run

if TYPE_CHECKING:
    from engine.runs.run import Run


@pytest.fixture(scope="module")
def run() -> Run:
    """Two symbols whose target weights are the same at the last bars."""
    run = small_run(Shape(symbols=("BTC", "ETH"), tested=402))
    return replace(
        run, manifest=run.manifest | {"dataset": run.manifest.dataset | {"calendar": "24/7"}}
    )


def test_an_order_has_a_row_with_what_is_held_and_what_it_targets(run: Run) -> None:
    last = run.positions["timestamp"] == run.returns.index[-1]
    closed = run.positions["weight"].mask(last & (run.positions["symbol"] == "ETH"), -0.125)
    page = shown(next_orders_section(replace(run, positions=run.positions.assign(weight=closed))))
    assert "Orders due at the next open" in page.text
    figures = page.text.replace("\N{NO-BREAK SPACE}", " ").replace("\N{MINUS SIGN}", "-")
    assert "ETH 2020-11-30 2020-12-01 0.0 % -12.5 % +10.1 bps" in figures
    assert "BTC" not in page.text


def test_an_order_that_waits_for_a_trade_says_for_how_many_bars(run: Run) -> None:
    """The symbol was halted from the fill of its last decision on."""
    last = run.returns.index[-1]
    turned = run.positions.query("book == 'strategy' and symbol == 'ETH'")
    turned = turned.set_index("timestamp")["weight"]
    decided = turned.index[turned.ne(turned.shift())][-1]
    bars = run.bars.copy()
    bars.loc[(bars["symbol"] == "ETH") & (bars["timestamp"] > decided), "volume"] = 0.0
    waited = int((run.returns.index > decided).sum())
    books = {"strategy": {"orders_waited": 1}}
    halted = replace(run, bars=bars, metrics=run.metrics | {"books": books})
    page = shown(next_orders_section(halted))
    due = (last + pd.Timedelta(1, "D")).date()
    assert f"{due}, waited {waited} bars" in page.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "BTC" not in page.text


def test_without_an_order_a_sentence_says_so(run: Run) -> None:
    page = shown(next_orders_section(run))
    assert "No order is due: no target weight of the strategy changed" in page.text
    assert "Decided on" not in page.text
