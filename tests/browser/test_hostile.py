"""A run with hostile names raises no dialog, runs no script of theirs, and asks for nothing."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from engine.reporting.significance import render_significance
from engine.reporting.tearsheet import render_tearsheet
from tests.browser.chromium import WIDE, tab
from tests.reporting.page import changed

if TYPE_CHECKING:
    from pathlib import Path

    from playwright.sync_api import Browser

    import engine

pytestmark = pytest.mark.slow

HOSTILE = (
    "</script></title></style><img src=x onerror=alert(1)><script>alert(2)</script>"
    "\"'`${alert(3)}{{ 7 * 7 }}<svg onload=alert(4)>"
)


@pytest.fixture(scope="module")
def hostile(run: engine.Run) -> engine.Run:
    """The run under other names: strategy, symbols, a book, the dataset, the verdict."""
    symbol = run.manifest["target"][0]
    renamed = {"symbol": {symbol: HOSTILE}}
    facts = run.manifest["dataset"]["symbols"]
    manifest = {
        "strategy_name": HOSTILE,
        "command": HOSTILE,
        "target": [HOSTILE],
        "inputs": [HOSTILE],
        "dataset": run.manifest["dataset"]
        | {"name": HOSTILE, "note": HOSTILE, "notices": [HOSTILE]}
        | {"symbols": {HOSTILE: facts[symbol] | {"source": HOSTILE}}},
    }
    return changed(
        dataclasses.replace(
            run,
            bars=run.bars.replace(renamed),
            positions=run.positions.replace(renamed),
            trades=run.trades.replace(renamed),
            predictions=run.predictions.replace(renamed),
            returns=run.returns.assign(**{HOSTILE: 0.0}),
        ),
        manifest=manifest,
        significance={"verdict": run.significance["verdict"] | {"sentence": HOSTILE}},
    )


@pytest.mark.parametrize("make", [render_tearsheet, render_significance])
def test_hostile_names_are_text(
    browser: Browser, hostile: engine.Run, tmp_path: Path, make
) -> None:
    file = tmp_path / "page.html"
    file.write_text(make(hostile), encoding="utf-8")
    opened = tab(browser, WIDE)
    dialogs: list[str] = []
    opened.page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    page = opened.open(file)
    page.evaluate("document.querySelectorAll('details').forEach((one) => (one.open = true))")
    page.evaluate("document.querySelectorAll('main button').forEach((one) => one.click())")
    for plot in page.locator(".plot").all():
        plot.press("End")
    assert page.locator("img, iframe, object").count() == 0
    assert HOSTILE in page.locator("h1").inner_text()
    assert (dialogs, opened.messages) == ([], [])
    assert [url for url in opened.requests if url not in (file.as_uri(), "data:,")] == []
    page.context.close()
