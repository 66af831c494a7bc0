"""Which runs are other trials on the same bars."""

from __future__ import annotations

from contextlib import suppress

import numpy as np
import pytest

from engine.trials import Ledger, RunOutcome, hash_configuration
from tests.trials.factories import data_scope, finished, outcome, returns, strategy

OWN = strategy(seed=0)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "ledger.sqlite"


def numbers(path, on=None) -> list[int]:
    related = Ledger(path).find_related_runs(hash_configuration(OWN), on or data_scope())
    return [row.number for row in related.latest_runs]


def trials(path, own: int = 0, tuning: int = 0):
    """As the run of seed 0 sees them at its end."""
    with Ledger(path).record(OWN) as entry:
        entry.set_data_scope(data_scope())
        counted = entry.collect_trials(returns(own), tuning=tuning)
        entry.finish(outcome(own))
    assert counted is not None
    return counted


def fail(path, raised: type[BaseException], *, known: bool = True, seed: int = 1) -> None:
    with suppress(raised), Ledger(path).record(strategy(seed=seed)) as entry:
        if known:
            entry.set_data_scope(data_scope())
        raise raised


def test_the_first_run_is_the_only_trial(path) -> None:
    counted = trials(path)
    assert counted.as_dict() == {
        "runs": 1,
        "failed": 0,
        "distinct": 1,
        "effective": 1,
        "tuning": 0,
        "sharpe_deviation": None,
        "since": None,
    }


def test_running_again_is_no_new_trial_and_changes_no_figure(path) -> None:
    finished(path, 1)
    first = trials(path)
    again = trials(path)
    assert again == first
    assert again.returns.equals(first.returns)


def test_another_name_is_no_new_trial(path) -> None:
    finished(path, 0, name="renamed", description="and retold")
    assert numbers(path) == []


def test_other_configurations_are_trials_with_their_returns(path) -> None:
    finished(path, 1)
    finished(path, 2, tuning=30)
    counted = trials(path, tuning=4)
    assert (counted.runs, counted.distinct, counted.effective) == (3, 3, 3)
    assert counted.tuning == 34
    assert counted.since == Ledger(path).rows()[0].started_at
    assert list(counted.returns.columns) == ["this", "1", "2"]
    np.testing.assert_array_equal(counted.returns["2"], returns(2))
    ratios = [values.mean() / values.std() for values in (returns(s) for s in range(3))]
    assert counted.sharpe_deviation == pytest.approx(np.std(ratios, ddof=1))


def test_the_last_finished_run_represents_a_configuration(path) -> None:
    finished(path, 1)
    finished(path, 2)
    finished(path, 1, on=data_scope(count=210))
    assert numbers(path) == [2, 3]
    counted = trials(path)
    assert (counted.runs, counted.distinct) == (4, 3)


def test_a_later_failure_does_not_replace_a_finished_run(path) -> None:
    finished(path, 1)
    fail(path, ValueError)
    assert numbers(path) == [1]


@pytest.mark.parametrize(
    "on",
    [
        data_scope(targets=("ETH",)),
        data_scope(interval="1h"),
        data_scope(first="2019-01-01", count=365),
        data_scope(first="2020-07-19"),
    ],
    ids=["target", "interval", "before", "after"],
)
def test_runs_on_other_bars_are_not_counted(path, on) -> None:
    finished(path, 1, on=on)
    assert numbers(path) == []


@pytest.mark.parametrize("first", ["2019-12-31", "2020-07-18"])
def test_one_bar_in_common_is_enough(path, first: str) -> None:
    count = 2 if first.startswith("2019") else 100
    finished(path, 1, on=data_scope(first=first, count=count))
    assert numbers(path) == [1]


def test_the_same_rules_on_other_inputs_are_another_trial(path) -> None:
    finished(path, 0, on=data_scope(inputs=("BTC",)))
    assert numbers(path) == [1]


def test_a_dataset_of_another_name_with_the_same_target_is_the_same_market(path) -> None:
    renamed = {**data_scope().dataset, "name": "copy"}
    finished(path, 1, on=data_scope(dataset=renamed))
    assert numbers(path) == [1]


def test_failed_and_interrupted_runs_are_counted_separately(path) -> None:
    finished(path, 1)
    fail(path, ValueError, seed=2)
    fail(path, KeyboardInterrupt, seed=3)
    fail(path, ValueError, known=False, seed=4)  # had tried nothing yet
    fail(path, ValueError, seed=0)  # of this configuration
    counted = trials(path)
    assert (counted.runs, counted.failed, counted.distinct) == (4, 2, 2)


def test_a_run_in_progress_is_not_counted(path) -> None:
    with Ledger(path).record(strategy(seed=5)) as entry:
        entry.set_data_scope(data_scope())
        counted = trials(path)
        entry.finish(outcome(5))
    assert (counted.runs, counted.failed, counted.distinct) == (1, 0, 1)


def test_correlated_seeds_are_many_runs_and_one_trial(path) -> None:
    for seed in range(1, 6):
        with Ledger(path).record(strategy(seed=seed)) as entry:
            entry.set_data_scope(data_scope())
            alike = returns(0) + 0.1 * returns(seed)
            entry.finish(RunOutcome(f"{seed}", alike, sharpe=0.1, seeds=1))
    counted = trials(path)
    assert (counted.distinct, counted.effective) == (6, 1)
