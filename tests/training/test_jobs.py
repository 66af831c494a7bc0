"""The fits of a run: the strategy's for every horizon, the benchmarks' for the traded one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest

from engine.features.config import TargetSpec
from engine.models import Lstm, Ridge, TrainingSpec
from engine.splits.walk_forward import WalkForwardWindow
from engine.training.jobs import make_fit_tasks
from tests.training.histories import WINDOWS, ahead, history_of

if TYPE_CHECKING:
    from engine.training.task import FitTask

ONE = TargetSpec(horizon=3)
DIRECT = TargetSpec(horizon=3, horizons=(1, 3))
JOINT = TargetSpec(horizon=3, horizons=(1, 3), strategy="multi_output")
RECURSIVE = TargetSpec(horizon=3, horizons=(3, 4), strategy="recursive")


def planned(
    target: TargetSpec,
    seeds: int = 1,
    *,
    windows: tuple[WalkForwardWindow, ...] = WINDOWS,
    **bars: int,
) -> list[FitTask]:
    return make_fit_tasks(
        {"strategy": Lstm(lookback=2), "ridge": Ridge(lookback=2)},
        history_of(target, **bars),
        windows,
        ["X"],
        training=TrainingSpec(),
        seeds=seeds,
        seed=7,
    )


PURGED = WalkForwardWindow(0, range(5, 12), range(16, 20), range(24, 34))
"""A window with gaps as long as the longest of the horizons."""


def keys(target: TargetSpec, **bars: int) -> list[str]:
    return [task.key("jax", {}) for task in planned(target, windows=(PURGED,), **bars)]


def own(target: TargetSpec, seeds: int = 1) -> list[FitTask]:
    """Of the first window."""
    return [task for task in planned(target, seeds) if (task.book, task.window) == ("strategy", 0)]


def learnt(task: FitTask) -> np.ndarray:
    rows = np.concatenate([task.training_set.train, task.training_set.validation])
    return task.training_set.target[rows]


def came(bars: int) -> np.ndarray:
    window = WINDOWS[0]
    return np.concatenate([ahead(bars, window.train), ahead(bars, window.validation)])


def test_direct_has_one_fit_per_horizon() -> None:
    tasks = own(DIRECT, seeds=2)
    assert [(task.training_set.horizons, task.seed_index) for task in tasks] == [
        *(((1,), 0), ((1,), 1), ((3,), 0), ((3,), 1))
    ]
    for task in tasks:
        np.testing.assert_allclose(learnt(task), came(task.training_set.horizons[0]), rtol=1e-12)
        assert not task.training_set.recursive


def test_multi_output_is_one_fit_with_a_column_per_horizon() -> None:
    (task,) = own(JOINT)
    assert task.training_set.horizons == (1, 3)
    np.testing.assert_allclose(learnt(task), np.column_stack([came(1), came(3)]), rtol=1e-12)


def test_recursive_is_one_fit_of_the_next_bar() -> None:
    (task,) = own(RECURSIVE)
    assert task.training_set.recursive
    assert task.training_set.horizons == (3, 4)
    np.testing.assert_allclose(learnt(task), came(1), rtol=1e-12)


@pytest.mark.parametrize("target", [ONE, DIRECT, JOINT, RECURSIVE], ids=lambda t: t.strategy)
def test_benchmark_models_forecast_only_the_traded_horizon(target) -> None:
    rivals = [task for task in planned(target) if task.book == "ridge"]
    assert [task.training_set.horizons for task in rivals] == [(3,), (3,)]
    assert not any(task.training_set.recursive for task in rivals)
    np.testing.assert_allclose(learnt(rivals[0]), came(3), rtol=1e-12)


@pytest.mark.parametrize("target", [DIRECT, JOINT], ids=lambda t: t.strategy)
def test_all_fits_of_a_window_share_one_copy_of_the_inputs(target) -> None:
    tasks = [task for task in planned(target, seeds=2) if task.window == 1]
    assert len({id(task.training_set.inputs) for task in tasks}) == 1


def test_the_seeds_of_a_recursive_fit_share_one_copy_of_the_inputs() -> None:
    """It has a row more than those of the benchmarks: the label of the last one."""
    one, two = own(RECURSIVE, seeds=2)
    assert one.training_set is two.training_set
    assert len(one.training_set.inputs) == one.training_set.validation[-1] + 2


@pytest.mark.parametrize("target", [ONE, DIRECT, JOINT, RECURSIVE], ids=lambda t: t.strategy)
def test_no_array_of_a_task_reaches_past_the_last_validation_row(target) -> None:
    for task in planned(target):
        arrays = task.training_set
        rows = arrays.validation[-1] + 1
        assert len(arrays.inputs) == rows + arrays.recursive
        assert len(arrays.target) == rows + arrays.recursive
        assert len(arrays.trailing) == rows + arrays.recursive
        assert max(arrays.train.max(), arrays.validation.max()) < rows


@pytest.mark.parametrize("target", [ONE, DIRECT, JOINT, RECURSIVE], ids=lambda t: t.strategy)
def test_a_bar_appended_or_altered_in_the_test_part_changes_no_key(target) -> None:
    before = keys(target)
    for bars in range(PURGED.test.start + 1, PURGED.test.stop):
        assert keys(target, bars=bars) == before
    assert keys(target, changed_from=PURGED.test.start) == before
    assert not set(keys(target, changed_from=PURGED.validation[-1])) & set(before)


def test_further_horizons_do_not_change_the_traded_ones_seeds() -> None:
    alone = {
        (task.book, task.window, task.seed_index): task.seed for task in planned(ONE, seeds=2)
    }
    for target in (DIRECT, JOINT, RECURSIVE):
        traded = [task for task in planned(target, seeds=2) if 3 in task.training_set.horizons]
        assert {(t.book, t.window, t.seed_index): t.seed for t in traded} == alone
    seeds = [task.seed for task in planned(DIRECT, seeds=2) if task.book == "strategy"]
    assert len(set(seeds)) == len(seeds)


def test_a_fit_is_named_with_its_horizons_where_there_are_several() -> None:
    assert str(own(ONE)[0]) == "strategy X window 0 seed 0"
    assert [str(task) for task in own(DIRECT)] == [
        "strategy X window 0 seed 0 horizon 1",
        "strategy X window 0 seed 0 horizon 3",
    ]
    assert str(own(JOINT)[0]) == "strategy X window 0 seed 0 horizons 1, 3"
    assert str(planned(DIRECT)[2]) == "ridge X window 0 seed 0"
