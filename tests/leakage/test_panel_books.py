"""The book that turns at every bar, on a panel whose weights are optima."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.leakage.alternating import AlternatingProbe
from engine.selftest.generated_panel import PANEL_STRATEGY, generate_panel
from engine.strategy import Strategy
from tests.live.replays import backtest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

OPTIMUM = {"allocation": {"kind": "min_variance", "window": 20}, "rebalance": 90}


def test_weights_up_to_a_cutoff_are_compared_where_later_rows_are_cut_off(tmp_path: Path) -> None:
    spec = Strategy.model_validate(PANEL_STRATEGY | {"benchmarks": [], "portfolio": OPTIMUM})
    result = backtest(spec, generate_panel(np.random.default_rng(3)), tmp_path)
    pairs = list(AlternatingProbe(result).pair_positions(result.prepared, 60, 0, up=True))
    assert pairs
    for pair in pairs:
        np.testing.assert_array_equal(pair.original, pair.perturbed)
        assert np.any(pair.original)
