"""The strategy under further schedules of windows: the same stages, and no later row."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.data import load_market
from engine.pipeline.offset_paths import OffsetRun, run_offset_paths
from engine.pipeline.prepare import prepare_data
from engine.pipeline.schedules import prepare_delayed_data
from engine.strategy import Strategy, load_strategy
from engine.training.store import FitStore
from tests.pipeline.markets import (
    BARS,
    SYMBOLS,
    bars,
    changed_after,
    market,
    write_market,
    write_strategy,
)
from tests.training.chained import Chained
from tests.training.in_process import Counted, Failing, InProcess, Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from engine.pipeline.prepared_data import PreparedData

OFFSETS = 4
# In the first test part of every schedule, between two of their starts, and near the end.
CUTS = (440, 505, BARS - 20)


def load(folder: Path, dataset: Path, *, offsets: int = OFFSETS, **more: object) -> Strategy:
    return load_strategy(write_strategy(folder, dataset), {"paths.offsets": offsets, **more})


def prepare(strategy: Strategy, home: Path) -> tuple[PreparedData, tuple[PreparedData, ...]]:
    loaded = load_market(
        strategy.data, home=home, offline=False, override=None, progress=NullProgress()
    )
    prepared = prepare_data(strategy, loaded)
    return prepared, prepare_delayed_data(strategy, prepared)


def trade(
    strategy: Strategy, home: Path, executor: InProcess | None = None, progress=None
) -> list[OffsetRun]:
    return run_offset_paths(
        strategy,
        prepare(strategy, home)[1],
        executor or InProcess(),
        FitStore(home / "fits"),
        progress or NullProgress(),
        fresh=False,
    )


@pytest.fixture(scope="module")
def dataset(module_folder: Path) -> Path:
    return market(module_folder / "market")


@pytest.fixture(scope="module")
def original(module_folder: Path, dataset: Path) -> list[OffsetRun]:
    return trade(load(module_folder, dataset), module_folder / "home")


def test_the_starts_are_shifted_by_equal_parts_of_a_test_part(module_folder, dataset) -> None:
    prepared, delayed = prepare(load(module_folder, dataset), module_folder / "home")
    first = prepared.windows[0].test.start
    assert [each.windows[0].test.start - first for each in delayed] == [20, 40, 60]
    assert {each.span[-1] for each in delayed} == {prepared.span[-1]}


@pytest.mark.parametrize("cut", CUTS)
def test_no_schedule_knows_what_comes_after_a_bar(
    original: list[OffsetRun], module_folder: Path, cut: int
) -> None:
    other = trade(
        load(module_folder, changed_after(module_folder / f"bars{cut}", cut)),
        module_folder / "home",
    )
    for one, two in zip(original, other, strict=True):
        differing = one.returns.ne(two.returns)
        bar = one.prepared.feature_history.features.timestamps[cut]
        assert differing.any(), "other bars must make a difference after the cut"
        assert differing.idxmax() > bar


@pytest.mark.slow
def test_a_schedule_is_the_run_that_begins_there(module_folder: Path) -> None:
    """A run on bars without the first 20, so that its windows begin where the second schedule's
    do, holds the same positions from the same forecasts."""
    whole, folder = market(module_folder / "whole"), module_folder / "later"
    later = write_market(
        folder, {symbol: bars(seed).iloc[20:] for seed, symbol in enumerate(SYMBOLS)}
    )
    home = module_folder / "home"
    second = trade(load(module_folder, whole), home)[0]
    alone = engine.run(load(module_folder, later, offsets=1), out=folder, home=home, pages=False)
    own = alone.returns["strategy"]
    assert second.returns.index.equals(own.index)
    np.testing.assert_allclose(second.returns, own, rtol=0, atol=1e-12)


@pytest.mark.slow
def test_the_run_itself_does_not_depend_on_its_further_schedules(
    module_folder: Path, dataset: Path
) -> None:
    alone, among = (
        engine.run(
            load(module_folder, dataset, offsets=offsets),
            out=module_folder / "runs",
            home=module_folder / "home",
            pages=False,
        )
        for offsets in (1, OFFSETS)
    )
    pd.testing.assert_frame_equal(alone.returns, among.returns)
    assert alone.metrics == among.metrics
    assert "offset_paths" not in alone.significance
    figures = among.significance.offset_paths
    assert figures is not None
    assert [path.shift_bars for path in figures.paths] == [0, 20, 40, 60]
    assert figures.bars == len(among.returns) - 60
    own = among.returns["strategy"].to_numpy()[60:]
    assert figures.paths[0].total_return_pct == pytest.approx(100 * (np.prod(1 + own) - 1))
    assert "paths" in among.manifest["timings_s"]


def test_schedules_that_cannot_differ_are_refused_before_any_training(
    module_folder: Path, dataset: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(load(module_folder, dataset, **{"windows.test": 3}), module_folder / "home")
    assert caught.value.where == "paths.offsets"
    assert "windows.test: 3" in caught.value.expected
    assert "4 schedules with 3 different starts" in caught.value.found


@pytest.mark.slow
@pytest.mark.parametrize("test", [3, 7, "1w", "10d"])
def test_the_largest_number_of_schedules_that_is_named_works_and_one_more_does_not(
    module_folder: Path, dataset: Path, test: int | str
) -> None:
    home, length = module_folder / "home", {"windows.test": test}
    with pytest.raises(UsageError, match="same start") as caught:
        prepare(load(module_folder, dataset, offsets=64, **length), home)
    most = int(caught.value.fix.split()[3].rstrip(","))
    assert f"at most {most}," in caught.value.expected
    _, delayed = prepare(load(module_folder, dataset, offsets=most, **length), home)
    assert len(delayed) == most - 1
    with pytest.raises(UsageError, match="same start"):
        prepare(load(module_folder, dataset, offsets=most + 1, **length), home)


def test_too_few_common_bars_are_refused(module_folder: Path, dataset: Path) -> None:
    with pytest.raises(UsageError, match="too few bars in common") as caught:
        prepare(load(module_folder, dataset, **{"windows.test": 420}), module_folder / "home")
    assert "at least 30" in caught.value.expected


def test_an_interrupt_keeps_the_fits_and_a_second_run_trains_nothing(
    module_folder: Path, dataset: Path
) -> None:
    strategy = load(module_folder, dataset).model_copy(update={"model": Chained()})
    home = module_folder / "networks"
    first, second, third = Interrupted(), InProcess(), InProcess()
    with pytest.raises(KeyboardInterrupt):
        trade(strategy, home, first)
    progress = Counted()
    resumed = trade(strategy, home, second, progress)
    windows = sum(len(each.prepared.windows) for each in resumed)
    assert len(first.fitted) == 3
    assert len(second.fitted) == windows - 3
    again = trade(strategy, home, third)
    assert third.fitted == []
    for one, two in zip(resumed, again, strict=True):
        pd.testing.assert_series_equal(one.returns, two.returns)
    done = [count for count, _, _ in progress.counts]
    assert done == sorted(done)
    assert progress.counts[-1][:2] == (windows, windows)
    assert progress.counts[0][2].startswith("offset 1 of 4, ")
    assert "strategy, offset 3 of 4, AAA window 0 seed 0" in second.fitted


def test_fits_that_are_left_out_are_counted(module_folder: Path, dataset: Path) -> None:
    skipping = {"model": Chained(), "on_failure": "skip"}
    strategy = load(module_folder, dataset).model_copy(update=skipping)
    for each in trade(strategy, module_folder / "failing", Failing()):
        assert each.left_out == len(each.prepared.windows)
        assert (each.returns == 0.0).all()
