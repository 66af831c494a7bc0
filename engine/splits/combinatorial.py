"""Combinatorial purged cross-validation: splits by groups of bars, and the paths they make.

Source: Lopez de Prado (2018), "Advances in Financial Machine Learning", sections 7.4 and 12.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil
from typing import TYPE_CHECKING

from engine.core.errors import UsageError

if TYPE_CHECKING:
    from engine.core.types import IntVector
    from engine.splits.purged import CombinatorialPurged

MIN_TRAIN_ROWS = 30
"""Fewest rows of one group that are left to fit on beside its purge and validation rows."""

_WHERE = "paths.groups"


@dataclass(frozen=True, eq=False)
class PurgedWindow:
    """One test group of a split, in the place of a walk-forward window.

    Attributes:
        index: Number of the test group, from 0.
        split: Number of the split.
        train: Rows to fit on, before, between and after the test groups.
        validation: Rows for early stopping, after the last train row.
        test: Rows of the test group.
    """

    index: int
    split: int
    train: IntVector
    validation: IntVector
    test: range


@dataclass(frozen=True, eq=False)
class GroupSplit:
    """One choice of test groups. Rows are positions in the bars, ascending.

    Attributes:
        index: From 0, in lexicographic order of the test groups.
        test_groups: Numbers of the test groups, ascending.
        train: Rows to fit on.
        validation: Rows for early stopping: the last ones that are not test rows or purged.
        tests: Rows of each test group.
    """

    index: int
    test_groups: tuple[int, ...]
    train: IntVector
    validation: IntVector
    tests: tuple[range, ...]

    def windows(self) -> tuple[PurgedWindow, ...]:
        """One for each test group; all have the same train and validation rows."""
        return tuple(
            PurgedWindow(group, self.index, self.train, self.validation, rows)
            for group, rows in zip(self.test_groups, self.tests, strict=True)
        )


def make_group_splits(
    rows: range,
    scheme: CombinatorialPurged,
    *,
    horizon: int,
    validation_share: float,
) -> tuple[GroupSplit, ...]:
    """Fits on all groups but the test groups, for each choice of them.

    Left out of train and validation are, around each run of adjoining test groups [a, b): the
    `horizon` rows before a, whose labels reach into it; the `horizon` rows from b on, over which
    its own labels run; and `scheme.embargo` rows after those, whose inputs may hold its bars. The
    validation rows are the last of what is left, and the train rows whose labels reach into them
    are left out too.

    Args:
        rows: Bars that have inputs and a label.
        scheme: Number of groups, of test groups, and the embargo.
        horizon: Longest horizon of a label, in bars.
        validation_share: Share of the rows outside the test groups that is held out, above 0 and
            below 1; at least one row.

    Raises:
        UsageError: The groups are too short for what is left out around them.
    """
    _check_group_length(rows, scheme, horizon, validation_share)
    groups = [range(rows.start + g.start, rows.start + g.stop) for g in scheme.cut(len(rows))]
    splits = []
    for index, (chosen, purged) in enumerate(
        zip(scheme.combinations(), scheme.split(len(rows), horizon), strict=True)
    ):
        train, validation = purged.hold_out(validation_share, horizon)
        splits.append(
            GroupSplit(
                index=index,
                test_groups=chosen,
                train=rows.start + train,
                validation=rows.start + validation,
                tests=tuple(groups[group] for group in chosen),
            )
        )
    return tuple(splits)


def assign_paths(splits: tuple[GroupSplit, ...]) -> tuple[tuple[PurgedWindow, ...], ...]:
    """The paths that cover every group once: C(N - 1, k - 1) of them.

    Path p forecasts each group by the p-th split, in their order, that has it as a test group.
    No forecast is in two paths.

    Args:
        splits: All of `make_group_splits`.

    Returns:
        For each path one window a group, in the order of time.
    """
    by_group: dict[int, list[PurgedWindow]] = {}
    for split in splits:
        for window in split.windows():
            by_group.setdefault(window.index, []).append(window)
    return tuple(zip(*(by_group[group] for group in sorted(by_group)), strict=True))


def _check_group_length(
    rows: range, scheme: CombinatorialPurged, horizon: int, validation_share: float
) -> None:
    """Whether a group between two test groups has rows to fit on, and rows to validate on."""
    left_out = 2 * horizon + scheme.embargo
    kept = ceil((MIN_TRAIN_ROWS + horizon) / (1.0 - validation_share))
    shortest = len(rows) // scheme.groups
    if shortest < left_out + kept:
        raise UsageError(
            "the groups of bars are too short for combinatorial purged splits",
            expected=f"groups of at least {left_out + kept} bars: {horizon} purged on each side "
            f"for the labels, {scheme.embargo} of embargo for the inputs, {kept} to train and "
            "validate on",
            found=f"{scheme.groups} groups of {shortest} bars, from {len(rows)} bars with inputs "
            "and a label",
            where=_WHERE,
            fix="lower paths.groups, paths.embargo, the lookback or the windows of the features, "
            "or take a longer history",
        )
