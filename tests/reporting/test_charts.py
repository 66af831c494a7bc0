from __future__ import annotations

import re

import numpy as np
import pandas as pd
import pytest

from engine.reporting.book_styles import book_style
from engine.reporting.charts import axes, svg_paths, time_chart
from engine.reporting.charts.equity import drawdown_chart, equity_chart
from engine.reporting.charts.forest import make_forest_plot
from engine.reporting.charts.positions import positions_chart
from engine.reporting.charts.windows import draw_loss_curves, make_window_timeline
from engine.reporting.tearsheet.monthly_returns import make_monthly_heatmap
from engine.runs.documents.analysis_returns import PeriodReturns
from engine.runs.documents.manifest_windows import FitRecord, WindowRecord
from engine.runs.documents.significance import SharpeFigures

STRATEGY = (book_style("strategy"),)


def table(values: list[float]) -> pd.DataFrame:
    index = pd.date_range("2020-01-01", periods=len(values), tz="UTC", name="timestamp")
    return pd.DataFrame({"strategy": values}, index=index)


def points(path: str) -> list[tuple[int, int]]:
    """Every point of a path of one `M` and relative lines."""
    match = re.fullmatch(r"M(-?\d+) (-?\d+)l(.*)", path)
    assert match
    moves = np.array(match[3].split(), dtype=int).reshape(-1, 2)
    start = np.array([[int(match[1]), int(match[2])]])
    return [tuple(point) for point in np.cumsum(np.vstack((start, moves)), axis=0).tolist()]


def test_the_heat_map_has_a_row_a_year_with_its_total_and_the_benchmarks() -> None:
    strategy = PeriodReturns(
        months={"2003-12": 10.0, "2004-01": -20.0}, years={"2003": 10.0, "2004": -20.0}
    )
    benchmark = PeriodReturns(months={}, years={"2003": -10.0, "2004": 20.0})
    heatmap = make_monthly_heatmap(strategy, benchmark)
    (first, december, total, other), (second, january, *_) = heatmap.rows
    assert (first, second) == ("2003", "2004")
    assert [cell.text for cell in december] == [""] * 11 + ["+10.0"]
    assert (total.text, other.text if other else None) == ("+10.0", "\N{MINUS SIGN}10.0")
    assert (january[0].css, january[0].strength) == ("loss", 100)


def test_a_log_axis_puts_equal_ratios_at_equal_distances() -> None:
    positions = axes.log_axis(1.0, 100.0).to_fraction(np.array([1.0, 10.0, 100.0]))
    assert positions[1] - positions[0] == pytest.approx(positions[2] - positions[1])


def test_a_log_axis_cannot_show_zero_and_below() -> None:
    assert np.isnan(axes.log_axis(1.0, 2.0).to_fraction(np.array([0.0, -1.0]))).all()


@pytest.mark.parametrize(
    ("low", "high", "labels"),
    [
        (0.5, 20.0, ["0.5", "1", "2", "5", "10", "20"]),
        (0.002, 9000.0, ["0.01", "0.1", "1", "10", "100", "1,000", "10,000"]),
        (0.9, 1.31, ["0.9", "1", "1.1", "1.2", "1.3"]),
    ],
)
def test_log_ticks_are_round_numbers(low: float, high: float, labels: list[str]) -> None:
    assert [tick.label for tick in axes.log_axis(low, high).ticks] == labels


def test_linear_ticks_are_round_numbers_at_their_positions() -> None:
    found = axes.linear_axis(-31.0, 0.0, ticks=4)
    assert [tick.label for tick in found.ticks] == [f"\N{MINUS SIGN}{n}" for n in (30, 20, 10)] + [
        "0"
    ]
    assert found.ticks[-1].position == pytest.approx(
        100 * found.to_fraction(np.array([0.0]))[0], abs=1e-3
    )


@pytest.mark.parametrize("value", [0.0, 1.0, -3.0])
def test_an_axis_of_one_value_has_two_ends(value: float) -> None:
    found = axes.linear_axis(value, value)
    assert found.low < value < found.high


@pytest.mark.parametrize(
    ("first", "last", "labels"),
    [
        ("2003-06-02", "2018-12-31", ["2004", "2006", "2008", "2010", "2012", "2014", "2016",
                                      "2018"]),
        ("2020-01-15", "2020-06-25", ["Feb 2020", "Mar 2020", "Apr 2020", "May 2020", "Jun 2020"]),
        ("2020-02-10", "2020-02-13", ["10 Feb", "11 Feb", "12 Feb", "13 Feb"]),
    ],
)  # fmt: skip
def test_time_ticks_are_round_calendar_times(first: str, last: str, labels: list[str]) -> None:
    found = axes.time_axis(pd.Timestamp(first, tz="UTC"), pd.Timestamp(last, tz="UTC"))
    assert [tick.label for tick in found.ticks] == labels


