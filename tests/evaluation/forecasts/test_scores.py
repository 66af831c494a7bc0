from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import r2_score, roc_auc_score

from engine.core.errors import TrainingError
from engine.evaluation.forecasts.scores import auc, average_over_seeds, score_forecasts

PREDICTED = np.array([0.01, -0.02, 0.03, 0.01, -0.01])
ACTUAL = np.array([0.02, -0.01, -0.01, 0.0, np.nan])
STAYS = np.zeros(5)


def test_scores_written_out() -> None:
    scores = score_forecasts(PREDICTED, ACTUAL, STAYS)
    # Errors 0.01, 0.01, -0.04, -0.01; the price moved 0.02, -0.01, -0.01, 0.
    assert scores["bars"] == 4
    assert scores["mae_bps"] == pytest.approx(175.0)
    assert scores["rmse_bps"] == pytest.approx(np.sqrt(0.0019 / 4) * 10_000)
    assert scores["r2"] == pytest.approx(1 - 0.0019 / 0.0006)
    assert scores["persistence_mae_bps"] == pytest.approx(100.0)
    assert scores["persistence_rmse_bps"] == pytest.approx(np.sqrt(0.0006 / 4) * 10_000)
    assert scores["r2_vs_persistence"] == pytest.approx(1 - 0.0019 / 0.0006)
    assert scores["directional_accuracy_pct"] == 50.0
    assert scores["up_share_pct"] == 25.0


def test_a_tie_counts_as_down() -> None:
    scores = score_forecasts(STAYS, ACTUAL, STAYS)
    assert scores["directional_accuracy_pct"] == 75.0
    assert scores["r2_vs_persistence"] == 0.0
    assert scores["auc"] == 0.5


def test_perfect_forecasts_score_one() -> None:
    scores = score_forecasts(ACTUAL, ACTUAL, STAYS)
    assert (scores["r2"], scores["auc"], scores["directional_accuracy_pct"]) == (1.0, 1.0, 100.0)
    assert scores["mae_bps"] == 0.0


def test_rows_whose_outcome_is_unknown_are_left_out() -> None:
    assert score_forecasts(PREDICTED, ACTUAL, STAYS) == score_forecasts(
        PREDICTED[:4], ACTUAL[:4], STAYS[:4]
    )


def test_without_a_known_row_nothing_is_scored() -> None:
    scores = score_forecasts(PREDICTED, np.full(5, np.nan), STAYS)
    assert scores.pop("bars") == 0
    assert set(scores.values()) == {None}


def test_auc_and_r2_of_constant_outcomes_are_none() -> None:
    scores = score_forecasts(PREDICTED, np.full(5, 0.01), STAYS)
    assert scores["auc"] is None
    assert scores["r2"] is None


def test_a_nan_prediction_is_rejected() -> None:
    with pytest.raises(TrainingError, match="1 of 4 rows"):
        score_forecasts(np.array([0.1, np.nan, 0.1, 0.1, np.nan]), ACTUAL, STAYS)


@pytest.mark.parametrize("digits", [1, 2, 6])
def test_auc_and_r2_equal_scikit_learn_with_ties_too(digits: int) -> None:
    rng = np.random.default_rng(3)
    actual = rng.standard_normal(500)
    predicted = np.round(0.3 * actual + rng.standard_normal(500), digits)
    scores = score_forecasts(predicted, actual, np.zeros(500))
    assert auc(predicted, actual > 0) == pytest.approx(roc_auc_score(actual > 0, predicted))
    assert scores["r2"] == pytest.approx(r2_score(actual, predicted))


def test_the_traded_forecast_is_the_mean_over_seeds_of_its_horizon_with_a_known_outcome() -> None:
    stamps = pd.date_range("2020-01-01", periods=2, tz="UTC")
    rows = [
        (stamps[bar], "A", seed, horizon, 0.01 * seed + bar + horizon, np.nan if bar else 0.5)
        for bar in (0, 1)
        for seed in (0, 1)
        for horizon in (1, 5)
    ]
    columns = ["timestamp", "symbol", "seed", "horizon", "predicted", "actual"]
    result = average_over_seeds(pd.DataFrame(rows, columns=columns), 5)
    assert result.to_dict("list") == {
        "timestamp": [stamps[0]],
        "symbol": ["A"],
        "predicted": [pytest.approx(5.005)],
        "actual": [0.5],
    }
