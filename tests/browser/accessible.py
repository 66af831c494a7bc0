"""Checks of accessibility for every page."""

from __future__ import annotations

from typing import TYPE_CHECKING

from axe_playwright_python.sync_playwright import Axe

from tests.browser.chromium import WIDE

if TYPE_CHECKING:
    from playwright.sync_api import Page

UNFOLD = "document.querySelectorAll('details').forEach((one) => (one.open = true))"


def assert_accessible(page: Page, *, contrast: bool | None = None) -> None:
    """The page does not overflow, and axe-core reports nothing serious and nothing critical.

    Contrast takes axe four times as long as all else, and no colour depends on the width: it is
    checked at `WIDE` only, unless `contrast` says otherwise.
    """
    page.evaluate(UNFOLD)
    assert page.evaluate("document.documentElement.scrollWidth - innerWidth") <= 0
    if contrast is None:
        contrast = page.evaluate("innerWidth") == WIDE
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": contrast}}}
    found = Axe().run(page, options=options).response["violations"]
    assert [
        (rule["id"], [node["html"][:200] for node in rule["nodes"]])
        for rule in found
        if rule["impact"] in ("serious", "critical")
    ] == []
