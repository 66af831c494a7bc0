"""Purged cross-validation: train rows whose labels share no bar with the labels of test rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from itertools import combinations, pairwise
from math import comb
from typing import TYPE_CHECKING, Annotated, Literal

import numpy as np
from pydantic import Field, model_validator

from engine.core.errors import UsageError
from engine.core.limits import MAX_CROSS_VALIDATION_SPLITS
from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector

SPLITS_PATH = "tune.splits"
"""Path in the strategy, for errors."""


@dataclass(frozen=True, eq=False)
class PurgedSplit:
    """Rows to fit on and rows to score on, both ascending, counted from the first of n.

    The label of row i spans the closes of bars i to i + horizon; train and test labels share no
    bar. Sequences may span the gap, because inputs are known at their close.

    Attributes:
        train: (n_train,), before, between and after the test rows.
        test: (n_test,).
    """

    train: IntVector
    test: IntVector

    def hold_out(self, fraction: float, horizon: int) -> tuple[IntVector, IntVector]:
        """Splits the train rows once more, for early stopping.

        Args:
            fraction: Share of the train rows, the last ones, that is held out; at least one row.
            horizon: Bars that a label looks ahead; train rows whose label overlaps the held-out
                rows are in neither part.

        Returns:
            Rows to fit on, and rows held out.

        Raises:
            UsageError: Fewer than two rows are left to fit on.
        """
        held_out = self.train[-max(1, round(fraction * len(self.train))) :]
        kept = self.train[self.train + horizon < held_out[0]]
        if len(kept) < 2:
            raise UsageError(
                "A split has too few rows to fit on",
                expected="at least two train rows besides those for early stopping",
                found=f"{len(self.train)} train rows, {len(held_out)} of them held out, labels of "
                f"{horizon} bars",
                where=SPLITS_PATH,
                fix="lengthen windows.train, or lower the folds, the embargo or target.horizon",
            )
        return kept, held_out


class SplitterSpec(Spec, ABC):
    """A choice of splits.

    Attributes:
        embargo: Bars after each test block that are left out of train, in addition to the purge.
            Their inputs overlap those of the test rows; with an embargo as long as the lookback
            they do not.
    """

    embargo: int = Field(default=0, ge=0)

    @abstractmethod
    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """The test blocks of each split; some are empty where there are too few rows."""

    @abstractmethod
    def min_rows(self) -> int:
        """Least number of rows without an empty test block."""

    def split(self, rows: int, horizon: int) -> tuple[PurgedSplit, ...]:
        """Splits consecutive rows, purged on both sides of every test block.

        Args:
            rows: Number of rows.
            horizon: Bars that a label looks ahead, which is the length of the purge on each side.

        Raises:
            UsageError: A split would have no test row, or no train row.
        """
        if rows < self.min_rows():
            raise UsageError(
                "The splits have more parts than there are train rows",
                expected=f"at least {self.min_rows()} train rows in every window",
                found=f"{rows}",
                where=SPLITS_PATH,
                fix="lengthen windows.train, or use fewer parts",
            )
        return tuple(self._purge(rows, horizon, blocks) for blocks in self.test_blocks(rows))

    def _purge(self, rows: int, horizon: int, blocks: Sequence[range]) -> PurgedSplit:
        train, test = np.ones(rows, dtype=bool), np.zeros(rows, dtype=bool)
        for block in blocks:
            test[block.start : block.stop] = True
            reach = block.stop + horizon + self.embargo
            train[max(0, block.start - horizon) : reach] = False
        if not train.any():
            raise UsageError(
                "A split has no train row left",
                expected="train rows outside the test blocks and what is purged around them",
                found=f"{rows} rows, {horizon} purged on each side of a block, {self.embargo} "
                "more after it",
                where=SPLITS_PATH,
                fix="lengthen windows.train, or lower the embargo or target.horizon",
            )
        return PurgedSplit(np.flatnonzero(train), np.flatnonzero(test))


class PurgedKFold(SplitterSpec):
    """k blocks of consecutive rows, each the test rows once; sizes differ by one row at most.

    Source: Lopez de Prado (2018), "Advances in Financial Machine Learning", section 7.4. Train
    rows are on both sides of a test block, so that all but the last split fit on later rows. That
    is valid for choosing a configuration, and no estimate of its trading result.

    Attributes:
        folds: k.
    """

    kind: Literal["purged_kfold"] = "purged_kfold"
    folds: int = Field(default=3, ge=2, le=50)

    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """One block per split, in time order."""
        return tuple((block,) for block in _consecutive_blocks(rows, self.folds))

    def min_rows(self) -> int:
        """One row per fold."""
        return self.folds


class CombinatorialPurged(SplitterSpec):
    """N groups of consecutive rows, of which every choice of k is the test part once.

    C(N, k) splits. Each group is a test group in C(N - 1, k - 1) of them, so that the test parts
    recombine to as many `paths` over all rows. Adjoining test groups are one block: nothing is
    purged between them.
    Source: Lopez de Prado (2018), "Advances in Financial Machine Learning", section 12.4.

    Attributes:
        groups: N.
        test_groups: k, below N.
    """

    kind: Literal["combinatorial_purged"] = "combinatorial_purged"
    groups: int = Field(default=6, ge=2, le=20)
    test_groups: int = Field(default=2, ge=1)

    @model_validator(mode="after")
    def _check_groups(self) -> CombinatorialPurged:
        if self.test_groups >= self.groups:
            raise ValueError(
                f"test_groups is {self.test_groups} and groups is {self.groups}; leave at least "
                "one group to train on"
            )
        if (splits := comb(self.groups, self.test_groups)) > MAX_CROSS_VALIDATION_SPLITS:
            raise ValueError(
                f"{splits} splits are more than {MAX_CROSS_VALIDATION_SPLITS}; lower groups"
            )
        return self

    @property
    def paths(self) -> int:
        """C(N - 1, k - 1) = k / N C(N, k): the number of splits in which a row is a test row."""
        return comb(self.groups - 1, self.test_groups - 1)

    def cut(self, rows: int) -> list[range]:
        """The groups of consecutive rows, in the order of time, the longer ones first."""
        return _consecutive_blocks(rows, self.groups)

    def combinations(self) -> tuple[tuple[int, ...], ...]:
        """The numbers of the test groups of each split, in lexicographic order."""
        return tuple(combinations(range(self.groups), self.test_groups))

    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """K groups per split, in the order of `combinations`."""
        groups = self.cut(rows)
        return tuple(tuple(groups[each] for each in chosen) for chosen in self.combinations())

    def min_rows(self) -> int:
        """One row per group."""
        return self.groups


def _consecutive_blocks(rows: int, n_blocks: int) -> list[range]:
    """Consecutive blocks, the longer ones first."""
    sizes = [rows // n_blocks + (index < rows % n_blocks) for index in range(n_blocks)]
    bounds = np.cumsum([0, *sizes]).tolist()
    return [range(start, stop) for start, stop in pairwise(bounds)]


Splitter = Annotated[PurgedKFold | CombinatorialPurged, Field(discriminator="kind")]
