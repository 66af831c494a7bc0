"""Which runs a run's result was selected from."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest

from engine.evaluation.inference.trial_set import IdeaLooks, TrialSet
from engine.trials import Ledger
from tests.trials.factories import HOLDING, data_scope, finished, outcome, returns, strategy

if TYPE_CHECKING:
    from engine.trials import DataScope

OWN = strategy(seed=0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def trials(path, *, on: DataScope | None = None, tuning: int = 0, **changes: Any) -> TrialSet:
    """As the run of seed 0 sees them at its end."""
    scope = on or data_scope()
    first, count = f"{scope.span[0]:%Y-%m-%d}", len(scope.span)
    with Ledger(path).record(strategy(seed=0, **changes)) as entry:
        entry.set_data_scope(scope)
        counted = entry.collect_trials(
            returns(0, first, count), returns(HOLDING, first, count), tuning
        )
        entry.finish(outcome(0, first, count))
    assert counted is not None
    return counted


def numbers(path, on: DataScope | None = None) -> list[int]:
    """Run numbers of the looks that the run of seed 0 counts."""
    return list(Ledger(path).find_related_runs(OWN, on or data_scope()).looks)


def fail(path, raised: type[BaseException], *, known: bool = True, seed: int = 1) -> None:
    with suppress(raised), Ledger(path).record(strategy(seed=seed)) as entry:
        if known:
            entry.set_data_scope(data_scope())
        raise raised


def of_dataset(name: str) -> DataScope:
    return data_scope(dataset={**data_scope().dataset, "name": name})


def test_the_first_run_is_the_only_trial(path) -> None:
    assert trials(path).as_dict() == {
        "runs": 1,
        "failed": 0,
        "distinct": 1,
        "tuning": 0,
        "elsewhere": 0,
        "since": None,
        "idea": asdict(IdeaLooks()),
    }


def test_running_again_is_no_new_look_and_changes_no_figure(path) -> None:
    finished(path, 1)
    first = trials(path)
    for _ in range(3):
        assert trials(path) == first


@pytest.mark.parametrize(
    "changes", [{"name": "renamed", "description": "and retold"}, {"compute": {"workers": 2}}]
)
def test_another_name_is_no_new_look(path, changes) -> None:
    finished(path, 0, **changes)
    assert trials(path).as_dict()["idea"] == asdict(IdeaLooks())
    assert numbers(path) == []


def test_other_ideas_are_trials_with_their_returns_and_those_of_holding(path) -> None:
    finished(path, 1)
    finished(path, 2, result={"tuning": 30})
    counted = trials(path, tuning=4)
    assert (counted.runs, counted.distinct, counted.tuning) == (3, 3, 34)
    assert counted.since == Ledger(path).rows()[0].started_at
    assert [trial.number for trial in (counted.own, *counted.others)] == [0, 1, 2]
    for seed, trial in enumerate((counted.own, *counted.others)):
        assert trial.interval == "1d"
        np.testing.assert_array_equal(trial.returns, returns(seed))
        np.testing.assert_array_equal(trial.holding, returns(HOLDING))


@pytest.mark.parametrize(
    ("on", "counts"),
    [
        (data_scope(first="2020-02-01"), {"start_dates": 2, "end_dates": 2}),
        (data_scope(first="2014-02-01"), {"start_dates": 2, "end_dates": 2}),
        (data_scope(count=220), {"end_dates": 2}),
        (data_scope(targets=("ETH",)), {"targets": 2}),
        (data_scope(interval="1h"), {"intervals": 2}),
        (data_scope(inputs=("BTC",)), {}),
        (of_dataset("other"), {"datasets": 2}),
    ],
    ids=["start", "long-before", "end", "target", "interval", "inputs", "dataset"],
)
def test_the_same_idea_on_other_bars_is_a_further_look(path, on, counts) -> None:
    finished(path, 0, on=on)
    counted = trials(path)
    assert [trial.number for trial in counted.others] == [1]
    assert counted.idea == replace(IdeaLooks(looks=2), **counts)


@pytest.mark.parametrize(
    ("changes", "counts"),
    [
        ({"evaluation": {"confidence": 0.55}}, {"confidences": 2}),
        ({"benchmarks": [{"kind": "ridge"}]}, {"benchmarks": 2}),
    ],
    ids=["confidence", "benchmarks"],
)
def test_the_same_bars_judged_otherwise_are_a_further_look_with_the_same_returns(
    path, changes, counts
) -> None:
    finished(path, 0, **changes)
    counted = trials(path)
    assert counted.idea == replace(IdeaLooks(looks=2), **counts)
    assert counted.others == ()


@pytest.mark.parametrize(
    "changes",
    [
        {"benchmarks": []},
        {"benchmarks": [{"kind": "buy_and_hold"}]},
        {"opponents": [{"kind": "buy_and_hold"}]},
        {"evaluation": {"resamples": 9, "confidence": 0.875}},
    ],
)
def test_benchmarks_differ_by_more_than_holding_and_resamples_are_no_look(path, changes) -> None:
    finished(path, 0, **changes)
    assert trials(path).idea == IdeaLooks()


@pytest.mark.parametrize(
    ("count", "looks"), [(200, 1), (191, 1), (210, 1), (190, 2), (211, 2), (400, 2)]
)
def test_spans_that_differ_by_less_than_5_percent_are_one_look(path, count, looks) -> None:
    finished(path, 0, on=data_scope(count=count))
    counted = trials(path)
    assert (counted.idea.looks, counted.distinct) == (looks, looks)


def test_the_first_finished_run_represents_a_look(path) -> None:
    finished(path, 1)
    finished(path, 2)
    finished(path, 1, on=data_scope(count=205))
    finished(path, 1, on=data_scope(count=300))
    assert numbers(path) == [1, 2, 4]
    assert trials(path).runs == 5


def test_a_failure_does_not_replace_a_finished_run(path) -> None:
    fail(path, ValueError)
    finished(path, 1)
    fail(path, ValueError)
    assert numbers(path) == [2]


@pytest.mark.parametrize(
    "on",
    [data_scope(targets=("ETH",)), data_scope(interval="1h"), of_dataset("other")],
    ids=["target", "interval", "dataset"],
)
def test_other_ideas_on_overlapping_bars_count_whatever_they_trade(path, on) -> None:
    finished(path, 1, on=on)
    assert numbers(path) == [1]


SYMBOLS = tuple(f"SYM{number:02d}" for number in range(20))
BOOK = data_scope(targets=SYMBOLS, inputs=SYMBOLS)


@pytest.mark.parametrize(
    "others",
    [SYMBOLS[:-1], (*SYMBOLS, "SYM20"), ("SYM20", *SYMBOLS[1:]), ("BTC",)],
    ids=["one fewer", "one more", "one other", "a symbol alone"],
)
def test_a_book_that_differs_by_a_symbol_is_a_further_try(path, others) -> None:
    finished(path, 0, on=data_scope(targets=others, inputs=others))
    counted = trials(path, on=BOOK)
    assert [trial.number for trial in counted.others] == [1]
    assert (counted.distinct, counted.idea.looks, counted.idea.targets) == (2, 2, 2)


def test_another_idea_on_a_book_that_differs_by_a_symbol_is_a_further_try(path) -> None:
    finished(path, 1, on=data_scope(targets=SYMBOLS[:-1], inputs=SYMBOLS[:-1]))
    counted = trials(path, on=BOOK)
    assert [trial.number for trial in counted.others] == [1]
    assert (counted.distinct, counted.idea.looks) == (2, 1)


def test_the_same_book_again_is_no_further_try(path) -> None:
    finished(path, 0, on=BOOK)
    assert trials(path, on=BOOK).distinct == 1


@pytest.mark.parametrize(
    "on",
    [data_scope(first="2019-01-01", count=365), data_scope(first="2020-07-19")],
    ids=["before", "after"],
)
def test_other_ideas_at_other_times_do_not_count(path, on) -> None:
    finished(path, 1, on=on)
    assert numbers(path) == []


@pytest.mark.parametrize("first", ["2019-12-31", "2020-07-18"])
def test_one_bar_in_common_is_enough(path, first: str) -> None:
    count = 2 if first.startswith("2019") else 100
    finished(path, 1, on=data_scope(first=first, count=count))
    assert numbers(path) == [1]


def test_failed_and_interrupted_runs_are_counted_separately(path) -> None:
    finished(path, 1)
    fail(path, ValueError, seed=2)
    fail(path, KeyboardInterrupt, seed=3)
    fail(path, ValueError, known=False, seed=4)  # had tried nothing yet
    fail(path, ValueError, seed=0)  # of this look
    counted = trials(path)
    assert (counted.runs, counted.failed, counted.distinct) == (4, 2, 2)


def test_a_run_in_progress_is_not_counted(path) -> None:
    with Ledger(path).record(strategy(seed=5)) as entry:
        entry.set_data_scope(data_scope())
        counted = trials(path)
        entry.finish(outcome(5))
    assert (counted.runs, counted.failed, counted.distinct) == (1, 0, 1)


def test_tries_elsewhere_are_those_that_the_strategy_declares(path) -> None:
    assert trials(path, trials={"elsewhere": 40}).elsewhere == 40
    assert trials(path).idea == IdeaLooks()


def test_holding_of_this_run_stands_in_for_a_row_without_it_on_the_same_bars(path) -> None:
    without = {"holding": None}
    finished(path, 1, result=without)
    finished(path, 2, on=data_scope(first="2020-02-01", count=100), result=without)
    finished(path, 3, on=data_scope(first="2020-02-01"), result=without)
    finished(path, 4, on=data_scope(targets=("ETH",)), result=without)
    same, within, beyond, elsewhere = trials(path).others
    np.testing.assert_array_equal(same.holding, returns(HOLDING))
    np.testing.assert_array_equal(within.holding, returns(HOLDING).loc[within.returns.index])
    assert (beyond.holding, elsewhere.holding) == (None, None)


def test_gapless_returns_are_those_of_trials_on_most_of_the_bars(path) -> None:
    finished(path, 1)
    finished(path, 2, on=data_scope(first="2020-02-20"))
    finished(path, 3, on=data_scope(first="2020-05-01"))
    finished(path, 4, on=data_scope(interval="1h"))
    counted = trials(path)
    table = counted.gapless_returns()
    common = slice("2020-02-20", None)
    own, whole = (returns(seed).loc[common] for seed in (0, 1))
    later = returns(2, "2020-02-20").reindex(own.index)
    assert counted.distinct == 5
    np.testing.assert_array_equal(table, np.column_stack([own, whole, later]))
