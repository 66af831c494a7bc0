"""Combinatorial splits: could a row to fit on have known a bar of a test group?"""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from engine.core.errors import UsageError
from engine.splits.combinatorial import (
    MIN_TRAIN_ROWS,
    GroupSplit,
    assign_paths,
    make_group_splits,
)
from engine.splits.purged import CombinatorialPurged


@st.composite
def split_cases(draw: st.DrawFn) -> tuple[tuple[GroupSplit, ...], range, int, int]:
    """Splits with the bars, the horizon, and how far inputs reach back."""
    groups = draw(st.integers(2, 6))
    scheme = CombinatorialPurged(
        groups=groups,
        test_groups=draw(st.integers(1, groups - 1)),
        embargo=draw(st.integers(0, 15)),
    )
    first, horizon = draw(st.integers(0, 50)), draw(st.integers(1, 8))
    rows = range(first, first + draw(st.integers(150, 500)))
    share = draw(st.floats(0.05, 0.5))
    try:
        splits = make_group_splits(rows, scheme, horizon=horizon, validation_share=share)
    except UsageError:
        assume(False)
    return splits, rows, horizon, scheme.embargo


@settings(max_examples=60, deadline=None)
@given(case=split_cases())
def test_no_row_to_fit_on_shares_a_bar_with_a_test_group(case) -> None:
    """Its label runs over the closes from its own to the horizon later, its inputs over those from
    its own to `reach` before; the bars of a group run to the end of its last label."""
    splits, _, horizon, reach = case
    for split in splits:
        kept = np.concatenate([split.train, split.validation])
        for test in split.tests:
            known_in_test = range(test.start, test.stop + horizon)
            labels_end, inputs_start = kept + horizon, kept - reach
            before, after = labels_end < known_in_test.start, inputs_start >= known_in_test.stop
            assert (before | after).all()


@settings(max_examples=15, deadline=None)
@given(case=split_cases())
def test_nothing_more_is_left_out_than_a_slow_count_says(case) -> None:
    splits, rows, horizon, reach = case
    for split in splits:
        allowed = [
            row
            for row in rows
            if all(
                row + horizon < test.start or row - reach >= test.stop + horizon
                for test in split.tests
            )
        ]
        held = len(split.validation)
        assert split.validation.tolist() == allowed[-held:]
        assert split.train.tolist() == [
            row for row in allowed[:-held] if row + horizon < split.validation[0]
        ]


@settings(max_examples=15, deadline=None)
@given(case=split_cases())
def test_paths_forecast_every_bar_once_and_use_every_forecast_once(case) -> None:
    splits, rows, _, _ = case
    paths = assign_paths(splits)
    count = len(splits[0].test_groups)
    groups = len(paths[0])
    assert [split.test_groups for split in splits] == list(combinations(range(groups), count))
    assert len(paths) == comb(groups - 1, count - 1)
    for path in paths:
        assert [row for window in path for row in window.test] == list(rows)
    used = [(window.split, window.index) for path in paths for window in path]
    assert sorted(used) == [(s.index, group) for s in splits for group in s.test_groups]
    for path in paths:
        for window in path:
            assert window.train is splits[window.split].train


def test_the_paths_of_six_groups_are_those_of_the_source() -> None:
    """Figure 12.1 of the book: splits by row, groups by column, the number of the path."""
    splits = make_group_splits(range(600), CombinatorialPurged(), horizon=1, validation_share=0.1)
    assert [tuple(w.split + 1 for w in path) for path in assign_paths(splits)] == [
        (1, 1, 2, 3, 4, 5),
        (2, 6, 6, 7, 8, 9),
        (3, 7, 10, 10, 11, 12),
        (4, 8, 11, 13, 13, 14),
        (5, 9, 12, 14, 15, 15),
    ]


HORIZON = 10


def copied_correlation(kind: str, purge: int, embargo: int) -> float:
    """Correlation of labels near the ends of a test group with what the nearest row to fit on has.

    Returns are noise. A `label` is the sum of the next bars, an `input` that of the last ones:
    what a model that remembers its rows would repeat for the bars beside them.
    """
    rng = np.random.default_rng(5)
    scheme = CombinatorialPurged(groups=20, test_groups=1, embargo=embargo)
    truth, copied = [], []
    for _ in range(20):
        sums = np.concatenate([[0.0], np.cumsum(rng.standard_normal(2_500))])
        rows = range(HORIZON, 2_400)
        label = sums[HORIZON:] - sums[:-HORIZON]  # of the bars after a row
        seen = label if kind == "label" else np.concatenate([np.zeros(HORIZON), label])
        for split in make_group_splits(rows, scheme, horizon=purge, validation_share=0.1):
            (test,) = split.tests
            kept = np.concatenate([split.train, split.validation])
            if (later := kept[kept >= test.stop]).size:
                truth.append(label[test.stop - 1])
                copied.append(seen[later[0]])
            if kind == "label" and (earlier := kept[kept < test.start]).size:
                truth.append(label[test.start])
                copied.append(seen[earlier[-1]])
    return float(np.corrcoef(truth, copied)[0, 1])


@pytest.mark.parametrize(
    ("kind", "purge", "embargo", "is_learnable"),
    [
        ("label", 0, 0, True),
        ("label", HORIZON, 0, False),
        ("input", HORIZON, 0, True),
        ("input", HORIZON, HORIZON, False),
    ],
)
def test_future_returns_of_test_bars_are_copied_only_without_purge_and_embargo(
    kind: str, purge: int, embargo: int, is_learnable: bool
) -> None:
    correlation = copied_correlation(kind, purge, embargo)
    assert correlation > 0.7 if is_learnable else abs(correlation) < 0.1


def test_groups_that_are_too_short_are_an_error_that_says_how_long() -> None:
    scheme = CombinatorialPurged(groups=6, test_groups=2, embargo=40)
    with pytest.raises(UsageError, match="too short") as caught:
        make_group_splits(range(50, 50 + 6 * 94 - 1), scheme, horizon=5, validation_share=0.2)
    assert caught.value.where == "paths.groups"
    assert caught.value.expected.startswith("groups of at least 94 bars: 5 purged on each side")
    assert caught.value.found.startswith("6 groups of 93 bars, from 563 bars")
    splits = make_group_splits(range(50, 50 + 6 * 94), scheme, horizon=5, validation_share=0.2)
    assert min(len(split.train) for split in splits) >= MIN_TRAIN_ROWS
