from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.proportion import proportion_confint

from engine.evaluation.direction import direction, wilson
from tests.evaluation.forecasts import made


@pytest.mark.parametrize(("hits", "rows"), [(0, 5), (3, 5), (55, 100), (100, 100)])
def test_wilsons_interval_equals_statsmodels(hits: int, rows: int) -> None:
    other = proportion_confint(hits, rows, alpha=0.1, method="wilson")
    assert wilson(hits / rows, rows, 0.9) == pytest.approx(other, abs=1e-12)


def test_hits_are_right_directions_and_always_up_is_the_share_that_rose() -> None:
    found = direction(made([1, 1, -1, -1, 0], [1, -1, -1, 1, 0]), 1, 0.95)
    assert found
    assert (found.rows, found.hits, found.up) == (5, 0.6, 0.4)


def test_overlapping_outcomes_count_as_fewer() -> None:
    table = made(np.tile([1.0, -1.0], 50), np.ones(100))
    single, overlapping = direction(table, 1, 0.95), direction(table, 5, 0.95)
    assert single
    assert overlapping
    assert (overlapping.low, overlapping.high) == pytest.approx(wilson(0.5, 20, 0.95))
    assert overlapping.low < single.low < single.high < overlapping.high


def test_no_forecast_has_no_direction() -> None:
    assert direction(made([], []), 1, 0.95) is None
