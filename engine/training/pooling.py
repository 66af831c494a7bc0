"""One fit over the rows of several symbols, and the model of each of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from engine.models.dataset import CoarseInputs

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from engine.core.types import IntVector, Matrix, Vector
    from engine.models.dataset import TrainingSet
    from engine.models.fitted_model import FittedModel, InputTransform


@dataclass(frozen=True, eq=False)
class Pool:
    """The symbols of a pooled fit, in the order of their arrays.

    Attributes:
        symbols: The m symbols.
        transforms: Of each one, what scaled its features, fitted on its own train rows.
        edges: (m + 1,) first row of each symbol's inputs, and their number.
        coarse_edges: The same at each coarser interval.
    """

    symbols: tuple[str, ...]
    transforms: tuple[InputTransform, ...]
    edges: IntVector
    coarse_edges: tuple[IntVector, ...] = ()

    @property
    def kept_transforms(self) -> tuple[InputTransform, ...]:
        """Those that a stored model keeps besides its own: the transform of every symbol."""
        return self.transforms

    def select(self, fitted: FittedModel, arrays: TrainingSet, symbol: str) -> FittedModel:
        """The model of one symbol: its own scaling, and what was predicted of its own rows.

        What was predicted of all rows is that of a symbol without own ones.

        Args:
            fitted: The pooled model.
            arrays: What it was fitted on.
            symbol: One of the symbols.
        """
        place = self.symbols.index(symbol)
        train, validation = (
            self._members_or_all(rows, place) for rows in (arrays.train, arrays.validation)
        )
        return replace(
            fitted,
            train=fitted.train[train],
            validation=fitted.validation[validation],
            realised=fitted.realised[validation],
            transform=self.transforms[place],
            pooled=(),
        )

    def split(self, arrays: TrainingSet) -> Iterator[tuple[str, TrainingSet]]:
        """The arrays of each symbol, as they were before they were pooled."""
        for place, symbol in enumerate(self.symbols):
            own = slice(int(self.edges[place]), int(self.edges[place + 1]))
            coarse = [
                CoarseInputs(
                    part.inputs[edges[place] : edges[place + 1]],
                    part.latest[own] - edges[place],
                    part.groups,
                )
                for part, edges in zip(arrays.coarse, self.coarse_edges, strict=True)
            ]
            train, validation = (
                rows[self._members(rows)[place]] - own.start
                for rows in (arrays.train, arrays.validation)
            )
            yield (
                symbol,
                replace(
                    arrays,
                    inputs=arrays.inputs[own],
                    trailing=arrays.trailing[own],
                    target=arrays.target[own],
                    embedded=(),
                    row_symbols=None,
                    train=train,
                    validation=validation,
                    coarse=tuple(coarse),
                ),
            )

    def _members_or_all(self, rows: IntVector, place: int) -> IntVector:
        """The places of a symbol's own rows; of one without rows, those of all symbols."""
        own = self._members(rows)[place]
        return own if len(own) else np.arange(len(rows))

    def _members(self, rows: IntVector) -> Sequence[IntVector]:
        """For each symbol the places in `rows` of its own; found once for each array of rows."""
        known, members = self._known_members.get(id(rows), (None, ()))
        if known is rows:
            return members
        symbol = np.searchsorted(self.edges, rows, side="right") - 1
        ends = np.cumsum(np.bincount(symbol, minlength=len(self.symbols)))
        members = np.split(np.argsort(symbol, kind="stable"), ends[:-1])
        self._known_members[id(rows)] = (rows, members)
        return members

    @cached_property
    def _known_members(self) -> dict[int, tuple[IntVector, Sequence[IntVector]]]:
        """By the id of an array, which is kept too: an id alone may become that of another."""
        return {}


def pool_training_sets(
    parts: Sequence[tuple[str, TrainingSet, InputTransform]],
    times: Sequence[tuple[IntVector, IntVector]] | None = None,
    *,
    embedded: bool = False,
) -> tuple[TrainingSet, Pool]:
    """One training set of the rows of several symbols.

    The inputs stand one symbol after the other, so that no sequence goes from one into the next:
    each begins a lookback before its first train row. Train and validation rows are in the order
    of time, and at one bar in the order of the symbols.

    Args:
        parts: Symbol, its arrays, whose last row is the same bar for all, and what scaled them;
            at least one, each with the same columns.
        times: Of each symbol the rows of the panel at its train and at its validation rows, where
            its arrays do not end with the same bar as the others; one may have none.
        embedded: Number the symbols of the rows, for a network with a vector for each.
    """
    symbols, arrays, transforms = zip(*parts, strict=True)
    edges = _edges([each.inputs for each in arrays])
    train_times = None if times is None else [train for train, _ in times]
    held_out_times = None if times is None else [held_out for _, held_out in times]
    coarse_edges = tuple(
        _edges([each.coarse[place].inputs for each in arrays])
        for place in range(len(arrays[0].coarse))
    )
    pooled = replace(
        arrays[0],
        inputs=np.concatenate([each.inputs for each in arrays]),
        trailing=np.concatenate([each.trailing for each in arrays]),
        target=np.concatenate([each.target for each in arrays]),
        train=_in_time([each.train for each in arrays], edges, train_times),
        validation=_in_time([each.validation for each in arrays], edges, held_out_times),
        coarse=tuple(
            CoarseInputs(
                np.concatenate([each.coarse[place].inputs for each in arrays]),
                np.concatenate(
                    [
                        each.coarse[place].latest + first
                        for each, first in zip(arrays, own[:-1], strict=True)
                    ]
                ),
                arrays[0].coarse[place].groups,
            )
            for place, own in enumerate(coarse_edges)
        ),
    )
    if embedded:
        trained = [len(each.train) > 0 for each in arrays]  # the others have the mean vector
        known = tuple(symbol for symbol, own in zip(symbols, trained, strict=True) if own)
        places = np.maximum(np.cumsum(trained, dtype=np.int64) - 1, 0)
        numbers = np.repeat(places, np.diff(edges))
        pooled = replace(pooled, embedded=known, row_symbols=numbers)
        transforms = tuple(replace(each, embedded=known) for each in transforms)
    return pooled, Pool(symbols, transforms, edges, coarse_edges)


def pool_rows(parts: Sequence[Matrix], arrays: TrainingSet, pool: Pool) -> Matrix:
    """Values of the validation rows of each symbol, in the order of the pooled ones."""
    place = np.searchsorted(pool.edges, arrays.validation, side="right") - 1
    pooled = np.empty((len(arrays.validation), *parts[0].shape[1:]))
    pooled[np.argsort(place, kind="stable")] = np.concatenate(parts)
    return pooled


def _edges(parts: Sequence[Matrix]) -> IntVector:
    return np.cumsum([0, *(len(part) for part in parts)], dtype=np.int64)


def _in_time(
    rows: Sequence[IntVector], edges: IntVector, times: Sequence[IntVector] | None
) -> IntVector:
    """Rows of the pooled arrays by bar, then by symbol; without times all end with one bar."""
    pooled = np.concatenate([own + first for own, first in zip(rows, edges[:-1], strict=True)])
    if times is not None:
        order = np.argsort(np.concatenate(times), kind="stable")
        return pooled[order].astype(np.int64)
    before_last = np.concatenate(
        [own + first - stop for own, first, stop in zip(rows, edges[:-1], edges[1:], strict=True)]
    )
    ordered: Vector = pooled[np.argsort(before_last, kind="stable")]
    return ordered.astype(np.int64)
