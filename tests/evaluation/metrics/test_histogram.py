from __future__ import annotations

import numpy as np
import pytest

from engine.evaluation.metrics.histogram import bin_edges, exceedance_curve


def test_bins_are_equal_contain_every_value_and_have_an_edge_at_zero() -> None:
    values = np.random.default_rng(2).standard_t(3, 500)
    edges = bin_edges(values)
    assert edges[0] <= values.min()
    assert values.max() < edges[-1]
    assert np.ptp(np.diff(edges)) < 1e-9
    assert np.abs(edges).min() < 1e-12
    assert 12 <= len(edges) - 1 <= 82


@pytest.mark.parametrize("values", [[], [0.4], [0.0, 0.0], [-1.0, -1.0, 3.0]])
def test_bins_exist_whatever_the_values(values: list[float]) -> None:
    edges = bin_edges(np.array(values))
    assert (np.diff(edges) > 0).all()
    assert np.histogram(values, edges)[0].sum() == len(values)


def test_a_long_tail_keeps_its_largest_sizes_and_samples_the_others() -> None:
    sizes = np.random.default_rng(3).normal(size=20_000)
    size, count = exceedance_curve(sizes)
    assert len(size) < 200
    assert size[:60].tolist() == np.sort(sizes)[::-1][:60].tolist()
    for drawn, at_least in zip(size, count, strict=True):
        assert at_least == (sizes >= drawn).sum()
