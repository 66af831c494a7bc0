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
from engine.core.types import Spec

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import IntVector

SPLITS_PATH = "tune.splits"
"""Place in the strategy, for errors."""

MAX_SPLITS = 500
"""Each is a fit of every configuration."""


@dataclass(frozen=True, eq=False)
class PurgedSplit:
    """Rows to fit on and rows to judge on, both ascending, counted from the first of n.

    The label of row i spans the closes of bars i to i + horizon; none of a train row's bars is
    one of a test row's. Sequences may reach over the gap: inputs are known at their close.

    Attributes:
        train: (n_train,), before, between and after the test rows.
        test: (n_test,).
    """

    train: IntVector
    test: IntVector

    def hold_out(self, fraction: float, horizon: int) -> tuple[IntVector, IntVector]:
        """The train rows cut once more, for what decides when to stop.

        Args:
            fraction: Of the train rows, the last ones, that are held out; at least one row.
            horizon: Bars a label looks ahead; train rows whose label reaches the held-out ones
                belong to neither part.

        Returns:
            Rows to fit on, and rows held out.

        Raises:
            UsageError: Fewer than two rows are left to fit on.
        """
        held = self.train[-max(1, round(fraction * len(self.train))) :]
        kept = self.train[self.train + horizon < held[0]]
        if len(kept) < 2:
            raise UsageError(
                "A split leaves nothing to fit on",
                expected="two train rows or more, besides those that stop training",
                found=f"{len(self.train)} train rows, {len(held)} of them held out, labels of "
                f"{horizon} bars",
                where=SPLITS_PATH,
                fix="lengthen windows.train, or lower the folds, the embargo or target.horizon",
            )
        return kept, held


class SplitterSpec(Spec, ABC):
    """A choice of splits.

    Attributes:
        embargo: Bars after each test block that are left out of train, on top of the purge. What
            they see is much what the test rows saw; a lookback's length leaves none of it.
    """

    embargo: int = Field(default=0, ge=0)

    @abstractmethod
    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """The test blocks of each split, empty ones where there are too few rows."""

    @abstractmethod
    def min_rows(self) -> int:
        """Rows without which a test block would be empty."""

    def split(self, rows: int, horizon: int) -> tuple[PurgedSplit, ...]:
        """Cuts consecutive rows, purged on both sides of every test block.

        Args:
            rows: n; they are counted from 0.
            horizon: Bars a label looks ahead, which is how many rows a purge takes on each side.

        Raises:
            UsageError: A split would have no test row, or no train row.
        """
        if rows < self.min_rows():
            raise UsageError(
                "The splits have more parts than there are train rows",
                expected=f"at least {self.min_rows()} train rows in every window",
                found=f"{rows}",
                where=SPLITS_PATH,
                fix="lengthen windows.train, or cut into fewer parts",
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
    rows lie on both sides of a test block, so that all but the last split fit on what came
    later: fair for choosing a configuration, no measure of what it would have earned.

    Attributes:
        folds: k.
    """

    kind: Literal["purged_kfold"] = "purged_kfold"
    folds: int = Field(default=3, ge=2, le=50)

    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """One block a split, in time order."""
        return tuple((block,) for block in _consecutive_blocks(rows, self.folds))

    def min_rows(self) -> int:
        """A row a fold."""
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
        if (splits := comb(self.groups, self.test_groups)) > MAX_SPLITS:
            raise ValueError(f"{splits} splits are more than {MAX_SPLITS}; lower groups")
        return self

    @property
    def paths(self) -> int:
        """C(N - 1, k - 1) = k / N C(N, k): how often every row is a test row."""
        return comb(self.groups - 1, self.test_groups - 1)

    def test_blocks(self, rows: int) -> tuple[tuple[range, ...], ...]:
        """Blocks of k groups a split, in lexicographic order of the groups."""
        return tuple(combinations(_consecutive_blocks(rows, self.groups), self.test_groups))

    def min_rows(self) -> int:
        """A row a group."""
        return self.groups


def _consecutive_blocks(rows: int, n_blocks: int) -> list[range]:
    """Consecutive blocks, the longer ones first."""
    sizes = [rows // n_blocks + (place < rows % n_blocks) for place in range(n_blocks)]
    bounds = np.cumsum([0, *sizes]).tolist()
    return [range(start, stop) for start, stop in pairwise(bounds)]


Splitter = Annotated[PurgedKFold | CombinatorialPurged, Field(discriminator="kind")]
