"""The tearsheet of several symbols in a browser: accessible, searched, and its tooltips."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.reporting.tearsheet import render_tearsheet
from tests.browser.accessible import assert_accessible
from tests.browser.chromium import PHONE, WIDE
from tests.reporting.universe_run import universe_run

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow

OTHER_SECTIONS_AWAY = (
    "document.querySelectorAll('main > section:not(#universe)').forEach((one) => one.remove())"
)


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Number of symbols -> the tearsheet."""
    folder = tmp_path_factory.mktemp("universes")
    groups = {"first": ["SYM000", "SYM001"], "second": ["SYM002", "SYM003"]}
    written = {}
    for symbols in (4, 30):
        written[symbols] = folder / f"{symbols}.html"
        written[symbols].write_text(render_tearsheet(universe_run(symbols, 120, groups)))
    return written


@pytest.mark.parametrize(
    ("symbols", "width", "scheme"),
    [(4, WIDE, "light"), (30, WIDE, "dark"), (4, PHONE, "dark"), (30, PHONE, "light")],
)
def test_it_logs_nothing_and_is_accessible(
    tabs: Callable[[int, str], Tab], pages: dict[int, Path], symbols: int, width: int, scheme: str
) -> None:
    opened = tabs(width, scheme)
    page = opened.open(pages[symbols])
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    # The other sections are checked on the page of a run.
    page.evaluate(OTHER_SECTIONS_AWAY)
    assert_accessible(page)
    assert opened.messages == []
    assert [url for url in opened.requests if not url.startswith(("file:", "data:"))] == []


def test_a_symbol_is_searched_and_figures_are_sorted(
    tabs: Callable[[int, str], Tab], pages: dict[int, Path]
) -> None:
    page = tabs(WIDE, "light").open(pages[30])
    table = page.locator("#universe table[data-filter]")
    rows = table.locator("tbody tr:not([hidden])")
    assert rows.count() == 30
    page.get_by_label("Search symbols").fill("sym01")
    assert rows.locator("th").all_inner_texts() == [f"SYM{each:03d}" for each in range(10, 20)]
    table.get_by_role("button", name="After costs").click()
    found = [
        float(text.replace("\N{MINUS SIGN}", "-").split()[0])
        for text in rows.locator("td:nth-child(2)").all_inner_texts()
    ]
    assert found == sorted(found)


def test_the_tooltip_of_the_stack_has_the_weights_and_not_its_edges(
    tabs: Callable[[int, str], Tab], pages: dict[int, Path]
) -> None:
    page = tabs(WIDE, "light").open(pages[4])
    page.locator("#weights .plot").hover()
    rows = page.locator("#tip div").all_inner_texts()
    assert [each.split()[0] for each in rows] == ["SYM000", "SYM001", "SYM002", "SYM003"]
