"""The run from other start dates, and without single windows."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.return_metrics import sharpe
from engine.evaluation.robustness.window_subsets import describe_spread, measure_window_subsets

WINDOWS = np.repeat([0, 1, 2, 3], [100, 100, 100, 20])


def returns(seed: int = 0) -> pd.DataFrame:
    values = 0.01 * np.random.default_rng(seed).standard_normal((len(WINDOWS), 2))
    index = pd.date_range("2020-01-01", periods=len(WINDOWS), tz="UTC", name="timestamp")
    return pd.DataFrame(values, index=index, columns=["strategy", "buy_and_hold"])


def test_starts_are_the_windows_that_leave_thirty_bars() -> None:
    frame = returns()
    subsets = measure_window_subsets(frame, WINDOWS, 365.0, holding="buy_and_hold")
    assert [each.window for each in subsets.starts] == [0, 1, 2]
    assert [each.bars for each in subsets.starts] == [320, 220, 120]
    assert subsets.starts[1].first == frame.index[100].isoformat()
    own = frame["strategy"].to_numpy()
    assert subsets.starts[1].sharpe == sharpe(own[100:], 365.0)
    assert subsets.starts[0].sharpe == sharpe(own, 365.0)


def test_every_window_is_left_out_once() -> None:
    frame = returns()
    subsets = measure_window_subsets(frame, WINDOWS, 365.0, holding="buy_and_hold")
    assert [each.window for each in subsets.without] == [0, 1, 2, 3]
    held = frame["buy_and_hold"].to_numpy()
    assert subsets.without[1].holding_sharpe == sharpe(
        np.concatenate([held[:100], held[200:]]), 365.0
    )
    assert subsets.without[1].bars == 220


def test_the_result_of_one_lucky_window_is_seen_by_leaving_it_out() -> None:
    frame = returns()
    frame.iloc[100:200, 0] += 0.02
    without = measure_window_subsets(frame, WINDOWS, 365.0).without
    ratios = {each.window: each.sharpe for each in without}
    assert ratios[1] < 2 < min(ratios[0], ratios[2], ratios[3])


def test_a_single_window_has_no_subsets() -> None:
    assert measure_window_subsets(returns(), np.zeros(len(WINDOWS)), 365.0) is None


def test_the_spread_counts_paths_without_a_ratio_as_not_above() -> None:
    spread = describe_spread([1.0, 3.0, None, -1.0], [2.0, 2.0, 2.0, None])
    assert (spread.minimum, spread.median, spread.maximum) == (-1.0, 1.0, 3.0)
    assert spread.positive_share == 0.5
    assert spread.above_holding_share == pytest.approx(1 / 3)
    assert describe_spread([None], [1.0]).median is None
    assert describe_spread([1.0], [None]).above_holding_share is None
