"""Shapley values of groups of inputs: exact for a few groups, else sampled with their error."""

from __future__ import annotations

from dataclasses import dataclass
from math import comb
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from engine.core.types import BoolMatrix, Matrix, Vector
    from engine.interpretation.cell_groups import CellGroup
    from engine.interpretation.sequences import ForecastFunction, Sequences

MAX_EXACT_GROUPS = 12
"""Groups up to which every coalition is evaluated: 4,096 of them."""

SEQUENCES_PER_CALL = 16_384
"""Sequences that are in memory together."""


@dataclass(frozen=True, eq=False)
class ShapleyValues:
    """How much each group moves a forecast away from the mean forecast of the background.

    Attributes:
        values: (n, g) in the unit of the forecast; a row adds up to forecast - `base`.
        base: Mean forecast of the background sequences.
        standard_errors: (n, g) of the sampling of orders; 0 where every coalition was evaluated.
        evaluations: Sequences that were forecast for one row.
    """

    values: Matrix
    base: float
    standard_errors: Matrix
    evaluations: int


def shapley_values(
    forecast: ForecastFunction,
    rows: Sequences,
    background: Sequences,
    groups: Sequence[CellGroup],
    *,
    orders: int = 64,
    rng: np.random.Generator,
) -> ShapleyValues:
    """phi_g = sum over coalitions S without g of |S|! (G - |S| - 1)! / G! (v(S + g) - v(S)).

    v(S) is the mean forecast of sequences whose cells in S are those of the row, and whose other
    cells are those of a background sequence.
    Up to `MAX_EXACT_GROUPS` groups every coalition is evaluated. With more, random orders of the
    groups are drawn in pairs, each with its reverse, and the error is that of the mean over pairs.

    Args:
        forecast: From sequences to (n,) forecasts.
        rows: The rows to explain.
        background: Sequences that stand for "not known"; of train rows only.
        groups: Groups of cells; every cell is in one of them.
        orders: Orders that are drawn, even; only with more groups than `MAX_EXACT_GROUPS`.
        rng: Draws the orders.

    Source: Shapley (1953); interventional values as in Janzing, Minorics & Bloebaum (2020),
    AISTATS; antithetic orders: Mitchell, Cooper, Frank & Holmes (2022), JMLR 23.
    """
    value_of = _ValueFunction(forecast, rows, background, groups)
    if len(groups) <= MAX_EXACT_GROUPS:
        return _enumerate(value_of, len(groups))
    return _sample(value_of, len(groups), orders, rng)


@dataclass(frozen=True, eq=False)
class _ValueFunction:
    """v(S) of every row."""

    forecast: ForecastFunction
    rows: Sequences
    background: Sequences
    groups: Sequence[CellGroup]

    @property
    def base(self) -> float:
        """The value of no group."""
        return float(self.forecast(self.background).mean())

    def __call__(self, coalition: Sequence[int]) -> Vector:
        """(n,) mean over the background.

        Args:
            coalition: Places of the groups whose cells are the row's.
        """
        count = len(self.background)
        hidden = self._hidden_cells(set(coalition))
        values = np.empty(len(self.rows))
        size = max(1, SEQUENCES_PER_CALL // count)
        for start in range(0, len(self.rows), size):
            chunk = np.arange(start, min(start + size, len(self.rows)))
            own = self.rows.take(np.repeat(chunk, count))
            theirs = self.background.take(np.tile(np.arange(count), len(chunk)))
            mixed = own.mixed(theirs, hidden)
            values[chunk] = self.forecast(mixed).reshape(len(chunk), count).mean(axis=1)
        return values

    def _hidden_cells(self, coalition: set[int]) -> list[BoolMatrix]:
        hidden = [np.zeros(branch.shape[1:], dtype=bool) for branch in self.rows.branches]
        for place, group in enumerate(self.groups):
            if place not in coalition:
                for cells, own in zip(hidden, group.cells, strict=True):
                    cells |= own
        return hidden


def _enumerate(value_of: _ValueFunction, count: int) -> ShapleyValues:
    coalitions = [
        [place for place in range(count) if number >> place & 1] for number in range(2**count)
    ]
    values = np.column_stack([value_of(coalition) for coalition in coalitions])
    shapley = np.zeros((len(values), count))
    for number, coalition in enumerate(coalitions):
        for place in range(count):
            if not number >> place & 1:
                weight = 1.0 / (count * comb(count - 1, len(coalition)))
                gain = values[:, number | 1 << place] - values[:, number]
                shapley[:, place] += weight * gain
    return ShapleyValues(
        shapley,
        value_of.base,
        np.zeros_like(shapley),
        len(coalitions) * len(value_of.background),
    )


def _sample(
    value_of: _ValueFunction, count: int, orders: int, rng: np.random.Generator
) -> ShapleyValues:
    empty, whole = value_of([]), value_of(range(count))
    pairs = []
    for _ in range(max(2, orders // 2)):
        order = rng.permutation(count)
        pair = [_gains(value_of, each, empty, whole) for each in (order, order[::-1])]
        pairs.append((pair[0] + pair[1]) / 2)
    drawn = np.stack(pairs)
    return ShapleyValues(
        drawn.mean(axis=0),
        value_of.base,
        drawn.std(axis=0, ddof=1) / np.sqrt(len(pairs)),
        (2 + 2 * len(pairs) * (count - 1)) * len(value_of.background),
    )


def _gains(value_of: _ValueFunction, order: np.ndarray, empty: Vector, whole: Vector) -> Matrix:
    """(n, g) what each group adds when they come in some order."""
    gains = np.empty((len(empty), len(order)))
    before = empty
    for step, place in enumerate(order):
        last = step == len(order) - 1
        after = whole if last else value_of(order[: step + 1].tolist())
        gains[:, place] = after - before
        before = after
    return gains