def test_a_line_goes_through_its_points_from_the_bottom_left() -> None:
    path = svg_paths.line_path(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 0.25]))
    assert points(path) == [(0, 10_000), (5_000, 0), (10_000, 7_500)]


def test_a_line_breaks_where_a_value_is_missing() -> None:
    up = np.array([0.0, 0.5, np.nan, 0.5, 1.0])
    path = svg_paths.line_path(np.linspace(0, 1, 5), up)
    assert path == "M0 10000l2500 -5000M7500 5000l2500 -5000"


def test_a_weight_lasts_until_the_next_bar() -> None:
    path = svg_paths.step_area_path(np.array([0.0, 0.5, 1.0]), np.array([0.0, 1.0, 1.0]), 0.0)
    assert path == "M0 10000V10000H5000V0H10000V10000Z"


def test_a_band_lasts_until_the_bar_after_the_last_one_held() -> None:
    across = np.array([0.0, 0.25, 0.5, 1.0])
    path = svg_paths.band_path(across, np.array([False, True, False, True]))
    assert path == "M2500 0H5000V10000H2500ZM10000 0H10000V10000H10000Z"


def test_an_area_between_two_lines_follows_the_upper_one_and_comes_back_on_the_lower() -> None:
    across = np.array([0.0, 0.5, 1.0])
    lower, upper = np.array([0.4, 0.2, 0.1]), np.array([0.5, 0.7, np.nan])

    assert svg_paths.between_path(across, lower, upper) == "M0 5000 5000 3000 5000 8000 0 6000Z"


def test_an_area_reaches_down_where_the_lower_line_has_no_height() -> None:
    path = svg_paths.between_path(
        np.array([0.0, 1.0]), np.array([0.4, np.nan]), np.array([0.5, 0.6])
    )
    assert path == "M0 5000 10000 4000 10000 10000 0 6000Z"
    assert svg_paths.between_path(np.zeros(2), np.zeros(2), np.full(2, np.nan)) == ""


def test_every_bar_is_drawn_up_to_the_limit() -> None:
    whole = table([0.0] * 50)
    assert time_chart.downsample_rows(whole, max_rows=50) is whole
    assert time_chart.downsampling_note(50, 50) == ()


