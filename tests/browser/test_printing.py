"""Print to PDF: every section, nothing collapsed, no chart split, and the span shown."""

from __future__ import annotations

import re
import subprocess
import unicodedata
from typing import TYPE_CHECKING

import pytest

from engine.runs.folder import PAGES
from tests.browser.chromium import program

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from playwright.sync_api import Page

    import engine
    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow


@pytest.fixture
def printed(tmp_path: Path) -> Callable[[Page], list[str]]:
    """The text of every sheet of paper in the order of the page, white space left out."""
    pdftotext = program("pdftotext", "poppler-utils")

    def words(page: Page) -> list[str]:
        file = tmp_path / "page.pdf"
        page.pdf(path=file, format="A4", print_background=True)
        shown = subprocess.run(
            [pdftotext, "-raw", file, "-"], check=True, capture_output=True, text=True
        ).stdout
        return [flat(sheet) for sheet in shown.split("\f")]

    return words


def flat(text: str) -> str:
    """Lines break elsewhere on paper, and two letters may be one sign: neither is compared."""
    return re.sub(r"\s+", "", unicodedata.normalize("NFKC", text))


@pytest.mark.parametrize("name", PAGES)
def test_a_print_has_every_heading_and_all_collapsed_text(
    tabs: Callable[[int, str], Tab], run: engine.Run, printed, name: str
) -> None:
    page = tabs(1440, "dark").open(run.run_dir / f"{name}.html")
    headings = [flat(text) for text in page.locator("h1, h2, h3").all_text_contents()]
    folded = page.locator("details p").all_text_contents()
    assert len(headings) > 3
    paper = "".join(printed(page))
    for text in headings + [flat(shown)[:40] for shown in folded]:
        assert text in paper
    assert page.locator("details[open]").count() == 0


def test_the_strategy_is_printed_to_its_last_line(sheet: Page, printed) -> None:
    lines = sheet.locator("details pre").last.text_content()
    assert lines
    paper = "".join(printed(sheet))
    for line in lines.splitlines():
        assert flat(line) in paper


def test_no_chart_is_split_across_pages(sheet: Page, printed) -> None:
    charts = sheet.locator("figure.chart").evaluate_all(
        "all => all.map((one) => [one.querySelector('h3').textContent,"
        " one.querySelector('.across span:last-child').textContent])"
    )
    sheets = printed(sheet)
    assert len(charts) >= 4
    for title, last_label in charts:
        assert any(flat(last_label) in found.partition(flat(title))[2] for found in sheets), title


def test_a_print_shows_the_span_that_the_screen_shows(sheet: Page, printed) -> None:
    sheet.locator("#equity .plot").press("+")
    shown = sheet.locator("#equity .shown").inner_text()
    assert shown.startswith("Shown: ")
    assert flat(shown) in "".join(printed(sheet))


def test_controls_are_not_printed(sheet: Page, printed) -> None:
    paper = "".join(printed(sheet))
    for text in ("Filter trades", "Skip to the content", "Drag across a chart"):
        assert flat(text) not in paper
