"""The distribution of returns on the tearsheet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.reporting.tearsheet.distribution import distribution_section
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
    return shown(distribution_section(small))


def layer(page: Page, plot: str, key: str) -> dict:
    (found,) = [each for each in page.charts[plot]["layers"] if each["key"] == key]
    return found


def test_the_histogram_shows_the_share_of_bars_with_a_return_in_each_bin(
    small: Run, page: Page
) -> None:
    for book, key in (("strategy", "strategy"), ("buy_and_hold", "other")):
        percent = 100 * small.returns[book].to_numpy()
        drawn = layer(page, "histogram", key)
        width = drawn["x"][1] - drawn["x"][0]
        for middle, share in zip(drawn["x"], drawn["y"], strict=True):
            inside = np.abs(percent[percent != 0] - middle) <= width / 2
            assert share == pytest.approx(100 * inside.sum() / len(percent), abs=1e-5)
        assert sum(drawn["y"]) == pytest.approx(100 * (percent != 0).mean(), abs=1e-3)


def test_bars_without_a_return_are_counted_in_a_note(small: Run, page: Page) -> None:
    flat = int((small.returns["strategy"] == 0).sum())
    assert flat > 10
    assert f"without a position: Strategy {flat}, Buy and hold" in page.text


def test_a_tail_ends_at_the_worst_bar(small: Run, page: Page) -> None:
    losses = layer(page, "tails", "losses")
    assert losses["x"][0] == pytest.approx(-100 * small.returns["strategy"].min(), rel=1e-6)
    assert losses["y"][0] == pytest.approx(100 / 400)
    assert losses["names"][0] == "1 of 400\N{NO-BREAK SPACE}bars"
    assert layer(page, "tails", "gains")["x"][0] == pytest.approx(
        100 * small.returns["strategy"].max(), rel=1e-6
    )


def test_the_table_has_the_day_of_the_worst_bar_and_the_tail_risk(small: Run, page: Page) -> None:
    mine = small.returns["strategy"]
    worst = f"{100 * abs(mine.min()):.2f}"
    assert f"Worst bar \N{MINUS SIGN}{worst}\N{NO-BREAK SPACE}%" in page.text
    assert f"Day of the worst bar {mine.idxmin():%Y-%m-%d}" in page.text
    shortfall = np.sort(mine.to_numpy())[:20].mean()
    assert (
        f"Expected shortfall, worst 5\N{NO-BREAK SPACE}% of bars \N{MINUS SIGN}"
        f"{100 * abs(shortfall):.2f}\N{NO-BREAK SPACE}%" in page.text
    )


def test_the_findings_show_the_tail_loss_and_the_outliers(small: Run, page: Page) -> None:
    mine = np.sort(small.returns["strategy"].to_numpy())
    assert (
        f"strategy's bars lost {-100 * mine[19]:.2f}\N{NO-BREAK SPACE}% or more, "
        f"{-100 * mine[:20].mean():.2f}\N{NO-BREAK SPACE}% on average" in page.text
    )
    beyond = (mine < mine.mean() - 3 * mine.std(ddof=1)).sum()
    assert f"{beyond} bars were worse than 3 standard deviations" in page.text


def test_a_book_without_positions_has_a_section_that_says_so(small: Run) -> None:
    returns = small.returns.assign(strategy=0.0)
    found = shown(distribution_section(altered(small, returns=returns)))
    assert "held no position: every bar has a return of 0." in found.text
    assert "they have no tails" in found.text
    assert layer(found, "tails", "losses")["x"] == []


def test_without_buy_and_hold_only_the_strategy_is_shown(small: Run) -> None:
    found = shown(distribution_section(altered(small, returns=small.returns[["strategy"]])))
    assert "Buy and hold" not in found.text
    assert sum(layer(found, "histogram", "strategy")["y"]) > 10


@pytest.mark.parametrize("bars", [2, 5, 20])
def test_few_bars_are_drawn(small: Run, bars: int) -> None:
    found = shown(distribution_section(altered(small, returns=small.returns.iloc[10 : 10 + bars])))
    assert set(found.charts) == {"histogram", "tails"}


def test_a_single_bar_has_no_section(small: Run) -> None:
    assert distribution_section(altered(small, returns=small.returns.iloc[:1])) is None


def test_hourly_bars_are_shown_with_their_hour() -> None:
    hourly = small_run(Shape(freq="h"))
    at = pd.Timestamp(hourly.returns["strategy"].idxmin())
    assert f"{at:%Y-%m-%d %H:%M}" in shown(distribution_section(hourly)).text
