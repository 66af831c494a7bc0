"""Figures that the charts have drawn, compared with the tables of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from tests.browser import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import engine

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def charts(tabs, run: engine.Run) -> dict[str, drawn.Chart]:
    return drawn.charts(tabs(1440, "light").open(run.run_dir / "tearsheet.html"))


def assert_drawn(panel: drawn.Panel, key: str, expected: pd.Series) -> None:
    """A point a bar, from the first to the last, each where the axis puts its figure."""
    found = panel.points(key)
    assert len(found) == len(expected)
    index = pd.DatetimeIndex(expected.index).as_unit("s").asi8
    positions = (index - index[0]) / (index[-1] - index[0])
    assert found[:, 0] == pytest.approx(positions, abs=1e-4)
    relative = panel.data["scale"]["log"]
    limits = {"rel" if relative else "abs": panel.resolution}
    assert found[:, 1] == pytest.approx(expected.to_numpy(), **limits)


def test_the_equity_of_every_book_is_drawn_as_the_product_of_its_returns(
    charts: dict[str, drawn.Chart], run: engine.Run
) -> None:
    (panel,) = charts["equity"].panels
    assert set(panel.paths) == set(run.returns.columns)
    for book in run.returns:
        assert_drawn(panel, book, (1 + run.returns[book]).cumprod())


def test_the_drawdown_of_every_book_is_drawn_from_its_highest_equity(
    charts: dict[str, drawn.Chart], run: engine.Run
) -> None:
    (panel,) = charts["drawdown"].panels
    for book in run.returns:
        growth = (1 + run.returns[book]).cumprod()
        assert_drawn(panel, book, 100 * (growth / growth.cummax().clip(lower=1) - 1))


def test_positions_are_drawn_under_the_closes_of_their_bars(
    charts: dict[str, drawn.Chart], run: engine.Run
) -> None:
    price, weight = charts["positions-0"].panels
    symbol = run.manifest["target"][0]
    close = run.bars[run.bars["symbol"] == symbol].set_index("timestamp")["close"]
    assert_drawn(price, "close", close.loc[run.returns.index])
    mine = run.positions.query("book == 'strategy' and symbol == @symbol")["weight"].to_numpy()
    steps = drawn.points(weight.areas[0])
    assert weight.read(steps[[0, -1], 1]) == pytest.approx([0, 0], abs=weight.resolution)
    index = run.returns.index.as_unit("s").asi8
    positions = np.rint(drawn.EXTENT * (index - index[0]) / (index[-1] - index[0]))
    # Each weight lasts until the next bar: at a bar, the last of the points that are not later.
    held = steps[1:-1][np.searchsorted(steps[1:-1, 0], positions, side="right") - 1, 1]
    assert weight.read(held) == pytest.approx(mine, abs=weight.resolution)


def test_every_line_of_every_chart_goes_through_the_figures_of_its_data(
    charts: dict[str, drawn.Chart],
) -> None:
    lines = 0
    for chart in charts.values():
        for panel in chart.panels:
            for key in panel.paths:
                shown = np.array(panel.values(key), dtype=float)
                found = panel.points(key)[:, 1]
                known = shown[np.isfinite(shown)]
                limit = panel.resolution * (known if panel.data["scale"]["log"] else 1)
                assert len(found) == len(known), (chart.key, key)
                assert (np.abs(found - known) <= limit).all(), (chart.key, key)
                lines += 1
    assert lines > 3 * 5


def test_every_chart_has_the_bars_of_the_run(
    charts: dict[str, drawn.Chart], run: engine.Run
) -> None:
    expected = run.returns.index.as_unit("s").asi8.tolist()
    assert {"equity", "drawdown", "positions-0", "rolling-sharpe"} <= set(charts)
    for chart in charts.values():
        assert chart.seconds.tolist() == expected


@pytest.mark.parametrize("where", [".window", "table"])
def test_the_loss_curves_of_every_fit_are_drawn(sheet: Page, run: engine.Run, where: str) -> None:
    found = sheet.locator(f"{where} .curves").evaluate_all(
        "all => all.map(one => [...one.querySelectorAll('path')].map(p => p.getAttribute('d')))"
    )
    assert len(found) == len(run.manifest["windows"])
    for window, curves in zip(run.manifest["windows"], found, strict=True):
        losses = [
            fit[f"{part}_loss"] for fit in window["fits"] for part in ("train", "validation")
        ]
        down = [drawn.points(path)[:, 1] for path in curves]
        assert [len(one) for one in down] == [len(one) for one in losses]
        # One axis for all of a window: heights are the losses, shifted and stretched.
        shown, heights = np.concatenate(losses), np.concatenate(down)
        slope, start = np.polyfit(shown, heights, 1)
        assert slope < 0
        assert slope * shown + start == pytest.approx(heights, abs=1)


def test_the_pointer_shows_the_figures_of_the_nearest_bar(sheet: Page, run: engine.Run) -> None:
    plot = sheet.locator("#equity .plot")
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    row = 100
    index = run.returns.index.as_unit("s").asi8
    share = (index[row] - index[0]) / (index[-1] - index[0])
    sheet.mouse.move(box["x"] + share * box["width"], box["y"] + 50)
    shown = sheet.locator("#tip").inner_text()
    assert str(run.returns.index[row].date()) in shown
    for book in run.returns:
        growth = (1 + run.returns[book]).cumprod().iloc[row]
        assert f"{growth:.3f}\N{MULTIPLICATION SIGN}" in shown


def test_arrow_keys_move_the_pointer_bar_by_bar(sheet: Page, run: engine.Run) -> None:
    plot = sheet.locator("#drawdown .plot")
    plot.focus()
    plot.press("Home")
    assert str(run.returns.index[0].date()) in sheet.locator("#tip").inner_text()
    plot.press("ArrowRight")
    assert str(run.returns.index[1].date()) in sheet.locator("#tip").inner_text()
    plot.press("End")
    assert str(run.returns.index[-1].date()) in sheet.locator("#tip").inner_text()
    plot.press("Escape")
    assert sheet.locator("#tip").is_hidden()
