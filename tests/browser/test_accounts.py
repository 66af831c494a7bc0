"""The pages of paper accounts in a browser: they change with the journal, or say why not."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import numpy as np
import pandas as pd
import pytest

from engine.live.journal.file import journal_path
from tests.browser import drawn
from tests.browser.accessible import assert_accessible
from tests.browser.chromium import SCHEMES, tab
from tests.reporting.sweep_runs import make_run, write_run
from tests.server.accounts import clock_after, decide_bars, record_event, start_account
from tests.server.served import serve

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.slow

WIDTHS = (1280, 375)
BARS = 30


@pytest.fixture
def home(tmp_path: Path) -> Path:
    start_account(tmp_path)
    decide_bars(tmp_path, "ridge", 0, BARS)
    record_event(tmp_path, "ridge", "late", 3, bars=1, newest_delay_s=92.0)
    start_account(tmp_path, "waiting")
    start_account(tmp_path, "many", strategy="cnn_lstm", capital=2_500_000.0)
    weights = {f"COIN{number}-USD": 0.1 * (-1) ** number for number in range(12)}
    decide_bars(tmp_path, "many", 0, 3, weights=weights)
    write_run(make_run(0), tmp_path / "reports")
    return tmp_path


@pytest.fixture
def address(home: Path) -> Iterator[str]:
    with serve(home, home / "reports", clock=clock_after(BARS)) as url:
        yield url


@pytest.fixture
def opened(browser: Browser) -> Iterator[Page]:
    """A tab of its own: one that is left open would ask for a server that is gone."""
    page = tab(browser).page
    yield page
    page.context.close()


@pytest.fixture
def page(opened: Page, address: str) -> Page:
    opened.goto(f"{address}accounts/ridge")
    opened.locator("#live-status.live").wait_for()
    return opened


@pytest.mark.parametrize("scheme", SCHEMES)
@pytest.mark.parametrize("width", WIDTHS)
def test_every_page_is_accessible_fits_the_screen_and_loads_from_its_server_alone(
    browser: Browser, address: str, width: int, scheme: str
) -> None:
    both = tab(browser, width, scheme)
    for path in ("", "accounts/ridge", "accounts/many", "accounts/waiting", "runs", "nothing"):
        both.page.goto(address + path)
        assert_accessible(both.page, contrast=width == WIDTHS[0])
    assert [message for message in both.messages if "404" not in message] == []
    assert [url for url in both.requests if not url.startswith((address, "data:,"))] == []
    both.page.context.close()


def test_a_new_bar_appears_without_a_reload(page: Page, home: Path) -> None:
    page.evaluate("window.notReloaded = true")
    assert page.locator("#decisions th", has_text="2026-04-01").count() == 0

    decide_bars(home, "ridge", BARS, BARS + 1)

    page.locator("#decisions th", has_text="2026-04-01").wait_for()
    assert f"{BARS + 1}\N{NO-BREAK SPACE}decisions" in page.locator("#decisions").inner_text()
    (panel,) = drawn.charts(page)["equity"].panels
    assert sum(value is not None for value in panel.values("account")) == BARS + 1
    assert page.evaluate("window.notReloaded") is True


def test_a_new_account_appears_among_the_others(opened: Page, address: str, home: Path) -> None:
    opened.goto(address)
    assert opened.locator(".cards .card").count() == 3

    start_account(home, "another")

    opened.get_by_role("link", name="another").wait_for()
    assert opened.locator(".cards .card").count() == 4


def test_the_chart_is_that_of_the_journal_and_its_cone_is_drawn(page: Page) -> None:
    (panel,) = drawn.charts(page)["equity"].panels

    points = panel.points("account")
    known = [value for value in panel.values("account") if value is not None]
    assert points[:, 1] == pytest.approx(np.array(known), rel=2 * panel.resolution)
    assert points[0, 0] == 0.0
    box = page.locator("[data-area]").bounding_box()
    assert box["width"] > 500
    assert box["height"] > 50


def test_a_zoomed_chart_keeps_its_cone(page: Page) -> None:
    page.locator("#equity .plot").press("+")

    assert page.locator("#equity.zoomed").count() == 1
    assert page.locator("[data-area]").get_attribute("d").startswith("M")
    assert page.locator("[data-area]").bounding_box()["height"] > 20


def test_a_chart_that_is_looked_at_stays_and_is_drawn_again_afterwards(
    page: Page, home: Path
) -> None:
    page.locator("#equity .plot").focus()
    decide_bars(home, "ridge", BARS, BARS + 1)
    page.locator("#decisions th", has_text="2026-04-01").wait_for()
    assert "30\N{NO-BREAK SPACE}bars" in page.locator("#equity figcaption").inner_text()

    page.evaluate("document.activeElement.blur()")
    decide_bars(home, "ridge", BARS + 1, BARS + 2)

    page.locator("#equity figcaption", has_text="32\N{NO-BREAK SPACE}bars").wait_for()


def test_a_lost_connection_is_told_with_its_time(opened: Page, home: Path) -> None:
    with serve(home, home / "reports", clock=clock_after(BARS)) as url:
        opened.goto(url)
        opened.locator("#live-status.live").wait_for()
        assert opened.locator("#connection").is_hidden()
    opened.locator("#live-status.lost").wait_for()

    told = opened.locator("#connection").inner_text()

    now = pd.Timestamp.now("UTC")
    assert "connection to the server was lost at" in told
    assert "gets older" in told
    assert any(
        (now - pd.Timedelta(seconds=past)).strftime("%H:%M:%S UTC") in told for past in range(60)
    )


def test_a_server_that_comes_back_is_found_and_the_page_is_new(opened: Page, home: Path) -> None:
    port = 0
    for bars in (BARS, BARS + 1):
        with serve(home, home / "reports", clock=clock_after(bars), port=port) as url:
            if not port:
                opened.goto(f"{url}accounts/ridge")
            opened.locator("#live-status.live").wait_for()
            opened.locator("#decisions p", has_text=f"of {bars}").wait_for()
            port = urlsplit(url).port or 0
        opened.locator("#live-status.lost").wait_for()
        decide_bars(home, "ridge", bars, bars + 1)


def test_a_journal_that_is_damaged_while_the_page_is_open_is_told_on_it(
    opened: Page, address: str, home: Path
) -> None:
    opened.goto(address)
    opened.locator("#live-status.live").wait_for()

    for part in journal_path(home).parent.glob("journal.sqlite*"):
        part.unlink()
    journal_path(home).write_bytes(b"no database" * 1_000)

    opened.get_by_text("The journal of paper accounts cannot be read").wait_for()
    assert opened.locator(".cards").count() == 0


def test_it_prints_without_its_controls(page: Page) -> None:
    page.emulate_media(media="print")

    assert page.locator("#live-status").is_hidden()
    assert page.locator("#connection").is_hidden()
    assert page.locator("#equity").is_visible()
