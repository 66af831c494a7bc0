"""The section of round trips: table, plot and summary."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics import trade_metrics
from engine.evaluation.metrics.round_trips import round_trip_table
from engine.reporting.tearsheet.trades import MAX_ROWS, trades_section
from tests.reporting.page import Page, altered, section_of

if TYPE_CHECKING:
    from engine.runs.run import Run


@pytest.fixture(scope="module")
def trips(run: Run) -> pd.DataFrame:
    index = pd.DatetimeIndex(run.returns.index)
    return round_trip_table(run.trades, run.bars, index, fill_price="open")


def section(run: Run) -> str:
    return section_of(trades_section(run))


def with_metrics(run: Run, **keys: object) -> Run:
    books = run.metrics.as_dict()["books"]
    own = books["strategy"] | keys.pop("strategy", {})
    return replace(run, metrics=run.metrics | {"books": books | {"strategy": own}} | keys)


@pytest.mark.parametrize(
    ("counts", "sentence"),
    [
        (
            {"orders_waited": 1, "bars_waited": 1, "longest_wait_bars": 1},
            "1 order of the strategy was due where nothing traded (no bar, or a volume of 0) and "
            "waited for a bar with a trade, 1 bar.",
        ),
        (
            {"orders_waited": 3, "bars_waited": 1200, "longest_wait_bars": 1100},
            "3 orders of the strategy were due where nothing traded (no bar, or a volume of 0) "
            "and waited for a bar with a trade, 1,200 bars in all, the longest 1,100.",
        ),
    ],
)
def test_one_line_says_that_orders_waited(run: Run, counts: dict[str, int], sentence: str) -> None:
    text = Page(section(with_metrics(run, strategy=counts))).text
    assert sentence in text.replace("\N{NO-BREAK SPACE}", " ")


def test_no_line_where_no_order_waited_or_a_version_did_not_count(run: Run) -> None:
    none = {"orders_waited": 0, "bars_waited": 0, "longest_wait_bars": 0}
    for counts in (none, dict.fromkeys(none)):
        assert "waited" not in Page(section(with_metrics(run, strategy=counts))).text


def test_one_line_says_that_the_strategy_fell_below_its_maintenance_margin(run: Run) -> None:
    for count, told in ((2, "at 2 closes"), (1, "at 1 close:")):
        text = Page(section(with_metrics(run, strategy={"margin_calls": count}))).text
        assert f"below its maintenance margin {told}" in text.replace("\N{NO-BREAK SPACE}", " ")
    for count in (0, None):
        text = Page(section(with_metrics(run, strategy={"margin_calls": count}))).text
        assert "maintenance margin" not in text


def test_one_line_names_a_symbol_without_volumes(run: Run) -> None:
    symbol = run.manifest.target[0]
    for ignored, told in ((7, True), (0, False)):
        figures = {symbol: {"untraded_bars": 2, "ignored_bars": ignored}}
        text = Page(section(with_metrics(run, zero_volume=figures))).text
        assert (f"{symbol}: 7" in text) == told


def with_trades(run: Run, table: pd.DataFrame) -> Run:
    return altered(run, trades=table)


def test_every_round_trip_is_a_row_that_sorts_by_its_exact_figures(
    run: Run, trips: pd.DataFrame
) -> None:
    page = Page(section(run))
    assert len(trips) > 20
    listed = [
        float(attributes["data-value"])
        for tag, attributes in page.elements
        if tag == "td" and "data-value" in attributes and attributes["data-value"] != "open"
    ]
    figures = ["entry_price", "exit_price", "bars", "return_pct", "pnl_pct", "cost_pct"]
    figures += ["mae_pct", "mfe_pct"]
    expected = trips.sort_values("entry")[figures].to_numpy(dtype=np.float64).ravel()
    assert listed == pytest.approx(expected.tolist(), rel=1e-8)
    (table,) = [attributes for tag, attributes in page.elements if tag == "table"]
    assert "data-sortable" in table
    assert table["data-filter"] == "Filter trades"
    sorts = [found["data-sort"] for _, found in page.elements if "data-sort" in found]
    assert sorts == ["text"] * 4 + ["number"] * 8


def test_winners_and_losers_are_drawn_apart_at_their_excursions(
    run: Run, trips: pd.DataFrame
) -> None:
    page = Page(section(run))
    layers = {layer["key"]: layer for layer in page.charts["excursions"]["layers"]}
    finished = trips[~trips["open"]]
    won = finished["pnl_pct"] > 0
    for key, some in (("won", finished[won]), ("lost", finished[~won])):
        assert sorted(layers[key]["x"]) == pytest.approx(sorted(some["mae_pct"]), rel=1e-6)
        assert sorted(layers[key]["y"]) == pytest.approx(sorted(some["mfe_pct"]), rel=1e-6)
    assert "cornered" in layers["lost"]["css"]
    assert "cornered" not in layers["won"]["css"]


def test_the_win_rate_is_the_hit_rate_of_the_metrics(run: Run) -> None:
    rate = trade_metrics.hit_rate(run.trades)
    text = Page(section(run)).text
    assert rate is not None
    assert re.search(rf"Win rate {100 * rate:.1f}\N{{NO-BREAK SPACE}}%", text)
    assert f"{100 * rate:.1f}\N{NO-BREAK SPACE}% made money after costs" in text


def test_of_many_round_trips_the_largest_are_listed_with_a_note(run: Run) -> None:
    rng = np.random.default_rng(2)
    days = run.returns.index
    count = 2 * (MAX_ROWS + 100)
    bars = np.sort(rng.integers(0, len(days), count))
    many = pd.DataFrame(
        {
            "timestamp": days[bars],
            "book": "strategy",
            "symbol": "SP500",
            "side": np.where(np.arange(count) % 2, "sell", "buy"),
            "size": 1.0,
            "price": 100 + rng.normal(0, 5, count),
            "fee": 0.0,
            "slippage_cost": 0.0,
            "equity": 100.0,
        }
    )
    html = section(with_trades(run, many))
    assert html.count('<th scope="row"') == MAX_ROWS
    assert "1,000 with the largest gain or loss of 1,100 round trips" in Page(html).text
    assert len(html) < 1e6


def test_a_strategy_that_never_traded_has_neither_table_nor_scatter(run: Run) -> None:
    html = section(with_trades(run, run.trades.iloc[:0]))
    assert "The strategy never traded." in html
    assert "<table" not in html
    assert "<figure" not in html


def test_a_position_that_is_never_closed_is_listed_as_open(run: Run) -> None:
    html = section(with_trades(run, run.trades.iloc[:1]))
    assert "1\N{NO-BREAK SPACE}open position" in html
    assert 'data-value="open"' in html


def test_fills_without_equity_in_an_older_folder_have_no_section(run: Run) -> None:
    assert trades_section(with_trades(run, run.trades.drop(columns="equity"))) is None
