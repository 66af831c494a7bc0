from __future__ import annotations

import json

import numpy as np
import pytest

from engine.evaluation.diagnostics import augmented_dickey_fuller
from engine.evaluation.skill import NEWEST_ROWS, forecast_tests, input_tests

BARS = 400


def outcomes(seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """What came, and a forecast of half of it."""
    generator = np.random.default_rng(seed)
    actual = 0.01 * generator.standard_normal(BARS)
    return actual, 0.5 * actual + 0.001 * generator.standard_normal(BARS)


def test_skill_beats_no_change_and_a_poor_rival_and_is_no_chance() -> None:
    actual, predicted = outcomes()
    noise = 0.01 * np.random.default_rng(1).standard_normal(BARS)
    told = forecast_tests(predicted, actual, {"ridge": noise}, 1)["forecasts"]
    for rival in ("ridge", "no_change"):
        assert told["diebold_mariano"][rival]["statistic"] < -5
        assert told["diebold_mariano"][rival]["p_value_holm"] < 0.001
    assert told["pesaran_timmermann"]["p_value"] < 0.001


def test_rivals_are_adjusted_together() -> None:
    actual, _ = outcomes()
    generator = np.random.default_rng(3)
    rivals = {name: 0.001 * generator.standard_normal(BARS) for name in "abc"}
    own = 0.001 * generator.standard_normal(BARS)
    compared = forecast_tests(own, actual, rivals, 1)["forecasts"]["diebold_mariano"]
    smallest = min(compared.values(), key=lambda each: each["p_value"])
    assert smallest["p_value_holm"] == pytest.approx(min(1.0, 4 * smallest["p_value"]))


def test_rows_that_anyone_lacks_are_left_out_for_all() -> None:
    actual, predicted = outcomes()
    actual[-1], predicted[10], rival = np.nan, np.nan, np.zeros(BARS)
    rival[20] = np.nan
    told = forecast_tests(predicted, actual, {"ridge": rival}, 1)
    assert told["forecasts"]["diebold_mariano"]["ridge"]["observations"] == BARS - 3
    json.dumps(told, allow_nan=False)


def test_direction_and_residuals_take_rows_that_do_not_overlap() -> None:
    actual, predicted = outcomes()
    told = forecast_tests(predicted, actual, {}, 5)
    assert told["forecasts"]["pesaran_timmermann"]["observations"] == BARS / 5
    assert told["residuals"]["ljung_box"]["observations"] == BARS / 5
    assert told["forecasts"]["diebold_mariano"]["no_change"]["lags"] == 4


def test_overlapping_outcomes_do_not_pass_for_autocorrelated_residuals() -> None:
    shocks = 0.01 * np.random.default_rng(4).standard_normal(BARS + 4)
    over_five = np.convolve(shocks, np.ones(5), "valid")
    residuals = forecast_tests(np.zeros(BARS), over_five, {}, 5)["residuals"]
    assert residuals["ljung_box"]["p_value"] > 0.05
    assert forecast_tests(np.zeros(BARS), over_five, {}, 1)["residuals"]["ljung_box"][
        "p_value"
    ] < (1e-6)


def test_what_a_forecast_leaves_undone_is_seen() -> None:
    returns = np.zeros(BARS)
    shocks = 0.01 * np.random.default_rng(5).standard_normal(BARS)
    for row in range(1, BARS):
        returns[row] = 0.4 * returns[row - 1] + shocks[row]
    residuals = forecast_tests(np.zeros(BARS), returns, {}, 1)["residuals"]
    assert residuals["ljung_box"]["p_value"] < 1e-6
    assert residuals["breusch_godfrey"]["p_value"] < 1e-6


def test_too_few_rows_are_told_as_nothing() -> None:
    nothing = forecast_tests(np.array([0.1]), np.array([np.nan]), {}, 1)
    assert nothing["forecasts"]["diebold_mariano"]["no_change"]["p_value"] is None
    assert nothing["residuals"]["ljung_box"]["p_value"] is None


def test_inputs_are_tested_for_a_unit_root_and_adjusted_together() -> None:
    generator = np.random.default_rng(6)
    walk = np.cumsum(generator.standard_normal(BARS))
    found = input_tests({"noise": generator.standard_normal(BARS), "walk": walk})["adf"]
    assert found["noise"]["p_value_holm"] < 0.001
    assert found["walk"]["p_value"] > 0.05
    assert found["walk"]["p_value"] == augmented_dickey_fuller(walk).p_value


def test_of_long_inputs_the_newest_rows_are_tested() -> None:
    values = np.random.default_rng(7).standard_normal(NEWEST_ROWS + 100)
    newest = input_tests({"x": values[100:]})
    assert input_tests({"x": values}) == newest
