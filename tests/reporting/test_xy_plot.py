"""Plots over an axis other than time: paths, positions and the data in the page."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np
import pytest
from jinja2 import Environment, PackageLoader, StrictUndefined

from engine.reporting import formatting
from engine.reporting.charts import plot_layers
from engine.reporting.charts.axes import Axis, categorical_axis
from engine.reporting.charts.plot_layers import LabelledAxis, LayerStyle, PlotLayer, XYAxes
from engine.reporting.charts.xy_plot import XYPlot, plot_data
from engine.reporting.tearsheet import render_tearsheet
from tests.reporting.page import Page

if TYPE_CHECKING:
    from engine.runs.run import Run

FRAME = XYAxes(
    LabelledAxis("forecast, bps", Axis(0.0, 10.0, False, ()), formatting.BPS),
    LabelledAxis("outcome, bps", Axis(-10.0, 10.0, False, ()), formatting.BPS),
)
STYLE = LayerStyle("bars", "Bars", "hue-0")


def plotted(*layers: PlotLayer, title: str = "Scatter", finding: str = "They rise.") -> XYPlot:
    return XYPlot("scatter", title, finding, "All of them.", "3 bars", FRAME, layers)


def vector(*values: float) -> np.ndarray:
    return np.array(values, dtype=np.float64)


def test_a_dot_is_a_line_of_zero_length() -> None:
    layer = plot_layers.dot_layer(
        FRAME, STYLE, vector(0, 5, 10), vector(-10, 0, 10), ("a", "b", "c")
    )
    assert layer.path == "M0 10000h0M5000 5000h0M10000 0h0"


def test_a_point_without_a_figure_is_left_out() -> None:
    layer = plot_layers.dot_layer(
        FRAME, STYLE, vector(1, np.nan, 3), vector(1, 2, np.nan), ("a", "b", "c")
    )
    assert layer.path == "M1000 4500h0"
    assert (layer.names, layer.x, layer.y) == (("a",), (1.0,), (1.0,))


def test_a_point_beyond_the_axis_is_drawn_at_its_end_with_its_own_figure() -> None:
    layer = plot_layers.dot_layer(FRAME, STYLE, vector(5), vector(99), ("far",))
    assert (layer.path, layer.y) == ("M5000 0h0", (99.0,))


def test_bars_start_at_zero() -> None:
    layer = plot_layers.bar_layer(
        FRAME, STYLE, (vector(0, 1, 2), vector(1, 2, 3)), vector(5, -5, np.nan), ("a", "b", "c")
    )
    assert layer.path == "M0 5000V2500H1000V5000ZM1000 5000V7500H2000V5000Z"
    assert (layer.x, layer.y) == ((0.5, 1.5, 2.5), (5.0, -5.0, None))


def test_bars_on_a_log_axis_start_at_its_lower_end() -> None:
    logs = XYAxes(FRAME.x, LabelledAxis("share", Axis(0.01, 1.0, True, ()), None))
    layer = plot_layers.bar_layer(logs, STYLE, (vector(0), vector(1)), vector(0.1), ("a",))
    assert layer.path == "M0 10000V5000H1000V10000Z"


def test_steps_are_the_outline_of_adjacent_bars() -> None:
    layer = plot_layers.step_layer(
        FRAME, STYLE, (vector(0, 1), vector(1, 2)), vector(5, -5), ("a", "b")
    )
    assert layer.path == "M0 2500l1000 0 0 5000 1000 0"
    assert (layer.names, layer.x, layer.y) == (("a", "b"), (0.5, 1.5), (5.0, -5.0))


def test_whiskers_reach_from_low_to_high_with_a_dot_at_the_figure() -> None:
    layer = plot_layers.whisker_layer(
        FRAME, STYLE, vector(5, 6), vector(0, 1), (vector(-5, np.nan), vector(5, np.nan)), "ab"
    )
    assert layer.path == "M5000 7500V2500"
    assert layer.dot_path == "M5000 5000h0M6000 4500h0"
    assert (layer.low, layer.high) == ((-5.0, None), (5.0, None))


def test_a_band_lies_between_its_two_lines() -> None:
    layer = plot_layers.band_layer(FRAME, STYLE, vector(0, 10), vector(-10, -10), vector(0, 10))
    assert layer.path == "M0 5000L10000 0L10000 10000L0 10000Z"


def test_the_line_of_equality_reaches_as_far_as_both_axes() -> None:
    assert plot_layers.identity_line(FRAME, STYLE).path == "M0 5000l10000 -5000"
    apart = XYAxes(FRAME.x, LabelledAxis("far", Axis(20.0, 30.0, False, ()), None))
    assert plot_layers.identity_line(apart, STYLE).path == ""


def test_reference_lines_cross_the_whole_plot() -> None:
    assert plot_layers.horizontal_line(FRAME, STYLE, 0.0).path == "M0 5000l10000 0"
    assert plot_layers.vertical_line(FRAME, STYLE, 5.0).path == "M5000 10000l0 -10000"


@pytest.mark.parametrize(("count", "labelled"), [(1, 1), (3, 3), (9, 9), (10, 5), (190, 9)])
def test_an_axis_of_names_labels_no_more_of_them_than_fit(count: int, labelled: int) -> None:
    axis = categorical_axis([str(number) for number in range(count)])
    assert len(axis.ticks) == labelled
    for tick in axis.ticks:
        assert tick.position == pytest.approx(
            100 * axis.to_fraction(vector(float(tick.label)))[0], abs=0.001
        )


def test_the_data_has_every_figure_drawn_front_layer_first() -> None:
    back = plot_layers.line_layer(
        FRAME, LayerStyle("fit", "Fit", "hue-1"), vector(0, 10), vector(0, 1)
    )
    front = plot_layers.dot_layer(FRAME, STYLE, vector(1), vector(2), ("one",))
    data = plot_data(plotted(back, front))
    assert data["up"] == {
        "label": "outcome, bps",
        "unit": {"digits": 1, "suffix": "\N{NO-BREAK SPACE}bps", "signed": False},
        "low": -10.0,
        "high": 10.0,
        "log": False,
    }
    first, second = data["layers"]
    assert (first["key"], first["kind"], first["names"]) == ("bars", "dots", ("one",))
    assert (first["x"], first["y"]) == ((1.0,), (2.0,))
    assert (second["key"], second["names"], second["y"]) == ("fit", (), (0.0, 1.0))


def test_a_legend_names_the_layers_where_there_is_more_than_one() -> None:
    one = plot_layers.dot_layer(FRAME, STYLE, vector(1), vector(2), ("one",))
    other = plot_layers.line_layer(
        FRAME, LayerStyle("fit", "Fit", "hue-1"), vector(0, 10), vector(0, 1)
    )
    unnamed = plot_layers.horizontal_line(FRAME, LayerStyle("zero", "", "zero"), 0.0)
    assert plotted(one, unnamed).legend == ()
    assert plotted(other, one, unnamed).legend == (one, other)


def drawn(figure: XYPlot) -> str:
    source = '{% from "plot.html.j2" import plot_figure with context %}{{ plot_figure(plot) }}'
    environment = Environment(
        loader=PackageLoader("engine.reporting"), autoescape=True, undefined=StrictUndefined
    )
    return environment.from_string(source).render(plot=figure, plot_data=plot_data)


def test_the_figure_has_its_finding_layers_and_data() -> None:
    layer = plot_layers.dot_layer(FRAME, STYLE, vector(1), vector(2), ("one",))
    html = drawn(plotted(layer))
    page = Page(html)
    assert "They rise." in page.text
    assert page.charts["scatter"]["layers"][0]["names"] == ["one"]
    assert ("path", "dots hue-0", "M1000 4000h0") in [
        (tag, found.get("class"), found.get("d")) for tag, found in page.elements
    ]


def test_whiskers_are_drawn_as_lines_with_dots_on_them() -> None:
    ends = (vector(-5), vector(5))
    layer = plot_layers.whisker_layer(FRAME, STYLE, vector(5), vector(0), ends, ("one",))
    paths = [
        found["class"] for tag, found in Page(drawn(plotted(layer))).elements if tag == "path"
    ]
    assert paths == ["grid", "whiskers hue-0", "dots large hue-0"]


def test_names_from_outside_are_text() -> None:
    layer = plot_layers.dot_layer(FRAME, STYLE, vector(1), vector(2), ("</script><b>x",))
    html = drawn(plotted(layer, title="<b>x", finding="<b>y"))
    assert not re.search(r"<b>", html)


def test_every_plot_of_a_page_is_drawn_and_has_its_data(run: Run) -> None:
    page = Page(render_tearsheet(run))
    plots = {key: data for key, data in page.charts.items() if "layers" in data}
    assert {
        *("histogram", "tails", "scatter", "calibration", "rank-correlation", "direction"),
        "sources",
        *("attribution-volatility", "attribution-trend", "attribution-years"),
    } <= set(plots)
    figure, drawn = "", []
    for tag, found in page.elements:
        figure = found.get("id", "") if tag == "figure" else figure
        if tag == "path" and "data-layer" in found:
            assert "nan" not in found["d"]
            drawn.append((figure, found["data-layer"]))
    for key, data in plots.items():
        for layer in data["layers"]:
            assert (key, layer["key"]) in drawn or not layer["x"]
