"""The index of all runs as a person uses it: searched, sorted, ticked, compared."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from engine.reporting.index import Server
from tests.reporting.family import IDS, member, written

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow

ROWS = "#index tbody tr:not([hidden])"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("served")
    for number in range(4):
        written(member(number, mean=0.001 * (number % 3)), place)
    server = Server(place)
    thread = threading.Thread(target=server.serve)
    thread.start()
    yield server.address
    server.close()
    thread.join(timeout=10)


@pytest.fixture
def shown(tabs: Callable[[int, str], Tab], address: str) -> Iterator[Page]:
    """The index; at the end nothing was said, and nobody else was asked."""
    opened = tabs(1440, "light")
    opened.said.clear()
    opened.asked.clear()
    opened.page.goto(address)
    yield opened.page
    assert opened.said == []
    assert {url for url in opened.asked if not url.startswith((address, "data:"))} == set()


def test_the_runs_are_searched_sorted_ticked_and_compared(shown: Page) -> None:
    shown.get_by_label("Search names").fill(f"ridge {IDS[1]}")
    assert shown.locator(ROWS).count() == 1
    shown.get_by_label("Search names").fill("")
    sharpe = shown.get_by_role("button", name="Sharpe ratio")
    sharpe.click()
    values = shown.locator(f"{ROWS} td:nth-child(5)").evaluate_all(
        "(cells) => cells.map((cell) => Number(cell.dataset.value))"
    )
    assert values == sorted(values)
    assert len(values) == 4
    for run in (IDS[2], IDS[0]):
        shown.get_by_label(f"Compare ridge {run}").check()

    shown.get_by_role("button", name="Compare the ticked runs").click()

    shown.wait_for_url("**/compare?*")
    assert shown.get_by_role("heading", level=1).inner_text() == "2\N{NO-BREAK SPACE}runs compared"
    lines = shown.locator("#equity path[data-line]")
    assert lines.count() == 3
    toggle = shown.locator("#equity button[data-book]").first
    toggle.click()
    assert lines.evaluate_all("(all) => all.filter((one) => one.checkVisibility()).length") == 2
    shown.locator("#runs a").first.click()
    assert shown.get_by_role("heading", level=1).inner_text() == "ridge"


@pytest.mark.parametrize("width", [1440, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_the_screen_or_hard_to_read(
    tabs: Callable[[int, str], Tab], address: str, width: int, scheme: str
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = tabs(width, scheme).page
    compared = f"{address}compare?" + "&".join(f"run=ridge/{run}" for run in IDS[:4])
    for where in (address, compared):
        page.goto(where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        found = Axe().run(page, options={"resultTypes": ["violations"]}).response["violations"]
        serious = [fault["id"] for fault in found if fault["impact"] in {"serious", "critical"}]
        assert serious == []
