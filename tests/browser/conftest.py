"""One browser and one real run for all tests of this folder."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING

import pytest

import engine
from tests.browser.chromium import ARGUMENTS, Tab, program, tab
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

NETWORK = "{kind: lstm, units: [4], lookback: 4}"
OVERRIDES = {"seeds": 2, "training.epochs": 4, "evaluation.resamples": 200}


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium, once."""
    from playwright.sync_api import sync_playwright

    found = program("chromium", "chromium")
    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(executable_path=found, args=ARGUMENTS)
        yield opened
        opened.close()


@pytest.fixture(scope="session")
def run(tmp_path_factory) -> engine.Run:
    """A network of two seeds on made-up bars, through the whole pipeline.

    Made by the first process that asks; the others, if there are any, wait for it.
    """
    place: Path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        place = place.parent
    place /= "browser"
    place.mkdir(exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        made = sorted((place / "reports").glob("small/*/manifest.json"))
        if made:
            return engine.Run.open(made[0].parent)
        strategy = write_strategy(place, market(place / "market"), NETWORK)
        return engine.run(
            strategy, overrides=OVERRIDES, out=place / "reports", home=place / "home"
        )


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Callable[[int, str], Tab]:
    """The tab of a width and a colour scheme, the same each time."""
    opened: dict[tuple[int, str], Tab] = {}

    def of(width: int, scheme: str) -> Tab:
        if (width, scheme) not in opened:
            opened[width, scheme] = tab(browser, width, scheme)
        return opened[width, scheme]

    return of


@pytest.fixture
def sheet(tabs: Callable[[int, str], Tab], run: engine.Run) -> Page:
    """The tearsheet on a desk, loaded anew."""
    return tabs(1440, "light").open(run.run_dir / "tearsheet.html")
