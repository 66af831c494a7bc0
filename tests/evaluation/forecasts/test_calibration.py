from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.forecasts.calibration import calibration_curve
from engine.evaluation.inference.hac import long_run_variance
from tests.evaluation.forecasts.tables import forecast_table


def test_bins_are_deciles_of_the_forecasts_with_their_means() -> None:
    rng = np.random.default_rng(1)
    predicted, actual = rng.normal(size=500), rng.normal(size=500)
    curve = calibration_curve(forecast_table(predicted, actual), 0.95)
    order = np.argsort(predicted)
    assert [group.number for group in curve] == list(range(1, 11))
    for group, rows in zip(curve, np.split(order, 10), strict=True):
        assert group.rows == 50
        assert (group.low, group.high) == (predicted[rows].min(), predicted[rows].max())
        assert group.predicted == pytest.approx(predicted[rows].mean())
        assert group.actual == pytest.approx(actual[rows].mean())


def test_the_interval_is_that_of_a_mean_where_rows_are_independent() -> None:
    rng = np.random.default_rng(2)
    predicted, actual = rng.normal(size=4000), rng.normal(size=4000)
    for group in calibration_curve(forecast_table(predicted, actual), 0.95):
        assert group.actual_low is not None
        assert group.actual_high is not None
        plain = 1.96 / np.sqrt(400)
        assert group.actual_high - group.actual == pytest.approx(plain, rel=0.2)
        assert group.actual - group.actual_low == pytest.approx(group.actual_high - group.actual)


def test_intervals_cover_the_true_mean_at_the_nominal_rate() -> None:
    rng = np.random.default_rng(3)
    inside = [
        group.actual_low <= 0 <= group.actual_high
        for _ in range(60)
        for group in calibration_curve(
            forecast_table(rng.normal(size=600), rng.normal(size=600)), 0.9
        )
        if group.actual_low is not None and group.actual_high is not None
    ]
    assert np.mean(inside) == pytest.approx(0.9, abs=0.04)


def test_correlated_symbols_do_not_narrow_the_interval() -> None:
    rng = np.random.default_rng(4)
    predicted, actual = rng.normal(size=1000), rng.normal(size=1000)
    one = forecast_table(predicted, actual)
    twice = pd.concat([one, one.assign(symbol="B")]).sort_values(["timestamp", "symbol"])
    for single, both in zip(
        calibration_curve(one, 0.95), calibration_curve(twice, 0.95), strict=True
    ):
        assert both.rows == 2 * single.rows
        assert both.actual_low == pytest.approx(single.actual_low)


def test_the_standard_error_of_one_bin_written_out() -> None:
    rng = np.random.default_rng(5)
    outcomes = np.convolve(rng.normal(size=404), np.ones(5), "valid")
    (group,) = calibration_curve(forecast_table(np.zeros(400), outcomes), 0.95)
    assert group.actual_high is not None
    error = np.sqrt(long_run_variance(outcomes - outcomes.mean()) / 400)
    assert group.actual_high - group.actual == pytest.approx(1.959964 * error, rel=1e-5)


def test_equal_forecasts_stay_in_one_bin() -> None:
    predicted = np.repeat([0.0, 1.0], [170, 30])
    curve = calibration_curve(forecast_table(predicted, np.arange(200.0)), 0.95)
    assert [(group.rows, group.low, group.high) for group in curve] == [
        (170, 0.0, 0.0),
        (30, 1.0, 1.0),
    ]


@pytest.mark.parametrize(("rows", "groups"), [(0, 0), (1, 1), (19, 1), (20, 2), (95, 9)])
def test_few_forecasts_have_few_bins(rows: int, groups: int) -> None:
    curve = calibration_curve(forecast_table(np.arange(rows), np.arange(rows)), 0.95)
    assert len(curve) == groups
    assert all(group.actual_low is None for group in curve if rows < 30)
