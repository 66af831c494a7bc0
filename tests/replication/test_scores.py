"""The scores of the paper against figures computed by hand."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from engine.evaluation.forecasts.scores import auc
from engine.replication.livieris2021.scores import (
    compute_scores,
    direction_scores,
    price_error_scores,
)


def test_errors_of_prices() -> None:
    scores = price_error_scores(np.array([10.0, 12.0, 14.0]), np.array([11.0, 12.0, 12.0]))
    # Errors -1, 0, 2; squares sum to 5; prices vary by 8 around their mean of 12.
    assert scores == pytest.approx({"mae": 1.0, "rmse": sqrt(5 / 3), "r2": 1 - 5 / 8})


def test_constant_prices_have_no_r2() -> None:
    assert price_error_scores(np.full(3, 7.0), np.full(3, 7.0))["r2"] is None


def test_scores_of_hard_labels() -> None:
    up = np.array([1, 1, 1, 1, 0, 0], dtype=bool)
    predicted_up = np.array([1, 1, 1, 0, 0, 1], dtype=bool)
    # 3 of 4 ups and 1 of 2 downs: TP 3, TN 1.
    assert direction_scores(up, predicted_up) == pytest.approx(
        {
            "accuracy_pct": 100 * 4 / 6,
            "auc": (3 / 4 + 1 / 2) / 2,
            "gm": sqrt(3 * 1),
            "sensitivity": 3 / 4,
            "specificity": 1 / 2,
        }
    )


def test_a_direction_without_days_has_no_score() -> None:
    scores = direction_scores(np.array([True, True]), np.array([True, False]))
    assert scores == {
        "accuracy_pct": 50.0,
        "auc": None,
        "gm": 0.0,
        "sensitivity": 0.5,
        "specificity": None,
    }


def test_a_tie_counts_as_down() -> None:
    previous, actual = np.array([5.0, 6.0, 6.0, 5.0]), np.array([6.0, 6.0, 5.0, 7.0])
    scores = compute_scores(previous, actual, np.zeros(4))
    # Days 2 to 4 were flat, down, up; no difference is never up.
    assert (scores["sensitivity"], scores["specificity"]) == (0.0, 1.0)
    assert scores["accuracy_pct"] == pytest.approx(100 * 2 / 3)


def test_the_first_day_counts_for_errors_only() -> None:
    previous, actual = np.array([5.0, 9.0]), np.array([9.0, 8.0])
    scores = compute_scores(previous, actual, np.array([-1.0, -1.0]))
    assert scores["accuracy_pct"] == 100.0
    assert scores["mae"] == pytest.approx((5.0 + 0.0) / 2)


def test_the_auc_is_that_of_the_label_as_score() -> None:
    rng = np.random.default_rng(0)
    up, predicted_up = rng.random(152) < 0.57, rng.random(152) < 0.7
    assert direction_scores(up, predicted_up)["auc"] == pytest.approx(
        auc(predicted_up.astype(float), up)
    )
