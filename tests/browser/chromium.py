"""Debian's Chromium, and tabs that record every message and request."""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser, Page

PATIENCE_MS = 10_000
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


def program(name: str, package: str) -> str:
    """Where a program of the system is; $CHROMIUM may name that one.

    Without it the test is skipped, and fails where everything is to be tested.
    """
    path = os.environ.get(name.upper()) or shutil.which(name)
    if path is None:
        reason = f"there is no {name} on the path (Debian: {package})"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    return path


@dataclass
class Tab:
    """One page, with the messages of its console and script and the URLs it requested."""

    page: Page
    messages: list[str] = field(default_factory=list)
    requests: list[str] = field(default_factory=list)

    def open(self, file: Path) -> Page:
        """Loads a file and clears the records."""
        self.messages.clear()
        self.requests.clear()
        self.page.goto(file.as_uri())
        return self.page


def tab(browser: Browser, width: int = WIDE, scheme: str = "light", **options: object) -> Tab:
    """A new page of its own context."""
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, **options
    )
    context.set_default_timeout(PATIENCE_MS)
    opened = Tab(context.new_page())
    opened.page.on("console", lambda message: opened.messages.append(message.text))
    opened.page.on("pageerror", lambda error: opened.messages.append(str(error)))
    context.on("request", lambda request: opened.requests.append(request.url))
    return opened
