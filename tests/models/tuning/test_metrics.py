"""Scores of configurations against figures by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engine.models.tuning.metrics import compute_score
from tests.models.planted_data import planted

TRUTH = np.array([0.02, -0.01, 0.0, 0.03])
SAID = np.array([0.01, 0.01, -0.01, 0.01])
KNOWN = replace(planted().training_set, target=TRUTH)
ROWS = np.arange(4)


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        ("mse", (1 + 4 + 1 + 4) * 1e-4 / 4),
        ("mae", 0.06 / 4),
        ("directional_accuracy", 3 / 4),  # row 1 fell; row 2 was zero, not positive
        ("sharpe", np.mean([0.02, -0.01, 0.0, 0.03]) / np.std([0.02, -0.01, 0.0, 0.03])),
    ],
)
def test_a_score_equals_the_figure_by_hand(metric, value) -> None:
    assert compute_score(metric, KNOWN, ROWS, SAID) == pytest.approx(value)


def test_a_forecast_of_zeros_has_no_sharpe_ratio() -> None:
    assert np.isnan(compute_score("sharpe", KNOWN, ROWS, np.zeros(4)))


def test_several_horizons_have_equal_weight() -> None:
    both = replace(KNOWN, target=np.column_stack([TRUTH, 2 * TRUTH]), horizons=(1, 5))
    said = np.column_stack([SAID, SAID])
    one = compute_score("sharpe", KNOWN, ROWS, SAID)
    assert compute_score("sharpe", both, ROWS, said) == pytest.approx(one)
    assert compute_score("directional_accuracy", both, ROWS, said) == 3 / 4


def test_recursive_realised_returns_compound_and_skip_unknown_rows() -> None:
    recursive = replace(KNOWN, horizons=(1, 3), recursive=True)
    np.testing.assert_allclose(
        recursive.realised_returns(np.array([0, 1])),
        [[0.02, 1.02 * 0.99 * 1.0 - 1], [-0.01, 0.99 * 1.0 * 1.03 - 1]],
    )
    assert np.isnan(recursive.realised_returns(np.array([2]))[0, 1])
    exact = recursive.realised_returns(ROWS)
    assert compute_score("mse", recursive, ROWS, exact) == pytest.approx(0.0)
    assert np.isnan(compute_score("mse", recursive, ROWS[2:], exact[2:]))
