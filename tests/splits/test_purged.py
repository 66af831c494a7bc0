"""Purged splits: no label of a train row shares a bar with the label of a test row."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from engine.core.errors import UsageError
from engine.splits.purged import CombinatorialPurged, PurgedKFold, PurgedSplit, Splitter
from tests.hypothesis_examples import examples

kfolds = st.builds(PurgedKFold, folds=st.integers(2, 8), embargo=st.integers(0, 6))
combinatorial = st.integers(2, 7).flatmap(
    lambda groups: st.builds(
        CombinatorialPurged,
        groups=st.just(groups),
        test_groups=st.integers(1, groups - 1),
        embargo=st.integers(0, 6),
    )
)
schemes = st.one_of(kfolds, combinatorial)


def bars_of_labels(rows, horizon: int) -> set[int]:
    """Every bar that a label of these rows spans, by a slow reference."""
    return {bar for row in rows for bar in range(row, row + horizon + 1)}


def left_out_by_hand(rows: int, test: set[int], horizon: int, embargo: int) -> set[int]:
    """Rows that overlap a test label, and the embargo after each block."""
    told = bars_of_labels(test, horizon)
    overlapping = {row for row in range(rows) if bars_of_labels([row], horizon) & told}
    ends = {row for row in test if row + 1 not in test}
    late = {end + horizon + 1 + bar for end in ends for bar in range(embargo)}
    return (overlapping | late) & set(range(rows)) - test


def listed(split: PurgedSplit) -> tuple[list[int], list[int]]:
    return split.train.tolist(), split.test.tolist()


def test_folds_of_ten_rows_equal_those_by_hand() -> None:
    splits = PurgedKFold(folds=3, embargo=1).split(10, horizon=1)
    assert [listed(split) for split in splits] == [
        ([6, 7, 8, 9], [0, 1, 2, 3]),
        ([0, 1, 2, 9], [4, 5, 6]),
        ([0, 1, 2, 3, 4, 5], [7, 8, 9]),
    ]


def test_combinatorial_splits_of_eight_rows_equal_those_by_hand() -> None:
    splits = CombinatorialPurged(groups=4, test_groups=2).split(8, horizon=1)
    assert [listed(split) for split in splits] == [
        ([5, 6, 7], [0, 1, 2, 3]),
        ([7], [0, 1, 4, 5]),
        ([3, 4], [0, 1, 6, 7]),
        ([0, 7], [2, 3, 4, 5]),
        ([0], [2, 3, 6, 7]),
        ([0, 1, 2], [4, 5, 6, 7]),
    ]


@examples(200)
@given(scheme=schemes, rows=st.integers(60, 120), horizon=st.integers(1, 5))
def test_train_rows_are_those_outside_purge_and_embargo(scheme, rows: int, horizon: int) -> None:
    try:
        splits = scheme.split(rows, horizon)
    except UsageError:
        # Allowed only where the reference has no rows either.
        tests = [{row for block in blocks for row in block} for blocks in scheme.test_blocks(rows)]
        everything = set(range(rows))
        assert any(
            test | left_out_by_hand(rows, test, horizon, scheme.embargo) == everything
            for test in tests
        )
        return
    for split in splits:
        test, train = set(split.test.tolist()), set(split.train.tolist())
        assert not bars_of_labels(train, horizon) & bars_of_labels(test, horizon)
        out = left_out_by_hand(rows, test, horizon, scheme.embargo)
        assert train == set(range(rows)) - test - out
        assert listed(split) == (sorted(train), sorted(test))


@given(folds=st.integers(2, 8), rows=st.integers(40, 200))
def test_test_folds_tile_the_rows_in_blocks_of_nearly_one_size(folds: int, rows: int) -> None:
    splits = PurgedKFold(folds=folds).split(rows, horizon=1)
    assert np.concatenate([split.test for split in splits]).tolist() == list(range(rows))
    sizes = [len(split.test) for split in splits]
    assert len(sizes) == folds
    assert max(sizes) - min(sizes) <= 1


@given(scheme=combinatorial, rows=st.integers(150, 200))
def test_every_group_combination_is_tested_once(scheme: CombinatorialPurged, rows: int) -> None:
    splits = CombinatorialPurged(**scheme.model_dump() | {"embargo": 0}).split(rows, horizon=1)
    n, k = scheme.groups, scheme.test_groups
    assert len({tuple(split.test.tolist()) for split in splits}) == len(splits) == comb(n, k)
    times = np.bincount(np.concatenate([split.test for split in splits]), minlength=rows)
    assert set(times.tolist()) == {scheme.paths}
    assert scheme.paths * n == k * comb(n, k)


def test_combinatorial_splits_have_the_five_paths_of_the_source() -> None:
    assert CombinatorialPurged(groups=6, test_groups=2).paths == 5


@given(
    scheme=schemes,
    rows=st.integers(100, 200),
    horizon=st.integers(1, 5),
    share=st.floats(0.05, 0.5),
)
def test_early_stopping_rows_are_last_and_share_no_label_with_the_fit(
    scheme, rows: int, horizon: int, share: float
) -> None:
    try:
        cut = [(split, *split.hold_out(share, horizon)) for split in scheme.split(rows, horizon)]
    except UsageError:
        return
    for split, kept, held in cut:
        assert len(held) == max(1, round(share * len(split.train)))
        assert held.tolist() == split.train[-len(held) :].tolist()
        assert not bars_of_labels(kept, horizon) & bars_of_labels(held, horizon)
        purged = set(split.train.tolist()) - set(kept.tolist()) - set(held.tolist())
        assert all(
            bars_of_labels([row], horizon) & bars_of_labels(held, horizon) for row in purged
        )


@pytest.mark.parametrize(
    ("scheme", "rows", "horizon", "words"),
    [
        (PurgedKFold(folds=5), 4, 1, "at least 5 train rows"),
        (CombinatorialPurged(groups=6, test_groups=2), 5, 1, "at least 6 train rows"),
        (PurgedKFold(folds=2), 10, 5, "10 rows, 5 purged on each side"),
        (PurgedKFold(folds=2, embargo=9), 10, 1, "9 more after it"),
        (CombinatorialPurged(groups=3, test_groups=2), 9, 3, "9 rows, 3 purged"),
    ],
)
def test_the_error_of_an_empty_part_names_its_path(scheme, rows, horizon, words) -> None:
    with pytest.raises(UsageError, match=r"where: tune\.splits") as caught:
        scheme.split(rows, horizon)
    assert words in str(caught.value)
    assert "fix: lengthen windows.train" in str(caught.value)


def test_too_few_rows_for_early_stopping_are_an_error() -> None:
    (split, *_) = PurgedKFold(folds=2).split(8, horizon=1)
    with pytest.raises(UsageError, match="too few rows to fit on"):
        split.hold_out(0.5, horizon=2)


def test_at_least_one_group_must_train() -> None:
    with pytest.raises(ValidationError, match="at least one group to train on"):
        CombinatorialPurged(groups=3, test_groups=3)
    with pytest.raises(ValidationError, match="184756 splits are more than 500"):
        CombinatorialPurged(groups=20, test_groups=10)


def test_the_kind_selects_the_model() -> None:
    read = TypeAdapter(Splitter).validate_python
    assert read({"kind": "purged_kfold", "folds": 4}) == PurgedKFold(folds=4)
    assert isinstance(read({"kind": "combinatorial_purged"}), CombinatorialPurged)
