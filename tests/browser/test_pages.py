"""Every page, at desktop and phone width, light and dark: no messages, no requests, accessible."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from engine.runs.folder import PAGES
from tests.browser.accessible import assert_accessible
from tests.browser.chromium import PHONE, SCHEMES, WIDE, WIDTHS, tab

if TYPE_CHECKING:
    from collections.abc import Callable

    from playwright.sync_api import Browser, Page

    import engine
    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow

EVERYWHERE = [
    pytest.param(name, width, scheme, id=f"{name}-{width}-{scheme}")
    for name in PAGES
    for width in WIDTHS
    for scheme in SCHEMES
]


@pytest.mark.parametrize(("name", "width", "scheme"), EVERYWHERE)
def test_a_page_logs_nothing_requests_nothing_and_is_accessible(
    tabs: Callable[[int, str], Tab], run: engine.Run, name: str, width: int, scheme: str
) -> None:
    opened = tabs(width, scheme)
    file = run.run_dir / f"{name}.html"
    page = opened.open(file)
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    assert_accessible(page)
    assert opened.messages == []
    assert [url for url in opened.requests if url not in (file.as_uri(), "data:,")] == []


def test_the_background_follows_the_colour_scheme(
    tabs: Callable[[int, str], Tab], run: engine.Run
) -> None:
    def paper(scheme: str) -> str:
        page = tabs(PHONE, scheme).open(run.run_dir / "tearsheet.html")
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    assert paper("light") == "rgb(255, 255, 255)"
    assert max(int(part) for part in paper("dark")[4:-1].split(",")) < 40


def test_without_script_a_page_is_complete(browser: Browser, run: engine.Run, sheet: Page) -> None:
    plain = tab(browser, WIDE, java_script_enabled=False)
    page = plain.open(run.run_dir / "tearsheet.html")
    with_script = sheet.locator("main").inner_text()
    without = page.locator("main").inner_text()
    for heading in page.locator("h2, h3").all_inner_texts():
        assert heading in with_script
    assert page.locator("h2").count() == sheet.locator("h2").count()
    assert page.locator(".zoom").count() == 0
    assert page.locator(".filter").count() == 0
    assert page.locator(".line").count() == sheet.locator(".line").count()
    assert "Provenance" in without
    page.context.close()


def test_the_first_stop_of_the_keyboard_skips_to_the_content(sheet: Page) -> None:
    sheet.keyboard.press("Tab")
    skip = sheet.locator(":focus")
    assert skip.inner_text() == "Skip to the content"
    box = skip.bounding_box()
    assert box
    assert box["x"] >= 0
    sheet.keyboard.press("Enter")
    assert sheet.evaluate("location.hash") == "#main"
    sheet.keyboard.press("Tab")
    assert sheet.evaluate("document.querySelector('main').contains(document.activeElement)")


def test_every_section_is_in_the_contents_and_the_current_one_is_marked(sheet: Page) -> None:
    links = sheet.locator(".contents a")
    sections = sheet.locator("main > section[id]").evaluate_all("all => all.map((one) => one.id)")
    assert links.evaluate_all("all => all.map((one) => one.hash.slice(1))") == sections
    last = links.nth(len(sections) - 1)
    last.click()
    sheet.wait_for_function(
        "document.querySelector('.contents [aria-current]')?.hash === location.hash"
    )
    box = last.bounding_box()
    assert box
    assert 0 <= box["y"] < 60


def test_with_forced_colours_books_and_charts_are_distinguishable(
    browser: Browser, run: engine.Run
) -> None:
    forced = tab(browser, WIDE, forced_colors="active")
    page = forced.open(run.run_dir / "tearsheet.html")
    button = page.locator("#equity button[data-book='ridge']")
    button.click()
    style = button.evaluate("(one) => getComputedStyle(one).textDecorationLine")
    assert style == "line-through"
    strokes = page.locator("#equity .line").evaluate_all(
        "all => new Set(all.map((one) => getComputedStyle(one).stroke)).size"
    )
    assert strokes >= len(run.returns.columns) - 1
    colour = "(one) => getComputedStyle(one).backgroundColor"
    for drawing, kinds in (
        (".map", ("train", "validation", "test")),
        (".months", ("gain", "loss")),
    ):
        seen = {page.locator(f"{drawing} .{kind}").first.evaluate(colour) for kind in kinds}
        assert len(seen) == len(kinds)
    page.context.close()


def test_reduced_motion_disables_scrolling_and_transitions(
    browser: Browser, run: engine.Run
) -> None:
    still = tab(browser, WIDE, reduced_motion="reduce")
    page = still.open(run.run_dir / "tearsheet.html")
    scrolling = "getComputedStyle(document.documentElement).scrollBehavior"
    assert page.evaluate(scrolling) == "auto"
    durations = page.locator("*").evaluate_all(
        "all => [...new Set(all.map((one) => getComputedStyle(one).transitionDuration))]"
    )
    assert durations == ["0s"]
    page.context.close()


def test_the_verdict_has_minus_signs(sheet: Page, run: engine.Run) -> None:
    said = run.significance["verdict"]["sentence"]
    assert " -" in said
    shown = sheet.locator(".verdict").inner_text()
    assert " -" not in shown
    assert shown.count("\N{MINUS SIGN}") >= said.count(" -")
