"""The ledger as a run found it: whoever makes the run again counts the same trials."""

from __future__ import annotations

from typing import TYPE_CHECKING

from engine.trials import Ledger
from engine.trials.earlier_ledger import copy_earlier_ledger
from engine.trials.repeated_entry import RepeatedEntry
from tests.trials.factories import data_scope, finished, outcome, returns, strategy

if TYPE_CHECKING:
    from pathlib import Path

    from engine.evaluation.inference.trial_set import TrialSet


def look(ledger: Ledger, seed: int) -> tuple[str, TrialSet]:
    """A run: its noted hash, and the trials that it counts."""
    with ledger.record(strategy(seed=seed)) as entry:
        entry.set_data_scope(data_scope())
        assert entry.hash is not None
        noted = entry.hash
        trials = entry.collect_trials(returns(seed), returns(99))
        entry.finish(outcome(seed))
    assert trials is not None
    return noted, trials


def look_again(path: Path, seed: int) -> TrialSet | None:
    entry = RepeatedEntry(strategy(seed=seed), path)
    entry.set_data_scope(data_scope())
    return entry.collect_trials(returns(seed), returns(99))


def test_later_looks_do_not_count_for_an_earlier_one(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    finished(ledger.path, 1)
    noted, then = look(ledger, 2)
    ledger.declare("registration", strategy(seed=2), {"expectations": [], "span": {}})
    finished(ledger.path, 3)
    finished(ledger.path, 2)  # a repetition
    copy = tmp_path / "copy.sqlite"
    assert copy_earlier_ledger(ledger.path, noted, copy)
    again = look_again(copy, 2)
    assert again is not None
    assert again.as_dict() == then.as_dict()
    assert [each.number for each in again.others] == [1]
    assert RepeatedEntry(strategy(seed=2), copy).find_declarations("registration") == ()
    assert len(ledger.rows()) == 4  # the ledger itself is as it was


def test_it_is_not_known_whether_a_run_beside_was_counted(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with ledger.record(strategy(seed=2)) as entry:
        entry.set_data_scope(data_scope())
        noted = entry.hash
        finished(ledger.path, 3)
        entry.finish(outcome(2))
    assert noted is not None
    assert not copy_earlier_ledger(ledger.path, noted, tmp_path / "copy.sqlite")
    assert not (tmp_path / "copy.sqlite").exists()


def test_a_ledger_without_the_hash_is_not_copied(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "ledger.sqlite")
    copy = tmp_path / "copy.sqlite"
    assert not copy_earlier_ledger(ledger.path, "0" * 64, copy)
    finished(ledger.path, 1)
    assert not copy_earlier_ledger(ledger.path, "0" * 64, copy)
    assert RepeatedEntry(strategy(), None).collect_trials(returns()) is None
