"""Rows of a part of a split: a range, or an ascending array where there are gaps between them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeAlias

if TYPE_CHECKING:
    from engine.core.types import IntVector

    Rows: TypeAlias = range | IntVector
    """Positions of rows, ascending and without repetition, at least one."""


class TrainTestSplit(Protocol):
    """Rows to fit on, rows held out for early stopping, and consecutive rows to forecast."""

    @property
    def index(self) -> int:
        """Number of the split, in the order of the test rows."""

    @property
    def train(self) -> Rows:
        """Rows to fit on."""

    @property
    def validation(self) -> Rows:
        """Rows for early stopping; the last of them is after the last train row."""

    @property
    def test(self) -> range:
        """Rows to forecast."""


def row_index(rows: Rows) -> slice | IntVector:
    """What selects the rows of an array: a slice of a range, which copies nothing."""
    return slice(rows.start, rows.stop) if isinstance(rows, range) else rows
