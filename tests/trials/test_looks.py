"""What is a look: the number of them only grows, whatever is run."""

from __future__ import annotations

from dataclasses import astuple
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from engine.core.progress import NullProgress
from engine.trials import LedgerEntry
from engine.trials.looks import Look, LookKey, LooksInOrder, hash_opening
from tests.hypothesis_examples import examples
from tests.trials.factories import data_scope, outcome, returns, strategy

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.evaluation.inference.trial_set import TrialSet
    from engine.trials import DataScope

KEY = LookKey("idea", "1d", '["BTC"]', '["BTC"]', "made-up", "2020-01-01")


def kept_lengths(lengths: list[int]) -> list[int]:
    """The lengths of the looks kept of one idea on one first bar."""
    in_order = LooksInOrder()
    looks = [Look(KEY, bars, f"{bars}") for bars in lengths]
    return [look.bars for look in looks if in_order.add(look) is look]


@pytest.mark.parametrize(
    ("lengths", "kept"),
    [
        ([100, 100, 100], [100]),
        ([100, 104, 105, 106], [100, 106]),
        ([106, 105, 104, 100], [106, 100]),
        ([100, 103, 106, 109, 112], [100, 106, 112]),
        ([1, 2, 1, 2], [1, 2]),
    ],
)
def test_the_first_of_similar_lengths_is_kept(lengths, kept) -> None:
    assert kept_lengths(lengths) == kept


@given(st.lists(st.integers(1, 400), max_size=30))
def test_no_two_kept_lengths_are_similar_and_each_other_one_is_similar_to_a_kept(lengths) -> None:
    kept = kept_lengths(lengths)
    similar = [(a, b) for a in kept for b in kept if a < b and b - a < 0.05 * b]
    assert similar == []
    assert all(any(abs(a - b) < 0.05 * max(a, b) for a in kept) for b in lengths)


@st.composite
def runs(draw: Callable[..., Any]) -> tuple[dict[str, Any], DataScope, str]:
    """A run: its strategy, its bars, and how it ended."""
    configured = strategy(
        seed=draw(st.integers(0, 2)),
        benchmarks=draw(st.sampled_from([[], [{"kind": "ridge"}]])),
        evaluation={"confidence": draw(st.sampled_from([0.5, 0.875]))},
    )
    scope = data_scope(
        draw(st.sampled_from(["2019-06-01", "2020-01-01", "2020-02-01", "2022-01-01"])),
        draw(st.sampled_from([60, 62, 64, 200])),
        targets=draw(st.sampled_from([("BTC",), ("ETH",)])),
        interval=draw(st.sampled_from(["1d", "1h"])),
    )
    return configured, scope, draw(st.sampled_from(["finished", "finished", "failed"]))


def begin(path, configured: dict[str, Any], scope: DataScope) -> LedgerEntry:
    entry = LedgerEntry(path, configured, NullProgress())
    entry.begin("")
    entry.set_data_scope(scope)
    return entry


def end(entry: LedgerEntry, scope: DataScope, status: str) -> TrialSet:
    """Ends a run; the trials that it sees."""
    first, count = f"{scope.span[0]:%Y-%m-%d}", len(scope.span)
    seen = entry.collect_trials(returns(0, first, count))
    if status == "finished":
        entry.finish(outcome(0, first, count))
    else:
        entry.fail(ValueError("no result"))
    assert seen is not None
    return seen


def test_a_look_between_two_earlier_ones_repeats_one_of_them_alone(tmp_path) -> None:
    """Its length is within 5 % of both; the count fell to one where it took the place of both."""
    path = tmp_path / "ledger.sqlite"
    scopes = [data_scope(count=count) for count in (190, 206, 199)]
    for scope in scopes[:2]:
        end(begin(path, strategy(), scope), scope, "finished")
    trials = end(begin(path, strategy(), scopes[2]), scopes[2], "finished")
    assert (trials.distinct, trials.idea.looks) == (2, 2)
    again = end(begin(path, strategy(), scopes[2]), scopes[2], "finished")
    assert again == trials


def test_other_bars_under_the_same_name_are_another_look(tmp_path) -> None:
    path = tmp_path / "ledger.sqlite"
    looks = [
        end(begin(path, strategy(), scope), scope, "finished").distinct
        for scope in (data_scope(opening=opening) for opening in ("a", "b", "a"))
    ]
    assert looks == [1, 2, 2]


def test_the_hash_of_the_first_bars_ignores_later_bars_and_adjusted_scales() -> None:
    closes = np.exp(0.01 * np.random.default_rng(1).standard_normal((80, 2)).cumsum(axis=0))
    rates = np.zeros((80, 2))
    own = hash_opening(closes, rates)
    assert hash_opening(0.5 * closes[:60], rates[:60]) == own
    other, dearer = closes.copy(), rates.copy()
    other[10, 1] *= 1.001
    dearer[10, 0] = 0.05
    assert own not in {hash_opening(other, rates), hash_opening(closes, dearer)}


@examples(25)
@given(own=runs(), tried=st.lists(runs(), max_size=8), data=st.data())
def test_a_further_run_never_lowers_a_count(tmp_path_factory, own, tried, data) -> None:
    """Whatever is tried, and in whatever order the runs end that are in progress together."""
    path = tmp_path_factory.mktemp("ledger") / "ledger.sqlite"
    configured, scope, _ = own

    def look() -> TrialSet:
        return end(begin(path, configured, scope), scope, "finished")

    before = look()
    in_progress = [(begin(path, *each[:2]), *each[1:]) for each in tried]
    for entry, *ended in data.draw(st.permutations(in_progress)):
        end(entry, *ended)
        after = look()
        numbers = {trial.number for trial in after.others}
        assert numbers >= {trial.number for trial in before.others}
        counts = zip(astuple(after.idea), astuple(before.idea), strict=True)
        assert all(now >= earlier for now, earlier in counts)
        assert after.runs >= before.runs
        assert after.failed >= before.failed
        before = after
    assert look() == before
