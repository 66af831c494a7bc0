"""Net, gross and concentration of a book at each close."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.exposures import measure_exposures

WEIGHTS = pd.DataFrame(
    [[0.5, -0.25, 0.25], [0.0, 0.0, 0.0], [1.2, 0.0, 0.0], [-0.3, -0.3, -0.3]],
    columns=["A", "B", "C"],
)


def test_each_close_has_its_net_gross_and_largest_weight() -> None:
    found = measure_exposures(WEIGHTS)
    assert found["net_pct"].tolist() == pytest.approx([50, 0, 120, -90])
    assert found["gross_pct"].tolist() == pytest.approx([100, 0, 120, 90])
    assert found["largest_weight_pct"].tolist() == pytest.approx([50, 0, 120, 30])


def test_equal_positions_are_as_many_effective_ones_whatever_their_side() -> None:
    found = measure_exposures(WEIGHTS)
    assert found["herfindahl"].iloc[[0, 2, 3]].tolist() == pytest.approx([0.375, 1.0, 1 / 3])
    assert found["effective_positions"].iloc[3] == pytest.approx(3.0)


def test_without_a_position_there_is_no_concentration() -> None:
    found = measure_exposures(WEIGHTS)
    assert np.isnan(found.loc[1, ["herfindahl", "effective_positions"]].to_numpy()).all()
