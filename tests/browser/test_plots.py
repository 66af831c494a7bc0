"""Plots over an axis other than time: what is drawn, and what pointer and keys show."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.reporting import formatting
from tests.browser import drawn

if TYPE_CHECKING:
    from playwright.sync_api import Page

    import engine

pytestmark = pytest.mark.slow

READ = """
() => [...document.querySelectorAll("figure[data-plot]")].map((figure) => ({
  key: figure.id,
  data: JSON.parse(figure.querySelector('script[type="application/json"]').textContent),
  up: [...figure.querySelectorAll(".up span")].map(
    (label) => [label.textContent, parseFloat(label.style.bottom)]),
  paths: [...figure.querySelectorAll("[data-layer]")].map((path) => ({
    key: path.dataset.layer,
    dots: path.classList.contains("dots"),
    d: path.getAttribute("d"),
  })),
}))
"""


@pytest.fixture(scope="module")
def plots(tabs, run: engine.Run) -> dict[str, dict[str, Any]]:
    page = tabs(1440, "light").open(run.run_dir / "tearsheet.html")
    return {found["key"]: found for found in page.evaluate(READ)}


def heights(plot: dict[str, Any], layer: dict[str, Any]) -> np.ndarray:
    """Of every mark of a layer, read back through the labels of the axis."""
    found = [path for path in plot["paths"] if path["key"] == layer["key"]]
    dots = [path["d"] for path in found if path["dots"]]
    points = drawn.points(dots[0] if dots else "".join(path["d"] for path in found))
    if dots:
        points = points[::2]  # a dot is a line of no length
    elif layer["kind"] == "bars":
        points = points[1::4]  # from the ground up, across, and down again
    elif len(points) == 2 * len(layer["x"]):
        points = points[::2]  # stairs: both ends of each tread
    return drawn.read(points[:, 1], plot["up"], log=plot["data"]["up"]["log"])


def known(plot: dict[str, Any], layer: dict[str, Any]) -> np.ndarray:
    """The figures of a layer that its axes can show, clipped to the ends of the axes."""
    across, up = plot["data"]["across"], plot["data"]["up"]
    x, y = (np.array(layer[name], dtype=float) for name in ("x", "y"))
    can_show = np.isfinite(x) & np.isfinite(y)
    for axis, values in ((across, x), (up, y)):
        can_show &= values > 0 if axis["log"] else True
    shown = y[can_show]
    return shown if layer["kind"] == "line" else np.clip(shown, up["low"], up["high"])


def test_every_mark_of_every_plot_stands_at_its_figure(plots: dict[str, dict[str, Any]]) -> None:
    assert {"histogram", "tails", "scatter", "calibration", "excursions"} <= set(plots)
    marks = 0
    for key, plot in plots.items():
        ends = np.array([plot["data"]["up"]["low"], plot["data"]["up"]["high"]])
        for layer in plot["data"]["layers"]:
            expected = known(plot, layer)
            if not len(expected) or layer["kind"] == "band":
                continue
            found = heights(plot, layer)
            assert len(found) == len(expected), (key, layer["key"])
            if plot["data"]["up"]["log"]:
                assert found == pytest.approx(expected, rel=2e-3), (key, layer["key"])
            else:
                limit = 2e-4 * (ends[1] - ends[0])
                assert found == pytest.approx(expected, abs=limit), (key, layer["key"])
            marks += len(found)
    assert marks > 500


def outcomes(run: engine.Run) -> Any:
    shown = run.predictions[run.predictions["horizon"] == 1]
    return (1e4 * shown.groupby("timestamp")[["predicted", "actual"]].mean()).dropna()


def test_forecasts_are_drawn_against_the_outcomes_of_the_run(
    plots: dict[str, dict[str, Any]], run: engine.Run
) -> None:
    plot = plots["scatter"]
    (layer,) = [one for one in plot["data"]["layers"] if one["key"] == "forecasts"]
    expected = outcomes(run)
    assert sorted(layer["x"]) == pytest.approx(sorted(expected["predicted"]), rel=1e-5)
    assert sorted(layer["y"]) == pytest.approx(sorted(expected["actual"]), rel=1e-5)
    span = np.diff([plot["data"]["up"][end] for end in ("low", "high")])[0]
    assert sorted(heights(plot, layer)) == pytest.approx(
        np.clip(sorted(expected["actual"]), plot["data"]["up"]["low"], plot["data"]["up"]["high"]),
        abs=2e-4 * span,
    )


def test_keys_move_between_marks_and_show_each(sheet: Page, run: engine.Run) -> None:
    plot = sheet.locator("#scatter .plot")
    expected = outcomes(run).sort_values("predicted")
    for key, row in (("Home", 0), ("ArrowRight", 1), ("End", -1)):
        plot.press(key)
        shown = sheet.locator("#tip").inner_text()
        figures = expected.iloc[row]
        assert str(expected.index[row].date()) in shown
        for figure in figures:
            assert formatting.BPS(figure).split(formatting.NO_BREAK_SPACE)[0] in shown
    plot.press("Escape")
    assert sheet.locator("#tip").is_hidden()


def test_the_pointer_shows_the_nearest_mark(sheet: Page) -> None:
    plot = sheet.locator("#histogram .plot")
    plot.scroll_into_view_if_needed()
    plot.press("End")
    last = sheet.locator("#tip strong").inner_text()
    box = plot.bounding_box()
    assert box
    sheet.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] - 2)
    assert sheet.locator("#histogram .ring").is_visible()
    assert sheet.locator("#tip strong").inner_text() == last
    sheet.mouse.move(box["x"] + 2, box["y"] + box["height"] - 2)
    assert sheet.locator("#tip strong").inner_text() != last