def test_a_long_table_keeps_its_ends_and_the_extremes_of_every_step() -> None:
    values = np.random.default_rng(1).normal(size=(8_000, 2))
    values[:3_000, 1] = np.nan
    whole = pd.DataFrame(values, columns=["a", "b"])
    drawn = time_chart.downsample_rows(whole, max_rows=100)
    assert len(drawn) < 8_000 / 1.5
    assert {0, 7_999} <= set(drawn.index)
    steps, kept = whole.groupby(whole.index // 10), drawn.groupby(drawn.index // 10)
    pd.testing.assert_frame_equal(kept.min(), steps.min())
    pd.testing.assert_frame_equal(kept.max(), steps.max())


@pytest.mark.parametrize("columns", [1, 6, 16])
def test_the_number_of_figures_of_a_chart_is_limited(columns: int) -> None:
    values = np.random.default_rng(4).normal(size=(20_000, columns))
    drawn = time_chart.downsample_rows(pd.DataFrame(values))
    assert 2_000 < drawn.size <= time_chart.MAX_DRAWN_VALUES
    np.testing.assert_array_equal(drawn.max(), values.max(axis=0))


def test_a_downsampled_chart_has_a_note() -> None:
    (note,) = time_chart.downsampling_note(43_800, 9_055)
    assert note.startswith("Drawn at 9,055 of 43,800 bars")


def test_the_equity_line_ends_at_the_position_of_the_last_value() -> None:
    growth = table([1.1, 0.55, 0.66])
    (panel,) = equity_chart(growth, STRATEGY).panels
    (line,) = panel.lines
    scale = axes.log_axis(0.55, 1.1)
    end = points(line.path)[-1]
    assert line.values == pytest.approx((1.1, 0.55, 0.66))
    assert end == (10_000, round(10_000 * (1 - scale.to_fraction(np.array([0.66]))[0])))


def test_a_book_that_lost_all_equity_is_named_in_a_note() -> None:
    chart = equity_chart(table([1.1, 0.0, 0.0]), STRATEGY)
    assert chart.notes[0].startswith("Strategy lost all of its equity")
    assert chart.panels[0].lines[0].values == (1.1, 0.0, 0.0)


def test_the_strategy_is_drawn_on_top() -> None:
    drawdown = table([0.0, -10.0]).assign(ridge=0.0)
    books = (book_style("strategy"), book_style("ridge"))
    keys = [line.key for line in drawdown_chart(drawdown, books).panels[0].lines]
    assert keys == ["ridge", "strategy"]


def test_positions_keep_a_weight_until_the_next_decision() -> None:
    close = table([10.0, 11.0, 12.0, 9.0])["strategy"]
    weights = pd.Series([np.nan, 1.0, np.nan, -1.0], close.index)
    price, weight = positions_chart("positions-0", "X", close, weights).panels
    assert weight.lines[0].values == (0.0, 1.0, 1.0, -1.0)
    assert price.areas[0].path == "M3333 0H10000V10000H3333Z"
    assert price.lines[0].values == (10.0, 11.0, 12.0, 9.0)


def test_the_price_goes_over_a_weekend_and_breaks_at_a_halt() -> None:
    stamps = pd.date_range("2024-01-05", periods=24, tz="UTC")  # a Friday
    close = pd.Series(np.nan, stamps)
    for day in (0, 3, 4, 20, 21):
        close.iloc[day] = 10.0 + day
    price, _ = positions_chart("positions-0", "X", close, pd.Series(1.0, stamps)).panels
    assert price.lines[0].path.count("M") == 2
    assert price.lines[0].values[:6] == (10.0, 10.0, 10.0, 13.0, 14.0, None)
    assert price.lines[0].values[19:] == (None, 30.0, 31.0, None, None)


def test_the_timeline_has_every_part_between_first_and_last_day() -> None:
    window = WindowRecord(
        index=0,
        train=("2020-01-01", "2020-01-05"),
        validation=("2020-01-06", "2020-01-08"),
        test=("2020-01-09", "2020-01-11"),
        train_bars=5,
    )
    ((index, spans),) = make_window_timeline([window]).rows
    assert index == 0
    assert [(span.part, span.left, span.width) for span in spans] == [
        ("train", 0.0, 40.0),
        ("validation", 50.0, 20.0),
        ("test", 80.0, 20.0),
    ]
    assert "5\N{NO-BREAK SPACE}bars" in spans[0].text
    assert "\N{EN DASH}" in spans[1].text


def test_a_forest_plot_contains_zero_and_every_interval() -> None:
    figures = SharpeFigures(estimate=2.0, low=1.0, high=3.0)
    plot = make_forest_plot(
        [(book_style("strategy"), figures), (book_style("ridge"), SharpeFigures())]
    )
    whole, missing = plot.rows
    assert whole.low is not None
    assert whole.estimate is not None
    assert whole.width is not None
    assert 0 < plot.zero_position < whole.low < whole.estimate < whole.low + whole.width < 100
    assert (missing.estimate, missing.low, missing.width) == (None, None, None)


def test_loss_curves_share_one_axis_over_all_fits() -> None:
    fits = [FitRecord(train_loss=(3.0, 1.0), validation_loss=(3.0, 2.0, 1.0)), FitRecord()]
    train, validation = draw_loss_curves(fits)
    assert points(train.path)[-1][0] == 5_000
    assert points(train.path)[-1][1] == points(validation.path)[-1][1]


def test_an_ensemble_has_the_curves_of_its_members() -> None:
    trained = FitRecord(train_loss=(2.0, 1.0), validation_loss=(3.0, 2.0))
    ensemble = FitRecord(members=(trained, FitRecord(), FitRecord(members=(trained,))))
    assert draw_loss_curves([ensemble]) == draw_loss_curves([trained, trained])
    assert len(draw_loss_curves([ensemble])) == 4


def test_models_without_epochs_have_no_curves() -> None:
    assert draw_loss_curves([FitRecord(epochs=0)]) == ()


def test_the_data_of_a_chart_has_the_rescaling_of_its_axes_and_the_source_of_its_areas() -> None:
    chart = drawdown_chart(table([0.0, -50.0, -40.0]), STRATEGY)
    (panel,) = time_chart.chart_data(chart)["panels"]
    assert panel["areas"] == [{"line": "strategy", "shape": "under"}]
    scale = panel["scale"]
    low, high = (pick([*panel["lines"][0]["values"], *scale["always"]]) for pick in (min, max))
    again = axes.linear_axis(low, high, ticks=scale["ticks"])
    assert not scale["log"]
    assert again.ticks == chart.panels[0].ticks
    assert svg_paths.distance_from_top(again, scale["baseline"]) == chart.panels[0].baseline
