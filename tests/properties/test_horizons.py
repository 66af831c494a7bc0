"""However many horizons are forecast, no label of a part reaches a bar of the next."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.data.config import DataSpec
from engine.data.market import Market
from engine.features.config import LogReturn, TargetSpec
from engine.models import Lstm, Ridge
from engine.pipeline.prepare import prepare_data
from engine.splits.config import WindowSpec
from engine.strategy import Strategy
from engine.training.jobs import make_fit_tasks
from tests.hypothesis_examples import examples

if TYPE_CHECKING:
    from engine.training.task import FitTask

BARS = 110
LONGEST = 9


@st.composite
def targets(draw: st.DrawFn) -> TargetSpec:
    horizons = sorted(draw(st.sets(st.integers(1, LONGEST), min_size=1, max_size=4)))
    return TargetSpec(
        horizon=draw(st.sampled_from(horizons)),
        horizons=tuple(horizons),
        strategy=draw(st.sampled_from(["direct", "multi_output", "recursive"])),
    )


def market(seed: int, changed_from: int = BARS) -> Market:
    """One symbol; from a bar on all of its prices are others."""
    moves = np.random.default_rng(seed).normal(0, 0.02, BARS)
    close = 100 * np.exp(np.cumsum(moves))
    close[changed_from:] *= np.exp(np.random.default_rng(seed + 1).normal(0, 1, BARS))[
        changed_from:
    ]
    bars = pd.DataFrame(
        {
            "timestamp": pd.date_range("2020-01-01", periods=BARS, tz="UTC"),
            "symbol": "X",
            **dict.fromkeys(("open", "high", "low", "close"), close),
            "volume": 1.0,
        }
    )
    return Market(bars, ("X",), "1d", "24/7", 365.0, {"offline": False})


def tasks_of(target: TargetSpec, embargo: int, bars: Market) -> tuple[list[FitTask], tuple]:
    spec = Strategy(
        name="x",
        data=DataSpec(dataset="x"),
        features=(LogReturn(periods=2),),
        target=target,
        windows=WindowSpec(train=25, validation=8, test=20, embargo=embargo),
        model=Lstm(lookback=3),
        benchmarks=(Ridge(lookback=2),),
    )
    ground = prepare_data(spec, bars)
    tasks = make_fit_tasks(
        spec.forecasters(),
        ground.feature_history,
        ground.windows,
        ground.targets,
        training=spec.training,
        seeds=1,
        seed=0,
    )
    return tasks, ground.windows


def key(task: FitTask) -> str:
    return task.key("jax", {})


def key_of_train_rows(task: FitTask) -> str:
    """The task's key, if its arrays ended with the last train row."""
    arrays = task.training_set
    stop = arrays.train[-1] + 1
    cut = replace(
        arrays,
        inputs=arrays.inputs[: stop + arrays.recursive],
        target=arrays.target[:stop],
        trailing=arrays.trailing[:stop],
        validation=arrays.validation[:0],
    )
    return key(replace(task, training_set=cut, realised=None))


SEEDS = st.integers(0, 2**32 - 2)


@pytest.mark.slow
@examples(40)
@given(targets(), st.integers(0, 3), SEEDS)
def test_other_bars_from_the_test_part_on_change_nothing_that_is_trained_on(
    target: TargetSpec, embargo: int, seed: int
) -> None:
    tasks, windows = tasks_of(target, embargo, market(seed))
    for window in windows:
        own = [place for place, task in enumerate(tasks) if task.window == window.index]
        after_validation, _ = tasks_of(target, embargo, market(seed, window.test.start))
        after_train, _ = tasks_of(target, embargo, market(seed, window.validation.start))
        for place in own:
            assert key(after_validation[place]) == key(tasks[place])
            assert key_of_train_rows(after_train[place]) == key_of_train_rows(tasks[place])


@examples(40)
@given(targets(), st.integers(0, 3), SEEDS)
def test_every_row_that_is_trained_on_has_all_of_its_returns(
    target: TargetSpec, embargo: int, seed: int
) -> None:
    for task in tasks_of(target, embargo, market(seed))[0]:
        arrays = task.training_set
        every = np.concatenate([arrays.train, arrays.validation])
        assert np.isfinite(arrays.target[every]).all()
        assert np.isfinite(arrays.trailing[every]).all()
        assert len(arrays.trailing) == arrays.validation[-1] + 1 + arrays.recursive


@pytest.mark.parametrize("strategy", ["direct", "multi_output"])
def test_the_purge_is_no_wider_than_the_longest_horizon_needs(strategy: str) -> None:
    target = TargetSpec(horizons=(1, LONGEST), strategy=strategy)
    tasks, windows = tasks_of(target, 0, market(3))
    changed, _ = tasks_of(target, 0, market(3, windows[0].test.start - 1))
    differ = {
        task.training_set.horizons: key(task) != key(other)
        for task, other in zip(tasks, changed, strict=True)
        if (task.window, task.book) == (0, "strategy")
    }
    expected = (
        {(1, LONGEST): True} if strategy == "multi_output" else {(1,): False, (LONGEST,): True}
    )
    assert differ == expected
