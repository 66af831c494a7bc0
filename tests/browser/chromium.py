"""Debian's Chromium, and pages in it whose every message and request is kept."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

WIDE, PHONE = 1440, 390
WIDTHS = (WIDE, PHONE)
SCHEMES = ("light", "dark")

# No sandbox, for it cannot be had as root; and nothing of Chromium's own that asks the network.
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def executable() -> str | None:
    """Where Chromium is: $CHROMIUM, or on the path."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


@dataclass
class Tab:
    """One page: what its console and its script said, and what it asked for."""

    page: Page
    said: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)

    def open(self, file: Path) -> Page:
        """Loads a file anew, so that nothing of an earlier test is left."""
        self.said.clear()
        self.asked.clear()
        self.page.goto(file.as_uri())
        return self.page


def tab(browser: Browser, width: int = WIDE, scheme: str = "light", **options: object) -> Tab:
    """A new page of its own context."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    opened = Tab(context.new_page())
    opened.page.on("console", lambda message: opened.said.append(message.text))
    opened.page.on("pageerror", lambda error: opened.said.append(str(error)))
    context.on("request", lambda request: opened.asked.append(request.url))
    return opened
