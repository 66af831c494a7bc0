"""One browser and one real run for all tests of this folder."""

from __future__ import annotations

import fcntl
import os
from typing import TYPE_CHECKING, Any

import pytest

import engine
from tests.browser.chromium import ARGUMENTS, Tab, program, tab
from tests.pipeline.markets import market, write_strategy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page


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
def shared_dir(tmp_path_factory) -> Path:
    """A folder that all processes of this test run share."""
    shared: Path = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        shared = shared.parent
    shared /= "browser"
    shared.mkdir(exist_ok=True)
    return shared


def run_once(shared_dir: Path, name: str, model: str, overrides: dict[str, Any]) -> engine.Run:
    """A run of the whole pipeline on synthetic bars.

    The first process that needs it computes it; other processes wait for it.
    """
    with (shared_dir / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        found = sorted((shared_dir / "reports" / name).glob("*/manifest.json"))
        if found:
            return engine.Run.open(found[0].parent)
        folder = shared_dir / name
        strategy = write_strategy(folder, market(folder), model)
        return engine.run(
            strategy,
            overrides={"name": name, "evaluation.resamples": 200, **overrides},
            out=shared_dir / "reports",
            home=shared_dir / "home",
            workers=1,
        )


@pytest.fixture(scope="session")
def run(shared_dir: Path) -> engine.Run:
    """A network of two seeds."""
    network = "{kind: lstm, units: [4], lookback: 4}"
    return run_once(shared_dir, "network", network, {"seeds": 2, "training.epochs": 4})


@pytest.fixture(scope="session")
def rival(shared_dir: Path, run: engine.Run) -> engine.Run:  # noqa: ARG001 - one after the other
    """A ridge regression on the same bars."""
    return run_once(
        shared_dir, "regression", "{kind: ridge}", {"benchmarks": [{"kind": "buy_and_hold"}]}
    )


@pytest.fixture(scope="session")
def tabs(browser: Browser) -> Callable[[int, str], Tab]:
    """The tab of each width and colour scheme."""
    opened: dict[tuple[int, str], Tab] = {}

    def of(width: int, scheme: str) -> Tab:
        if (width, scheme) not in opened:
            opened[width, scheme] = tab(browser, width, scheme)
        return opened[width, scheme]

    return of


@pytest.fixture
def sheet(tabs: Callable[[int, str], Tab], run: engine.Run) -> Page:
    """The tearsheet at desktop width, reloaded."""
    return tabs(1440, "light").open(run.run_dir / "tearsheet.html")
