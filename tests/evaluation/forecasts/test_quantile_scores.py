from __future__ import annotations

import json

import numpy as np
import pytest

from engine.evaluation.forecasts.scores import score_quantiles

LOW, HIGH = np.array([-0.02, -0.02, -0.02, -0.02]), np.array([0.02, 0.02, 0.02, 0.02])


def test_scores_written_out() -> None:
    actual = np.array([0.01, 0.02, -0.03, np.nan])
    scores = score_quantiles({0.1: LOW, 0.5: np.zeros(4), 0.9: HIGH}, actual, {0.5: HIGH})
    # Errors of the levels 0.1, 0.5 and 0.9, row by row.
    pinball = [0.1 * 0.03, 0.5 * 0.01, 0.1 * 0.01, 0.1 * 0.04, 0.5 * 0.02, 0.0]
    pinball += [0.9 * 0.01, 0.5 * 0.03, 0.1 * 0.05]
    assert scores["pinball_bps"] == pytest.approx(10_000 * sum(pinball) / 9)
    assert scores["unconditional_pinball_bps"] == pytest.approx(10_000 * 0.5 * 0.06 / 3)
    (interval,) = scores["intervals"]
    assert interval == {
        "low": 0.1,
        "high": 0.9,
        "nominal_pct": 80.0,
        "coverage_pct": pytest.approx(200 / 3),
        "mean_width_bps": pytest.approx(400),
    }


def test_only_symmetric_levels_make_intervals_the_widest_first() -> None:
    levels = {level: np.full(4, level - 0.5) for level in (0.3, 0.9, 0.05, 0.5, 0.1, 0.95)}
    scores = score_quantiles(levels, np.zeros(4), levels)
    assert [(i["low"], i["high"]) for i in scores["intervals"]] == [(0.05, 0.95), (0.1, 0.9)]


def test_true_quantiles_have_nominal_coverage_and_the_lowest_loss() -> None:
    rng = np.random.default_rng(4)
    actual = rng.normal(size=40_000)
    at = {level: np.quantile(rng.normal(size=40_000), level) for level in (0.1, 0.9)}
    true = {level: np.full(40_000, z) for level, z in at.items()}
    for factor in (0.7, 1.4):
        wrong = {level: factor * values for level, values in true.items()}
        scores = score_quantiles(true, actual, wrong)
        assert scores["intervals"][0]["coverage_pct"] == pytest.approx(80, abs=1)
        assert scores["pinball_bps"] < scores["unconditional_pinball_bps"]


def test_without_a_known_row_nothing_is_scored() -> None:
    scores = score_quantiles({0.1: LOW, 0.9: HIGH}, np.full(4, np.nan), {0.1: LOW, 0.9: HIGH})
    assert scores["pinball_bps"] is None
    assert scores["intervals"][0]["coverage_pct"] is None
    json.dumps(scores, allow_nan=False)
