from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.metrics.by_window import sharpe_by_window


def test_each_window_is_judged_on_its_own_bars_alone() -> None:
    returns = np.array([[0.01, 0.0], [0.03, 0.0], [0.02, 0.1], [-0.02, 0.3], [0.0, 0.2]])
    found = sharpe_by_window(returns, np.array([4, 4, 5, 5, 5]), periods_per_year=4)
    assert list(found) == [4, 5]
    # Means 0.02 and 0, deviations 0.01 sqrt(2) and 0.02, two periods a half year each.
    assert found[4] == (pytest.approx(2 * 0.02 / (0.01 * 2**0.5)), None)
    assert found[5] == (pytest.approx(0.0, abs=1e-12), pytest.approx(4.0))


def test_a_window_of_one_bar_has_no_ratio() -> None:
    assert sharpe_by_window(np.array([[0.1]]), np.array([0]), 252) == {0: (None,)}
