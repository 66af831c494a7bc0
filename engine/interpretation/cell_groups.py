"""Groups of the cells (feature, step) of a sequence: what an attribution is given to."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BoolMatrix

STEP_EDGES = (0, 1, 5, 20)
"""Blocks of steps begin so many bars before the newest: the bar itself, a week, a month, the rest
of the lookback, counted in daily bars."""


@dataclass(frozen=True, eq=False)
class CellGroup:
    """Cells that are kept or replaced together.

    Attributes:
        name: A feature such as `BTC-USD:rsi_14`, a symbol, or a block of steps such as `1-4`.
        cells: For each branch (lookback, k), oldest step first.
    """

    name: str
    cells: tuple[BoolMatrix, ...]


def group_by_feature(names: Sequence[Sequence[str]], lookback: int) -> list[CellGroup]:
    """A group a feature, over all steps; one of a coarser interval is a feature of its own.

    Args:
        names: The features of each branch.
        lookback: Steps of each branch.
    """
    return [
        CellGroup(
            name,
            tuple(
                np.broadcast_to(
                    np.arange(len(own)) == (column if place == branch else -1),
                    (lookback, len(own)),
                )
                for place, own in enumerate(names)
            ),
        )
        for branch, branch_names in enumerate(names)
        for column, name in enumerate(branch_names)
    ]


def group_by_symbol(names: Sequence[Sequence[str]], lookback: int) -> list[CellGroup]:
    """A group a symbol: all its features, over all steps and intervals."""
    owners = [[name.split(":", 1)[0] for name in own] for own in names]
    symbols = list(dict.fromkeys(owner for own in owners for owner in own))
    return [
        CellGroup(
            symbol,
            tuple(
                np.broadcast_to(np.array([owner == symbol for owner in own]), (lookback, len(own)))
                for own in owners
            ),
        )
        for symbol in symbols
    ]


def group_by_steps(names: Sequence[Sequence[str]], lookback: int) -> list[CellGroup]:
    """A group a block of steps, over all features; the newest bar is step 0."""
    edges = [edge for edge in STEP_EDGES if edge < lookback]
    age = np.arange(lookback - 1, -1, -1)
    return [
        CellGroup(
            f"{start}" if stop - start == 1 else f"{start}-{stop - 1}",
            tuple(
                np.broadcast_to(((age >= start) & (age < stop))[:, None], (lookback, len(own)))
                for own in names
            ),
        )
        for start, stop in pairwise([*edges, lookback])
    ]
