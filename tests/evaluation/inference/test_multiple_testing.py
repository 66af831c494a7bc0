from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.inference.multiple_testing import holm, holm_by_name


def test_holm_written_out() -> None:
    # Sorted 0.01, 0.02, 0.03, 0.04 times 4, 3, 2, 1, never falling.
    assert holm([0.04, 0.01, 0.03, 0.02]) == pytest.approx([0.06, 0.04, 0.06, 0.06])
    assert holm([0.7, 0.6]) == [1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("seed", range(5))
def test_holm_equals_statsmodels(seed: int) -> None:
    from statsmodels.stats.multitest import multipletests

    p_values = np.random.default_rng(seed).random(7) ** 3
    expected = multipletests(p_values, method="holm")[1]
    np.testing.assert_allclose(holm(list(p_values)), expected, rtol=1e-12)


def test_undefined_tests_do_not_count() -> None:
    adjusted = holm_by_name({"a": 0.03, "b": None, "c": 0.01})
    assert adjusted == pytest.approx({"a": 0.03, "b": None, "c": 0.02})
    assert list(adjusted) == ["a", "b", "c"]
    assert holm_by_name({"a": None}) == {"a": None}
    assert holm_by_name({}) == {}
