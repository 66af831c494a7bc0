"""The figures of the forecasts on the tearsheet."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.forecasts.directional_accuracy import wilson_interval
from engine.evaluation.forecasts.scores import average_over_seeds
from engine.reporting.charts.xy_plot import XYPlot, plot_data
from engine.reporting.forecast_unit import forecast_unit
from engine.reporting.tearsheet._metrics_table import metrics_row
from engine.reporting.tearsheet.forecast_quality import direction_finding, forecast_quality_plots
from engine.reporting.tearsheet.forecasts import forecast_metrics
from engine.runs.documents.analysis_forecasts import DirectionFigures
from engine.runs.documents.metrics import ForecastScores
from tests.reporting.page import altered, changed
from tests.reporting.small_run import Shape, small_run

if TYPE_CHECKING:
    from engine.runs.run import Run

BPS = 10_000


@pytest.fixture(scope="module")
def small() -> Run:
    return small_run(Shape(tested=401, forecast="skill"))


@pytest.fixture(scope="module")
def plots(small: Run) -> dict[str, XYPlot]:
    return by_key(small)


def by_key(run: Run) -> dict[str, XYPlot]:
    return {plot.key: plot for plot in forecast_quality_plots(run)}


def layer(plot: XYPlot, key: str) -> dict:
    (found,) = [each for each in plot_data(plot)["layers"] if each["key"] == key]
    return found


def test_every_dot_is_the_mean_over_the_seeds_and_its_outcome(
    small: Run, plots: dict[str, XYPlot]
) -> None:
    seeds = small.predictions.pivot_table(index="timestamp", columns="seed", values="predicted")
    expected = seeds.mean(axis=1).iloc[:-1] * BPS
    drawn = layer(plots["scatter"], "forecasts")
    assert drawn["x"] == pytest.approx(expected.tolist(), rel=1e-5)
    actual = small.predictions.query("seed == 0")["actual"].dropna() * BPS
    assert drawn["y"] == pytest.approx(actual.tolist(), rel=1e-5)
    assert drawn["names"][0] == f"{small.returns.index[0]:%Y-%m-%d}"


def test_ranks_are_in_per_cent_and_not_in_basis_points(
    small: Run, plots: dict[str, XYPlot]
) -> None:
    strategy = small.manifest["strategy"] | {"target": {"transform": "rank"}}
    ranked = replace(small, manifest=small.manifest | {"strategy": strategy})
    for key in ("scatter", "calibration"):
        plot, of_returns = by_key(ranked)[key], plots[key]
        assert plot.axes.x.label.endswith("forecast, % of the ranks")
        assert plot.axes.y.label.endswith("outcome, % of the ranks")
        assert "bps" not in plot.finding
        name = "forecasts" if key == "scatter" else "groups"
        for axis in ("x", "y"):
            in_bps = np.array(layer(of_returns, name)[axis])
            assert layer(plot, name)[axis] == pytest.approx(in_bps / 100, rel=1e-6)
    (error,) = (each for each in forecast_metrics(forecast_unit(ranked)) if each.key == "mae_bps")
    (cell,) = metrics_row(error, [ForecastScores(mae_bps=2_500.0)]).cells
    assert cell.text == "25.0\N{NO-BREAK SPACE}% of the ranks"


def test_the_fitted_line_is_the_least_squares_line(small: Run, plots: dict[str, XYPlot]) -> None:
    made = average_over_seeds(small.predictions, 1)
    slope, intercept = np.polyfit(made["predicted"], made["actual"], 1)
    fit = layer(plots["scatter"], "fit")
    expected = [BPS * intercept + slope * x for x in fit["x"]]
    assert fit["y"] == pytest.approx(expected, rel=1e-4)
    assert f"the outcome was {slope:.2f}\N{NO-BREAK SPACE}bps higher" in plots["scatter"].finding


def test_calibration_has_the_means_of_pandas_deciles(small: Run, plots: dict[str, XYPlot]) -> None:
    made = average_over_seeds(small.predictions, 1)
    means = made.groupby(pd.qcut(made["predicted"].rank(method="first"), 10, labels=False)).mean(
        numeric_only=True
    )
    drawn = layer(plots["calibration"], "groups")
    assert drawn["x"] == pytest.approx((BPS * means["predicted"]).tolist(), rel=1e-5)
    assert drawn["y"] == pytest.approx((BPS * means["actual"]).tolist(), rel=1e-5)
    for low, middle, high in zip(drawn["low"], drawn["y"], drawn["high"], strict=True):
        assert low < middle < high
    assert "higher, as forecast" in plots["calibration"].finding


def test_the_mean_of_the_months_weighted_by_bars_is_the_rank_correlation(
    plots: dict[str, XYPlot],
) -> None:
    drawn = layer(plots["rank-correlation"], "periods")
    rows = [int(name.split(", ")[1].split("\N{NO-BREAK SPACE}")[0]) for name in drawn["names"]]
    whole = np.average(drawn["y"], weights=rows)
    assert f"The rank correlation was +{whole:.3f} over 14" in plots["rank-correlation"].finding
    assert layer(plots["rank-correlation"], "overall")["y"][0] == pytest.approx(whole, rel=1e-5)


def test_regimes_split_the_directional_accuracy_of_all_forecasts(
    small: Run, plots: dict[str, XYPlot]
) -> None:
    made = average_over_seeds(small.predictions, 1)
    hits = 100 * ((made["predicted"] > 0) == (made["actual"] > 0)).mean()
    drawn = layer(plots["direction"], "hits")
    figures = dict(zip((name.split(",")[0] for name in drawn["names"]), drawn["y"], strict=True))
    assert figures["all"] == pytest.approx(hits, rel=1e-6)
    assert list(figures) == ["calm", "usual", "turbulent", "falling", "rising", "all"]
    rows = [int(name.split(", ")[1].split("\N{NO-BREAK SPACE}")[0]) for name in drawn["names"]]
    assert sum(rows[:3]) == sum(rows[3:5]) == rows[5] == 400
    up = layer(plots["direction"], "up")["y"][-1]
    assert up == pytest.approx(100 * (made["actual"] > 0).mean(), rel=1e-6)


def test_regimes_do_not_depend_on_later_bars(small: Run) -> None:
    cut = small.returns.index[200]
    later = small.bars["timestamp"] > cut
    bars = small.bars.copy()
    bars.loc[later, ["open", "high", "low", "close"]] *= 1.5
    early = small.predictions[small.predictions["timestamp"] <= cut]
    found, other = (
        by_key(altered(small, bars=each, predictions=early))["direction"]
        for each in (small.bars, bars)
    )
    assert plot_data(found) == plot_data(other)


def test_of_many_forecasts_a_sample_is_drawn_with_a_note() -> None:
    plots = by_key(small_run(Shape(bars=2600, tested=2000)))
    assert len(layer(plots["scatter"], "forecasts")["x"]) == 1500
    assert plots["scatter"].notes == (
        "Drawn: 1,500 of 1,999\N{NO-BREAK SPACE}forecasts, evenly spaced in time; the line is "
        "fitted to all of them.",
    )


def test_noise_is_not_significant() -> None:
    plots = by_key(small_run(Shape()))
    assert "not significantly different" in plots["scatter"].finding
    assert "not significantly different" in plots["rank-correlation"].finding
    assert "significantly better in no regime" in plots["direction"].finding


def direction(state: str, *, beats: bool = False) -> DirectionFigures:
    return DirectionFigures(
        state=state,
        rows=200,
        hit_pct=50.0,
        low_pct=43.0,
        high_pct=57.0,
        up_pct=50.0,
        down_forecasts=100,
        down_hit_pct=50.0,
        beats_always_up=beats,
    )


def test_the_finding_names_the_regimes_that_beat_always_up() -> None:
    regimes = [direction("calm"), direction("rising"), direction("all", beats=True)]
    assert "significantly better in no regime" in direction_finding(regimes)
    better = [direction("calm", beats=True), *regimes[1:]]
    assert "significantly better in these regimes: calm." in direction_finding(better)


def test_constant_forecasts_have_no_rank_correlation() -> None:
    plots = by_key(small_run(Shape(forecast="constant")))
    assert set(plots) == {"scatter", "calibration", "direction"}
    assert plots["scatter"].finding.startswith("All forecasts are equal")
    assert plots["calibration"].finding.startswith("The forecasts form a single group")
    assert len(layer(plots["calibration"], "groups")["x"]) == 1


def test_a_horizon_of_several_bars_is_noted_where_outcomes_overlap() -> None:
    plots = by_key(small_run(Shape(horizon=5, forecast="skill")))
    assert "of the return over 5\N{NO-BREAK SPACE}bars" in plots["scatter"].span
    assert "overlapping outcomes" in plots["calibration"].description
    assert any("treats periods as independent" in note for note in plots["rank-correlation"].notes)
    assert plots["direction"].notes[1] == (
        "Intervals are those of one forecast in 5, because outcomes overlap."
    )
    drawn = layer(plots["direction"], "hits")
    assert len(layer(plots["scatter"], "forecasts")["x"]) == 395
    share = drawn["y"][-1] / 100
    expected = wilson_interval(share, 79, 0.95)
    found = (drawn["low"][-1] / 100, drawn["high"][-1] / 100)
    assert found == pytest.approx(expected, rel=1e-5)


def test_several_symbols_are_named_and_have_their_own_regimes() -> None:
    plots = by_key(small_run(Shape(symbols=("BTC", "ETH"))))
    names = layer(plots["scatter"], "forecasts")["names"]
    assert {name.split(", ")[0] for name in names} == {"BTC", "ETH"}
    assert layer(plots["direction"], "hits")["names"][-1] == "all, 798\N{NO-BREAK SPACE}forecasts"


@pytest.mark.parametrize(
    ("shape", "period"),
    [
        (Shape(freq="h", bars=2000, tested=1700), "month"),
        (Shape(freq="W", bars=400, tested=300), "quarter"),
        (Shape(bars=350, tested=25), "month"),
        (Shape(bars=30, tested=9), "year"),
    ],
)
def test_bars_of_any_length_and_number_are_drawn(shape: Shape, period: str) -> None:
    plots = by_key(small_run(shape))
    assert plots["rank-correlation"].title == f"Time-series rank correlation by {period}"
    for plot in plots.values():
        assert all(np.isfinite(tick.position) for tick in plot.axes.y.axis.ticks)


def test_few_bars_have_no_regimes() -> None:
    plots = by_key(small_run(Shape(bars=30, tested=20)))
    assert layer(plots["direction"], "hits")["names"] == ("all, 19\N{NO-BREAK SPACE}forecasts",)
    assert plots["scatter"].finding == "There are too few forecasts for a regression."


def test_no_known_outcome_has_no_plots(small: Run) -> None:
    unknown = small.predictions.assign(actual=np.nan)
    assert forecast_quality_plots(altered(small, predictions=unknown)) == ()


def test_the_plots_say_what_of_a_return_is_forecast(small: Run) -> None:
    strategy = small.manifest["strategy"]
    ranked = strategy | {"target": strategy["target"] | {"transform": "rank"}}
    assert "forecasts of the return over" in plot_text(small)
    assert "forecasts of the rank of the return among the symbols" in plot_text(
        changed(small, manifest={"strategy": ranked})
    )


def plot_text(run: Run) -> str:
    text = " ".join(plot.span for plot in forecast_quality_plots(run))
    return text.replace("\N{NO-BREAK SPACE}", " ")
