"""Cross-validated paths: no fit knows a bar of its test groups, and the run stays as it is."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pandas as pd
import pytest

import engine
from engine.core.errors import UsageError
from engine.core.progress import NullProgress
from engine.data import load_market
from engine.pipeline.combinatorial_paths import CombinatorialRun, run_combinatorial_paths
from engine.pipeline.combinatorial_splits import CombinatorialData, prepare_combinatorial_data
from engine.pipeline.prepare import prepare_data
from engine.strategy import Strategy, load_strategy
from engine.training.store import FitStore
from tests.pipeline.markets import SYMBOLS, bars, market, write_market, write_strategy
from tests.training.chained import Chained
from tests.training.in_process import Counted, Failing, InProcess, Interrupted

if TYPE_CHECKING:
    from pathlib import Path

    from engine.training.task import FitTask

GROUPS = {"paths.groups": 4, "paths.test_groups": 2}
SEVERAL = {"data.targets": "all", "inputs": "target"}
POOLED = {**SEVERAL, "scope": "pooled"}


def load(folder: Path, dataset: Path, **more: object) -> Strategy:
    return load_strategy(write_strategy(folder, dataset), {**GROUPS, **more})


def prepare(strategy: Strategy, home: Path) -> CombinatorialData:
    loaded = load_market(
        strategy.data, home=home, offline=False, override=None, progress=NullProgress()
    )
    data = prepare_combinatorial_data(strategy, prepare_data(strategy, loaded))
    assert data is not None
    return data


def trade(
    strategy: Strategy, home: Path, executor: InProcess | None = None, progress=None
) -> CombinatorialRun:
    return run_combinatorial_paths(
        strategy,
        prepare(strategy, home),
        executor or InProcess(),
        FitStore(home / "fits"),
        progress or NullProgress(),
        fresh=False,
    )


@pytest.fixture(scope="module")
def dataset(module_folder: Path) -> Path:
    return market(module_folder / "market")


class Remembering(Chained):
    """With sequences of four bars."""

    lookback: ClassVar[int] = 4


class Recorded(InProcess):
    """Keeps every task."""

    def __init__(self) -> None:
        super().__init__()
        self.tasks: list[FitTask] = []

    def fit(self, task):
        self.tasks.append(task)
        return super().fit(task)


class NothingFittedError(Exception):
    """Every task was seen, and none was fitted."""


class Collecting(InProcess):
    """Keeps the keys of all tasks, and fits none."""

    def run_tasks(self, scheduler):
        self.keys = [task.key("tensorflow", {}) for task in scheduler.tasks]
        raise NothingFittedError


def keys_of(strategy: Strategy, home: Path) -> list[str]:
    executor = Collecting()
    with pytest.raises(NothingFittedError):
        trade(strategy, home, executor)
    return executor.keys


def with_other_bars(folder: Path, rows: range) -> Path:
    """The market with other prices and volumes on some rows alone."""
    tables = {}
    for seed, symbol in enumerate(SYMBOLS):
        table = bars(seed)
        table.loc[rows.start : rows.stop - 1, ["open", "high", "low", "close"]] *= 1.37
        table.loc[rows.start : rows.stop - 1, "volume"] *= 3
        tables[symbol] = table
    return write_market(folder, tables)


@pytest.mark.parametrize(
    "more",
    [
        {},
        POOLED,
        pytest.param({"target.horizon": 5}, marks=pytest.mark.slow),
        pytest.param({"resolutions": ["1w"]}, marks=pytest.mark.slow),
        pytest.param(
            {**POOLED, "resolutions": ["1w"], "target.horizon": 5}, marks=pytest.mark.slow
        ),
    ],
)
def test_a_fit_knows_no_bar_of_its_test_groups(
    module_folder: Path, dataset: Path, more: dict
) -> None:
    """Other bars in a group, up to the end of its last label, leave every fit that forecasts it as
    it was, to the last bit of its arrays, scaling and thresholds."""
    home = module_folder / "known"
    model = {"model": Remembering()}
    strategy = load(module_folder, dataset, **more).model_copy(update=model)
    splits, before = prepare(strategy, home).splits, keys_of(strategy, home)
    for group in (0, 2):
        test = next(w.test for split in splits for w in split.windows() if w.index == group)
        horizon = strategy.target.horizon
        folder = module_folder / f"other{group}{len(more)}{horizon}"
        other = with_other_bars(folder, range(test.start, test.stop + horizon))
        changed = load(folder, other, **more).model_copy(update=model)
        after = keys_of(changed, home)
        for split, old, new in zip(splits, before, after, strict=True):
            assert (old == new) == (group in split.test_groups)


@pytest.mark.parametrize("more", [{}, POOLED])
def test_arrays_hold_only_what_rows_to_fit_on_read(
    module_folder: Path, dataset: Path, more: dict
) -> None:
    executor = Recorded()
    strategy = load(module_folder, dataset, **more).model_copy(update={"model": Remembering()})
    trade(strategy, module_folder / "arrays", executor)
    for task in executor.tasks:
        arrays = task.training_set
        rows = np.concatenate([arrays.train, arrays.validation])
        read = {row - back for row in rows.tolist() for back in range(4)}
        assert set(np.flatnonzero(np.isfinite(arrays.inputs).all(axis=1))) == read
        assert set(np.flatnonzero(np.isfinite(arrays.target))) == set(rows.tolist())
        assert set(np.flatnonzero(np.isfinite(arrays.trailing))) == set(rows.tolist())


def test_a_pooled_split_is_fitted_once_on_the_purged_rows_of_every_symbol(
    module_folder: Path, dataset: Path
) -> None:
    executor = Recorded()
    strategy = load(module_folder, dataset, **POOLED).model_copy(update={"model": Remembering()})
    home, progress = module_folder / "pooled", Counted()
    data = prepare(strategy, home)
    trade(strategy, home, executor, progress)
    assert [count[:2] for count in progress.counts] == [(done, 6) for done in range(1, 7)]
    for split, task in zip(data.splits, executor.tasks, strict=True):
        parts = dict(task.pool.split(task.training_set))
        assert tuple(parts) == SYMBOLS
        for arrays in parts.values():
            first = split.train[0] - 3
            np.testing.assert_array_equal(arrays.train + first, split.train)
            np.testing.assert_array_equal(arrays.validation + first, split.validation)
            for test in split.tests:
                held = np.arange(test.start, test.stop) - first
                assert np.isnan(
                    arrays.inputs[held[(held >= 0) & (held < len(arrays.inputs))]]
                ).all()


def test_no_fit_starts_from_one_that_has_seen_its_test_groups(
    module_folder: Path, dataset: Path
) -> None:
    executor = Recorded()
    strategy = load(module_folder, dataset).model_copy(update={"model": Chained()})
    training = strategy.training.model_copy(update={"warm_start": "previous_window"})
    trade(strategy.model_copy(update={"training": training}), module_folder / "warm", executor)
    assert len(executor.tasks) == 6
    assert all(task.training_set.previous_fit is None for task in executor.tasks)


@pytest.mark.slow
def test_the_run_and_its_verdict_do_not_depend_on_cross_validated_paths(
    module_folder: Path, dataset: Path
) -> None:
    alone, among = (
        engine.run(
            load(module_folder, dataset, **{"paths.groups": groups}),
            out=module_folder / f"runs{groups}",
            home=module_folder / f"home{groups}",
            pages=False,
        )
        for groups in (None, 4)
    )
    pd.testing.assert_frame_equal(alone.returns, among.returns)
    assert alone.metrics == among.metrics
    assert alone.certificate == among.certificate
    figures = among.significance.combinatorial_paths
    assert figures is not None
    assert "combinatorial_paths" not in alone.significance
    assert figures.fits == figures.splits == 6
    without = among.significance.model_copy(update={"combinatorial_paths": None})
    assert without.model_dump() == alone.significance.model_dump()
    assert len(figures.paths) == 3
    assert figures.bars > figures.common.bars == len(among.returns) - 1
    assert "paths" in among.manifest["timings_s"]
    again = engine.open_run(among.run_dir).significance.combinatorial_paths
    assert again == figures


@pytest.mark.slow
def test_paths_are_traded_like_the_run(module_folder: Path, dataset: Path) -> None:
    """At ten times the costs every path ends lower, and all have the bars of the groups."""
    home = module_folder / "home"
    cheap = trade(load(module_folder, dataset), home)
    dear = trade(load(module_folder, dataset, **{"costs.fee_bps": 50}), home)
    assert cheap.returns.shape == (len(cheap.data.prepared.span), 3)
    assert ((1 + dear.returns).prod() < (1 + cheap.returns).prod()).all()
    assert not cheap.returns[0].equals(cheap.returns[1])
    np.testing.assert_array_equal(cheap.returns.index, cheap.holding.index)


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
    assert (len(first.fitted), len(second.fitted)) == (3, 3)
    again = trade(strategy, home, third)
    assert third.fitted == []
    pd.testing.assert_frame_equal(resumed.returns, again.returns)
    assert [count for count, _, _ in progress.counts] == [3, 4, 5, 6]
    assert progress.counts[-1] == (6, 6, "6 combinatorial splits, 3 cached, 3 trained")
    assert "strategy, test groups 2 and 3, AAA window 5 seed 0" in second.fitted


@pytest.mark.parametrize("more", [{}, POOLED])
def test_fits_that_are_left_out_are_counted(
    module_folder: Path, dataset: Path, more: dict
) -> None:
    skipping = {"model": Chained(), "on_failure": "skip"}
    strategy = load(module_folder, dataset, **more).model_copy(update=skipping)
    result = trade(strategy, module_folder / f"failing{len(more)}", Failing())
    assert result.left_out == 6
    assert (result.returns == 0.0).all(axis=None)


@pytest.mark.parametrize(("more", "fits"), [({}, 20), (SEVERAL, 40), (POOLED, 20)])
def test_the_cost_is_told_before_anything_is_fitted(
    module_folder: Path, dataset: Path, more: dict, fits: int
) -> None:
    more = {"target.horizons": [1, 5], "paths.groups": 5, **more}
    data = prepare(load(module_folder, dataset, **more), module_folder / "home")
    assert data.describe_cost() == (
        f"paths.groups adds {fits} fits of the model, on 10 choices of test groups among 5, "
        "for 4 paths"
    )


@pytest.mark.parametrize(
    ("more", "where", "words"),
    [
        ({"paths.groups": 16}, "paths.groups", "16 groups of 42 bars"),
        (
            {"paths.embargo": 2, "model": {"kind": "lstm", "units": 4, "lookback": 9}},
            "paths.embargo",
            "at least 7 bars",
        ),
        (
            {
                "paths.embargo": 30,
                "resolutions": ["1w"],
                "model": {"kind": "lstm", "units": 4, "lookback": 9},
            },
            "paths.embargo",
            "at least 67 bars",  # from a Saturday to the Monday nine weeks before
        ),
    ],
)
def test_what_cannot_be_split_is_refused_before_any_fit(
    module_folder: Path, dataset: Path, more: dict, where: str, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        prepare(load(module_folder, dataset, **more), module_folder / "home")
    assert caught.value.where == where
    assert words in str(caught.value)


def test_a_rate_that_begins_after_the_groups_is_refused_before_any_fit(
    module_folder: Path, dataset: Path
) -> None:
    """The groups begin before the first test window, which the series has."""
    file = module_folder / "rates.csv"
    file.write_text("date,rate\n2018-06-01,2.0\n")
    rates = {"rates.risk_free": {"file": str(file), "column": "rate", "unit": "percent"}}
    with pytest.raises(UsageError, match=r"first bar of paths\.groups") as caught:
        prepare(load(module_folder, dataset, **rates), module_folder / "home")
    assert caught.value.where.startswith("rates.risk_free.file")
    assert caught.value.fix.endswith("or leave paths.groups out")
