"""Several schedules of windows, compared on their common bars."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from engine.evaluation.metrics.return_metrics import max_drawdown, sharpe, total_return
from engine.evaluation.robustness.offset_paths import SchedulePath, compare_offset_paths

INDEX = pd.date_range("2020-01-01", periods=300, tz="UTC", name="timestamp")


def schedule(shift: int, mean: float) -> SchedulePath:
    values = mean + 0.01 * np.random.default_rng(shift).standard_normal(300 - shift)
    return SchedulePath(pd.Series(values, index=INDEX[shift:]), windows=4, left_out_fits=shift)


def test_all_schedules_are_measured_on_the_bars_of_the_last_one() -> None:
    schedules = [schedule(0, 0.0), schedule(10, 0.002), schedule(25, -0.002)]
    figures = compare_offset_paths(schedules, 365.0)
    assert (figures.offsets, figures.bars) == (3, 275)
    assert figures.first == INDEX[25].isoformat()
    for path, each in zip(figures.paths, schedules, strict=True):
        common = each.returns.loc[INDEX[25] :].to_numpy()
        assert path.sharpe == sharpe(common, 365.0)
        assert path.total_return_pct == 100 * total_return(common)
        assert path.max_drawdown_pct == 100 * max_drawdown(common)
    assert [path.shift_bars for path in figures.paths] == [0, 10, 25]
    assert [path.left_out_fits for path in figures.paths] == [0, 10, 25]


def test_the_run_ranks_among_its_schedules() -> None:
    lucky = [schedule(0, 0.01), schedule(1, 0.0), schedule(2, 0.0)]
    unlucky = [schedule(0, -0.01), schedule(1, 0.0), schedule(2, 0.0)]
    assert compare_offset_paths(lucky, 365.0).rank == 1
    assert compare_offset_paths(unlucky, 365.0).rank == 3


def test_schedules_are_compared_with_holding_on_the_same_bars() -> None:
    holding = pd.Series(0.001 + 0.01 * np.random.default_rng(9).standard_normal(300), index=INDEX)
    schedules = [schedule(0, 0.02), schedule(5, 0.02), schedule(9, -0.02), schedule(12, -0.02)]
    figures = compare_offset_paths(schedules, 365.0, holding=holding)
    assert figures.holding_sharpe == sharpe(holding[12:].to_numpy(), 365.0)
    assert figures.spread.above_holding_share == figures.spread.positive_share == 0.5
    assert compare_offset_paths(schedules, 365.0).spread.above_holding_share is None


def test_a_schedule_that_never_trades_has_no_ratio() -> None:
    still = SchedulePath(pd.Series(0.0, index=INDEX), windows=4)
    figures = compare_offset_paths([still, schedule(5, 0.01)], 365.0)
    assert figures.paths[0].sharpe is figures.rank is None
    assert figures.spread.positive_share == pytest.approx(0.5)


def test_one_schedule_is_not_compared() -> None:
    assert compare_offset_paths([schedule(0, 0.0)], 365.0) is None
