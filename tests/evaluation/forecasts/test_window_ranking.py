from __future__ import annotations

import json

import numpy as np
import pytest

from engine.evaluation.forecasts.window_ranking import rank_forecasts_by_window
from engine.evaluation.inference.aligned_ranks import compare_with_control, friedman_aligned_ranks

WINDOWS, BARS = 12, 40
WINDOW = np.repeat(np.arange(WINDOWS), BARS)


def rng(seed: int) -> np.random.Generator:
    return np.random.default_rng(seed)


ACTUAL = rng(1).standard_normal(len(WINDOW)) * (1 + WINDOW)  # ever wilder
SKILLED = 0.5 * ACTUAL
NOISE = rng(2).standard_normal(len(WINDOW)) * (1 + WINDOW)


def relative_rmse(predicted: np.ndarray, number: int) -> float:
    rows = np.equal(WINDOW, number)
    error = ACTUAL[rows] - predicted[rows]
    return float(np.sqrt(np.mean(error**2) / np.mean(ACTUAL[rows] ** 2)))


def test_it_is_friedmans_test_of_the_errors_of_each_window_against_no_change() -> None:
    ranking = rank_forecasts_by_window({"strategy": SKILLED, "ridge": NOISE}, ACTUAL, WINDOW)
    scores = np.array(
        [[1.0, relative_rmse(SKILLED, n), relative_rmse(NOISE, n)] for n in range(WINDOWS)]
    )
    joint = friedman_aligned_ranks(scores)
    _, (still, ridge) = compare_with_control(joint.average_ranks, WINDOWS)
    assert ranking is not None
    assert ranking["windows"] == WINDOWS
    assert (ranking["degrees"], ranking["best"]) == (2, "strategy")
    assert ranking["statistic"] == pytest.approx(joint.statistic)
    assert ranking["p_value"] == pytest.approx(joint.p_value)
    assert list(ranking["models"]) == ["no_change", "strategy", "ridge"]
    for name, column, test in (("no_change", 0, still), ("ridge", 2, ridge)):
        model = ranking["models"][name]
        assert model["average_rank"] == pytest.approx(joint.average_ranks[column])
        assert model["relative_rmse"] == pytest.approx(scores[:, column].mean())
        assert model["p_value"] == pytest.approx(test.p_value)
        assert model["p_value_finner"] == pytest.approx(test.p_value_finner)
    own = ranking["models"]["strategy"]
    assert own["relative_rmse"] == pytest.approx(0.5)
    assert (own["p_value"], own["p_value_finner"]) == (None, None)
    assert ranking["p_value"] < 1e-4


def test_volatile_and_quiet_windows_have_the_same_weight() -> None:
    """One window's triumph does not outweigh eleven windows of small losses."""
    lucky = np.where(WINDOW == WINDOWS - 1, 0.9 * ACTUAL, -0.05 * ACTUAL)
    ranking = rank_forecasts_by_window({"strategy": lucky}, ACTUAL, WINDOW)
    assert ranking is not None
    assert np.mean((ACTUAL - lucky) ** 2) < np.mean(ACTUAL**2)
    assert ranking["best"] == "no_change"


def test_only_rows_that_all_forecasts_have_are_scored() -> None:
    gap = np.where(WINDOW == 3, np.nan, NOISE)
    came = np.where(np.arange(len(ACTUAL)) == len(ACTUAL) - 1, np.nan, ACTUAL)
    ranking = rank_forecasts_by_window({"strategy": SKILLED, "ridge": gap}, came, WINDOW)
    rows = (WINDOW != 3) & np.isfinite(came)
    expected = rank_forecasts_by_window(
        {"strategy": SKILLED[rows], "ridge": NOISE[rows]}, ACTUAL[rows], WINDOW[rows]
    )
    assert ranking == expected
    assert ranking is not None
    assert ranking["windows"] == WINDOWS - 1


def test_equal_forecasts_are_rejected_at_the_nominal_rate_of_the_joint_test() -> None:
    """A tenth of the truth, and noise that costs what it is worth."""
    ranking = []
    for seed in range(300):
        draws = rng(seed)
        actual = draws.standard_normal(len(WINDOW))
        forecasts = {
            name: 0.1 * actual + 0.19**0.5 * draws.standard_normal(len(WINDOW))
            for name in ("strategy", "ridge", "gru")
        }
        ranking.append(rank_forecasts_by_window(forecasts, actual, WINDOW))
    alarms = np.mean([each is not None and each["p_value"] < 0.05 for each in ranking])
    assert 0.02 < alarms < 0.08


def test_below_two_windows_nothing_is_ranked() -> None:
    one = np.zeros(len(ACTUAL), dtype=np.int64)
    assert rank_forecasts_by_window({"strategy": SKILLED}, ACTUAL, one) is None
    assert rank_forecasts_by_window({"strategy": SKILLED}, np.zeros(len(ACTUAL)), WINDOW) is None
    assert (
        rank_forecasts_by_window({"strategy": np.full(len(ACTUAL), np.nan)}, ACTUAL, WINDOW)
        is None
    )


def test_forecasts_that_are_no_change_have_no_statistic_and_fit_json() -> None:
    ranking = rank_forecasts_by_window({"strategy": np.zeros(len(ACTUAL))}, ACTUAL, WINDOW)
    assert ranking is not None
    assert (ranking["statistic"], ranking["p_value"]) == (None, None)
    assert ranking["models"]["strategy"]["p_value_finner"] == 1.0
    json.dumps(ranking.as_dict(), allow_nan=False)
