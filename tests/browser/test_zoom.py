"""The span of all charts over time: how it is changed, and what is drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.reporting.charts.axes import linear_axis, log_axis, time_axis
from tests.browser import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import engine

pytestmark = pytest.mark.slow


def shown(page: Page) -> tuple[str, str]:
    """The span in the bar of buttons: first and last day."""
    first, _, last = page.locator(".zoom .span-text").first.inner_text().split()[-3:]
    return first, last


def drag(page: Page, chart: str, start: float, end: float) -> None:
    """Drags the pointer across the first plot of a chart, between fractions of its width."""
    plot = page.locator(f"#{chart} .plot").first
    plot.scroll_into_view_if_needed()
    box = plot.bounding_box()
    assert box
    page.mouse.move(box["x"] + start * box["width"], box["y"] + 40)
    page.mouse.down()
    page.mouse.move(box["x"] + (start + end) / 2 * box["width"], box["y"] + 60)
    page.mouse.move(box["x"] + end * box["width"], box["y"] + 50)
    page.mouse.up()


def rows_of(run: engine.Run, page: Page) -> slice:
    """The rows of the span that is text."""
    first, last = (pd.Timestamp(day, tz="UTC") for day in shown(page))
    days = run.returns.index
    return slice(int(days.searchsorted(first)), int(days.searchsorted(last)) + 1)


def expected_equity(run: engine.Run, rows: slice) -> pd.DataFrame:
    """Each book at 1 on the first bar shown."""
    growth = (1 + run.returns).cumprod()
    return growth.iloc[rows] / (growth.iloc[rows.start] if rows.start else 1.0)


def assert_shows(page: Page, run: engine.Run, *, books: list[str] | None = None) -> None:
    """Every chart shows the span text, its points are those of the bars, and so are its axes."""
    rows = rows_of(run, page)
    index = run.returns.index[rows]
    books = books or list(run.returns)
    growth = (1 + run.returns).cumprod()
    below = (100 * (growth / growth.cummax().clip(lower=1) - 1)).iloc[rows]
    equity = expected_equity(run, rows)
    charts = drawn.charts(page)
    time = time_axis(index[0], index[-1])
    for chart in charts.values():
        assert chart.across == [(tick.label, pytest.approx(tick.position, abs=2e-3))
                                for tick in time.ticks]  # fmt: skip
        for panel in chart.panels:
            for key in panel.paths:
                if not panel.data["scale"]["rebased"]:
                    text = np.array(panel.values(key)[rows], dtype=float)
                    assert_seen(panel, key, text[np.isfinite(text)])
    for key, table in (("equity", equity), ("drawdown", below)):
        (panel,) = charts[key].panels
        assert set(panel.paths) == set(books)
        for book in books:
            assert_inside(panel, book, table[book])
    low, high = equity[books].to_numpy().min(), equity[books].to_numpy().max()
    assert_axis(charts["equity"].panels[0], log_axis(min(low, 1.0), max(high, 1.0)).ticks)
    lowest = min(-1.0, below[books].to_numpy().min())
    assert_axis(charts["drawdown"].panels[0], linear_axis(lowest, 0.0, ticks=4).ticks)


def assert_axis(panel: drawn.Panel, ticks: tuple) -> None:
    assert panel.up == [(tick.label, pytest.approx(tick.position, abs=5e-3)) for tick in ticks]


def assert_inside(panel: drawn.Panel, key: str, expected: pd.Series) -> None:
    """The points within the plot are those of the bars."""
    across = assert_seen(panel, key, expected.to_numpy())
    index = expected.index.as_unit("s").asi8
    assert across == pytest.approx((index - index[0]) / (index[-1] - index[0]), abs=1e-4)


def assert_seen(panel: drawn.Panel, key: str, figures: np.ndarray) -> np.ndarray:
    """Points within the plot stand at these figures; at most one more lies on either side."""
    if not panel.paths[key]:
        assert not len(figures)
        return figures
    found = panel.points(key)
    inside = found[(found[:, 0] >= 0) & (found[:, 0] <= 1)]
    assert len(found) - len(inside) <= 2
    assert len(inside) == len(figures)
    limits = {"rel" if panel.data["scale"]["log"] else "abs": panel.resolution}
    assert inside[:, 1] == pytest.approx(figures, **limits)
    return inside[:, 0]


def test_a_drag_across_one_chart_zooms_all_of_them(sheet: Page, run: engine.Run) -> None:
    before = drawn.charts(sheet)
    drag(sheet, "equity", 0.3, 0.6)
    days = run.returns.index
    first, last = (pd.Timestamp(day, tz="UTC") for day in shown(sheet))
    length = (days[-1] - days[0]).days
    assert (first - days[0]).days / length == pytest.approx(0.3, abs=0.01)
    assert (last - days[0]).days / length == pytest.approx(0.6, abs=0.01)
    assert_shows(sheet, run)
    after = drawn.charts(sheet)
    for key, chart in before.items():
        assert after[key].across != chart.across
    assert after["positions-0"].panels[0].up != before["positions-0"].panels[0].up


def test_the_span_is_shown_as_text_and_in_every_chart(sheet: Page) -> None:
    drag(sheet, "drawdown", 0.2, 0.4)
    first, last = shown(sheet)
    assert f"{first} to {last} shown" in sheet.locator("#span-status").inner_text()
    assert sheet.locator("#span-status").get_attribute("role") == "status"
    for said in sheet.locator("figure[data-chart] .shown").all_inner_texts():
        assert said == f"Shown: {first} to {last}."
    # Beside the whole span, so that it is not taken for the span of a sentence about all of it.
    assert sheet.locator(".span + .shown").count() == len(drawn.charts(sheet))
    label = sheet.locator("#equity .axis-label").inner_text()
    assert label == f"equity, 1 at {first}"


@pytest.mark.parametrize("how", ["double click", "button", "0", "Escape"])
def test_zooming_out_restores_the_original_chart(sheet: Page, how: str) -> None:
    before = drawn.charts(sheet)
    drag(sheet, "equity", 0.5, 0.7)
    plot = sheet.locator("#equity .plot")
    if how == "double click":
        plot.dblclick()
    elif how == "button":
        sheet.get_by_role("button", name="Whole span").first.click()
    else:
        sheet.mouse.move(0, 0)
        plot.press(how)
    after = drawn.charts(sheet)
    for key, chart in before.items():
        for one, other in zip(chart.panels, after[key].panels, strict=True):
            assert (one.up, one.label) == (other.up, other.label)
            for line, path in one.paths.items():
                assert np.abs(drawn.points(path) - drawn.points(other.paths[line])).max() <= 1
            for area, path in enumerate(one.areas):
                assert np.abs(drawn.points(path) - drawn.points(other.areas[area])).max() <= 1
        assert chart.across == after[key].across
    assert not any(sheet.locator("figure[data-chart] .shown").all_inner_texts())


def test_keys_zoom_in_move_and_zoom_out(sheet: Page, run: engine.Run) -> None:
    plot = sheet.locator("#drawdown .plot")
    everything = rows_of(run, sheet)
    plot.press("+")
    half = rows_of(run, sheet)
    bars = half.stop - half.start
    assert bars == pytest.approx((everything.stop - everything.start) / 2, abs=2)
    assert_shows(sheet, run)
    plot.press("Shift+ArrowRight")
    moved = rows_of(run, sheet)
    assert moved.start - half.start == pytest.approx(bars / 4, abs=2)
    assert moved.stop - moved.start == pytest.approx(bars, abs=1)
    assert_shows(sheet, run)
    plot.press("-")
    plot.press("-")
    assert rows_of(run, sheet) == everything


def test_the_pointer_stays_within_the_span_and_shows_what_is_drawn(
    sheet: Page, run: engine.Run
) -> None:
    drag(sheet, "equity", 0.4, 0.6)
    plot, rows = sheet.locator("#equity .plot"), rows_of(run, sheet)
    plot.press("End")
    text = sheet.locator("#tip").inner_text()
    assert str(run.returns.index[rows.stop - 1].date()) in text
    equity = expected_equity(run, rows)["strategy"].iloc[-1]
    assert f"{equity:.3f}\N{MULTIPLICATION SIGN}" in text
    plot.press("ArrowRight")
    assert sheet.locator("#tip").inner_text() == text


def test_presets_show_the_latest_months_and_are_parts_of_the_span(
    sheet: Page, run: engine.Run
) -> None:
    buttons = sheet.locator(".zoom").first.locator(".presets button")
    assert buttons.all_inner_texts() == ["1M", "3M"]
    buttons.nth(1).click()
    days = run.returns.index
    first, last = (pd.Timestamp(day, tz="UTC") for day in shown(sheet))
    assert last == days[-1]
    assert (last - first).days == pytest.approx(91, abs=1)
    assert buttons.nth(1).get_attribute("aria-pressed") == "true"
    assert_shows(sheet, run)


def test_one_notch_of_the_wheel_with_ctrl_zooms_around_the_pointer(
    sheet: Page, run: engine.Run
) -> None:
    plot = sheet.locator("#equity .plot")
    plot.hover()
    everything = rows_of(run, sheet)
    sheet.keyboard.down("Control")
    sheet.mouse.wheel(0, -100)
    sheet.keyboard.up("Control")
    sheet.wait_for_function("document.querySelector('figure.zoomed')")
    found = rows_of(run, sheet)
    assert found.stop - found.start < 0.9 * (everything.stop - everything.start)
    assert found.start > 0
    assert_shows(sheet, run)


def test_no_span_is_shorter_than_five_bars(sheet: Page, run: engine.Run) -> None:
    plot = sheet.locator("#equity .plot")
    plot.focus()
    for _ in range(12):
        plot.press("+")
    rows = rows_of(run, sheet)
    assert 5 <= rows.stop - rows.start <= 7
    assert_shows(sheet, run)


def test_a_book_is_switched_off_in_every_chart_and_no_longer_counts(
    sheet: Page, run: engine.Run
) -> None:
    button = sheet.locator("#equity button[data-book='persistence']")
    button.focus()
    button.press("Enter")
    assert button.get_attribute("aria-pressed") == "false"
    books = [book for book in run.returns if book != "persistence"]
    assert_shows(sheet, run, books=books)
    assert "Persistence" not in tip_of(sheet)
    assert "persistence" not in drawn.charts(sheet)["rolling-sharpe"].panels[0].paths
    button.press("Space")
    assert_shows(sheet, run)


@pytest.mark.parametrize("how", ["double click", "Shift+Enter"])
def test_a_single_book_can_be_shown_and_then_all_again(
    sheet: Page, run: engine.Run, how: str
) -> None:
    button = sheet.locator("#drawdown button[data-book='ridge']")

    def ask() -> None:
        button.dblclick() if how == "double click" else button.press(how)

    ask()
    assert_shows(sheet, run, books=["ridge"])
    ask()
    assert_shows(sheet, run)


def test_without_any_book_the_axes_have_valid_labels(sheet: Page) -> None:
    buttons = sheet.locator("#equity button[data-book]").all()
    for button in buttons:
        button.click()
    assert drawn.charts(sheet)["equity"].panels[0].paths == {}
    labels = sheet.locator("#equity .up span, #rolling-volatility .up span").all_inner_texts()
    assert len(labels) >= 4
    assert not any("NaN" in label or "\u221e" in label for label in labels)
    for button in buttons:
        button.click()


def tip_of(page: Page) -> str:
    page.locator("#equity .plot").press("End")
    return page.locator("#tip").inner_text()
