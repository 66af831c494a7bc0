"""The index and the comparison of four runs fit the screen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.browser.chromium import WIDTHS
from tests.reporting.sweep_runs import IDS, make_run, write_run
from tests.server.served import serve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser.chromium import Tab

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("served")
    for number in range(4):
        write_run(make_run(number, mean=0.001 * (number % 3)), folder)
    with serve(folder / "home", folder) as url:
        yield url


@pytest.mark.parametrize("width", WIDTHS)
def test_only_tables_are_wider_than_the_screen(
    tabs: Callable[[int, str], Tab], address: str, width: int
) -> None:
    page = tabs(width, "light").page
    for where in ("runs", "runs/compare?" + "&".join(f"run=ridge/{run}" for run in IDS[:4])):
        page.goto(address + where)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
