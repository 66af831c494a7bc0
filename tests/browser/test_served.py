"""The index of all runs and the comparison of two, from the server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
import pytest

from tests.browser import drawn
from tests.browser.accessible import assert_accessible
from tests.browser.chromium import SCHEMES, WIDTHS
from tests.browser.drawn import number
from tests.server.served import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Page

    import engine
    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(shared_dir: Path, run: engine.Run, rival: engine.Run) -> Iterator[str]:
    assert run.run_id != rival.run_id
    with serve(shared_dir / "home", shared_dir / "reports") as url:
        yield url


@pytest.fixture
def index(tabs: Callable[[int, str], Tab], address: str) -> Page:
    page = tabs(1440, "light").page
    page.goto(f"{address}runs")
    return page


@pytest.fixture
def comparison(index: Page) -> Page:
    """The page of the two runs, asked for as a person does."""
    for box in index.get_by_role("checkbox").all():
        box.check()
    index.get_by_role("button", name="Compare the selected runs").click()
    index.wait_for_url("**/compare?**")
    return index


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_both_log_nothing_request_only_their_server_and_are_accessible(
    tabs: Callable[[int, str], Tab],
    address: str,
    run: engine.Run,
    rival: engine.Run,
    width: int,
    scheme: str,
) -> None:
    opened = tabs(width, scheme)
    opened.messages.clear()
    opened.requests.clear()
    both = "&".join(f"run={one.run_dir.parent.name}/{one.run_id}" for one in (run, rival))
    for page in ("runs", f"runs/compare?{both}"):
        opened.page.goto(address + page)
        assert opened.page.locator("table").count() > 0
        assert_accessible(opened.page)
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith((address, "data:,"))] == []


def test_the_index_is_filtered_and_enter_submits_nothing(index: Page, rival: engine.Run) -> None:
    field = index.get_by_role("searchbox")
    field.fill(rival.run_id)
    rows = index.locator("table.index tbody tr:not([hidden])")
    assert rows.count() == 1
    assert "regression" in rows.inner_text()
    assert index.locator(".filter output").inner_text() == "1 of 2"
    field.press("Enter")
    assert index.locator("table.index").count() == 1
    assert "/compare" not in index.url


def test_the_index_sorts_by_sharpe_ratio(index: Page, run: engine.Run, rival: engine.Run) -> None:
    ratios = {one.run_id: one.metrics["books"]["strategy"]["sharpe"] for one in (run, rival)}
    head = index.get_by_role("button", name="Sharpe ratio")
    for sign in (1, -1):
        head.click()
        shown = index.locator("table.index tbody tr").all_inner_texts()
        expected = sorted(ratios, key=lambda one, sign=sign: sign * ratios[one])
        assert [next(one for one in expected if one in text) for text in shown] == expected


def test_a_run_is_opened_from_the_index(index: Page) -> None:
    index.get_by_role("link", name="network").click()
    assert index.locator("h1").inner_text() == "network"
    assert set(drawn.charts(index)) >= {"equity", "drawdown"}


def test_the_comparison_draws_every_run_and_zooms(
    comparison: Page, run: engine.Run, rival: engine.Run
) -> None:
    for key in ("whole", "part"):
        if key == "part":
            comparison.locator("#equity .plot").press("+")
        (panel,) = drawn.charts(comparison)["equity"].panels
        days = run.returns.index
        if key == "part":
            first, _, last = comparison.locator(".zoom .span-text").inner_text().split()
            days = days[
                (days >= pd.Timestamp(first, tz="UTC")) & (days <= pd.Timestamp(last, tz="UTC"))
            ]
        for one in (run, rival):
            growth = (1 + one.returns["strategy"]).cumprod()
            start = growth.loc[days[0]] if key == "part" else 1.0
            found = panel.points(one.run_id)
            inside = found[(found[:, 0] >= 0) & (found[:, 0] <= 1), 1]
            expected = (growth.loc[days] / start).to_numpy()
            assert inside == pytest.approx(expected, rel=panel.resolution)


def test_the_runs_of_a_comparison_sort_by_their_return(
    comparison: Page, run: engine.Run, rival: engine.Run
) -> None:
    table = comparison.locator("#runs table")
    table.get_by_role("button", name="Return").click()
    grown = {
        "network": (1 + run.returns["strategy"]).prod(),
        "regression": (1 + rival.returns["strategy"]).prod(),
    }
    shown = [
        (row.locator("th").inner_text(), number(row.locator("td").nth(2).inner_text().split()[0]))
        for row in table.locator("tbody tr").all()
    ]
    names = [name.split()[0] for name, _ in shown if name.split()[0] in grown]
    assert names == sorted(grown, key=lambda name: grown[name])
    assert [value for _, value in shown] == sorted(value for _, value in shown)
