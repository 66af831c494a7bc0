"""The interval of a proportion against the one of SciPy."""

from __future__ import annotations

import pytest
from scipy.stats import binomtest

from engine.selftest.proportion import estimate_proportion


@pytest.mark.parametrize(("count", "total"), [(0, 20), (1, 20), (18, 300), (60, 60), (1, 1)])
@pytest.mark.parametrize("confidence", [0.95, 0.99])
def test_the_interval_is_that_of_clopper_and_pearson(count, total, confidence) -> None:
    estimate = estimate_proportion([True] * count + [False] * (total - count), confidence)
    expected = binomtest(count, total).proportion_ci(confidence, "exact")

    assert (estimate.count, estimate.total, estimate.rate) == (count, total, count / total)
    assert (estimate.low, estimate.high) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_its_text_is_in_per_cent() -> None:
    assert str(estimate_proportion([True, False])) == "1 of 2: 50.0 % (0.3 to 99.7 %)"
