"""Return attribution on the tearsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.reporting.tearsheet.attribution import attribution_section
from tests.reporting.page import altered
from tests.reporting.small_run import Shape, shown, small_run

if TYPE_CHECKING:
    from engine.runs.run import Run
    from tests.reporting.page import Page


@pytest.fixture(scope="module")
def small() -> Run:
    return small_run(Shape())


@pytest.fixture(scope="module")
def page(small: Run) -> Page:
    return shown(attribution_section(small))


def drawn(page: Page, plot: str, key: str | None = None) -> dict[str, float]:
    """Name -> figure, of one layer or of all."""
    layers = page.charts[plot]["layers"]
    return {
        name: value
        for layer in layers
        if layer["names"] and key in (None, layer["key"])
        for name, value in zip(layer["names"], layer["y"], strict=True)
    }


def growth(run: Run, book: str = "strategy") -> float:
    return float(100 * np.log1p(run.returns[book]).sum())


def test_contributions_add_up_to_the_log_of_the_growth(small: Run, page: Page) -> None:
    parts = drawn(page, "sources")
    names = {"Long", "Short", "Fees", "Slippage", "Borrowing", "Net"}
    assert set(parts) == names
    net = parts.pop("Net")
    assert net == pytest.approx(growth(small), rel=1e-5)
    assert sum(parts.values()) == pytest.approx(net, rel=1e-4)


@pytest.mark.parametrize("kind", ["volatility", "trend", "years"])
def test_every_grouping_of_the_bars_adds_up_to_the_same_total(
    small: Run, page: Page, kind: str
) -> None:
    for book in ("strategy", "buy_and_hold"):
        parts = drawn(page, f"attribution-{kind}", book)
        assert sum(parts.values()) == pytest.approx(growth(small, book), rel=1e-4)
        assert len(parts) == {"volatility": 3, "trend": 2, "years": 2}[kind]


def test_years_are_the_log_returns_of_their_bars(small: Run, page: Page) -> None:
    logs = np.log1p(small.returns)
    for book in ("strategy", "buy_and_hold"):
        expected = 100 * logs[book].groupby(logs.index.year).sum()
        found = drawn(page, "attribution-years", book)
        assert found == pytest.approx(
            {str(year): each for year, each in expected.items()}, rel=1e-5
        )


def test_the_regime_of_a_bar_is_known_before_its_return_begins(small: Run, page: Page) -> None:
    close = small.bars.set_index("timestamp")["close"]
    past = close.shift() / close.shift(61)
    rising = (past > 1).reindex(small.returns.index)
    logs = 100 * np.log1p(small.returns["strategy"])
    found = drawn(page, "attribution-trend", "strategy")
    assert found["rising"] == pytest.approx(logs[rising].sum(), rel=1e-5)
    assert found["falling"] == pytest.approx(logs[~rising].sum(), rel=1e-5)


def test_beta_and_alpha_are_those_of_least_squares(small: Run, page: Page) -> None:
    beta, intercept = np.polyfit(small.returns["buy_and_hold"], small.returns["strategy"], 1)
    assert f"Beta {beta:.2f}" in page.text
    sign = "+" if intercept > 0 else "\N{MINUS SIGN}"
    assert (
        f"Alpha, annualised {sign}{abs(100 * 365 * intercept):.1f}\N{NO-BREAK SPACE}%" in page.text
    )


def test_time_in_the_market_is_shown_by_side(page: Page) -> None:
    # Seven bars flat, seven long, seven short, in turn; filled a bar later.
    assert "with a long position 33.2" in page.text
    assert "with a short position 33.2" in page.text
    assert "without a position 33.5" in page.text


def test_the_first_sentence_has_gross_costs_and_net(page: Page) -> None:
    parts = drawn(page, "sources")
    gross = parts["Long"] + parts["Short"]
    assert f"{abs(gross):.1f}\N{NO-BREAK SPACE}% of log return before costs" in page.text
    assert f"after costs of {gross - parts['Net']:.1f}\N{NO-BREAK SPACE}%" in page.text


def test_contributions_of_several_symbols_add_up() -> None:
    run = small_run(Shape(symbols=("BTC", "ETH")))
    page = shown(attribution_section(run))
    symbols = drawn(page, "attribution-symbols")
    assert set(symbols) == {"BTC", "ETH"}
    assert sum(symbols.values()) == pytest.approx(growth(run), rel=1e-4)
    states = drawn(page, "attribution-volatility")
    assert sum(states.values()) == pytest.approx(growth(run), rel=1e-4)
    # Buy and hold has no regime where those of the symbols differ.
    (only,) = [
        each["key"] for each in page.charts["attribution-volatility"]["layers"] if each["names"]
    ]
    assert only == "strategy"


def test_a_long_book_has_no_bar_for_shorts_or_borrowing() -> None:
    page = shown(attribution_section(small_run(Shape(sides=(0.0, 1.0), borrow=0.0))))
    assert set(drawn(page, "sources")) == {"Long", "Fees", "Slippage", "Net"}


def test_a_book_without_positions_says_so() -> None:
    page = shown(attribution_section(small_run(Shape(sides=(0.0,)))))
    assert "held no position: there is nothing to attribute." in page.text
    assert drawn(page, "sources")["Net"] == 0.0


def test_a_book_that_is_always_long_has_a_beta_of_one() -> None:
    page = shown(attribution_section(small_run(Shape(sides=(1.0,)))))
    assert "Beta 1.00" in page.text
    assert "interval of alpha \N{EN DASH}" in page.text


def test_a_ruined_book_says_so(small: Run) -> None:
    returns = small.returns.copy()
    returns.iloc[-1, 0] = -1.0
    page = shown(attribution_section(altered(small, returns=returns)))
    assert "The strategy lost all of its equity" in page.text
    assert "Beta" in page.text
    assert page.charts == {}


def test_fills_that_contradict_the_returns_have_a_message_of_their_own(small: Run) -> None:
    dear = small.trades.assign(fee=1.0)
    page = shown(attribution_section(altered(small, trades=dear)))
    assert "The fills of this run do not reproduce its returns" in page.text
    assert page.charts == {}


def test_returns_without_fills_are_named_as_unexplained(small: Run) -> None:
    page = shown(attribution_section(altered(small, returns=small.returns + 0.001)))
    assert "The fills of this run do not explain" in page.text
    assert "The fills of this run" not in shown(attribution_section(small)).text


def test_without_buy_and_hold_only_the_strategy_is_shown(small: Run) -> None:
    page = shown(attribution_section(altered(small, returns=small.returns[["strategy"]])))
    assert "uy and hold" not in page.text
    assert sum(drawn(page, "attribution-years").values()) == pytest.approx(growth(small), rel=1e-4)


@pytest.mark.parametrize(
    "shape",
    [
        Shape(freq="h", bars=900, tested=600),
        Shape(freq="W", bars=300, tested=200),
        Shape(bars=40, tested=21),
        Shape(bars=3, tested=2),
    ],
)
def test_bars_of_any_length_and_number_are_drawn(shape: Shape) -> None:
    run = small_run(shape)
    page = shown(attribution_section(run))
    for kind in ("volatility", "trend", "years"):
        parts = drawn(page, f"attribution-{kind}", "strategy")
        assert sum(parts.values()) == pytest.approx(growth(run), rel=1e-4, abs=1e-6)
