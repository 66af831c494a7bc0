"""Mini-batches as positions of rows: fixed shapes, and no sample dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector


class Batches(NamedTuple):
    """Rows to gather, batch by batch.

    Attributes:
        rows: (steps, batch_size) int32; padding repeats a real row.
        mask: (steps, batch_size) bool; False on padding.
    """

    rows: npt.NDArray[np.int32]
    mask: npt.NDArray[np.bool_]


def make_even_batches(rows: IntVector, batch_size: int) -> Batches:
    """Cuts rows, in their order, into the fewest batches, which differ by one sample at most.

    A plain cut leaves a last batch of any size down to one, whose batch-norm statistics are
    noise; dropping it loses samples. Every batch is padded to `batch_size`, so that a compiled
    step meets one shape only.

    Args:
        rows: (n,) with n >= 1.
        batch_size: Largest batch.
    """
    steps = -(-len(rows) // batch_size)
    sizes = np.full(steps, len(rows) // steps)
    sizes[: len(rows) % steps] += 1
    real = np.arange(batch_size) < sizes[:, None]
    padded = np.full((steps, batch_size), rows[0], dtype=np.int32)
    padded[real] = rows
    return Batches(padded, real)


def make_shuffled_batches(
    rows: IntVector, batch_size: int, rng: np.random.Generator, *, consecutive: bool
) -> Batches:
    """An epoch's batches, in an order of their own.

    Args:
        rows: (n,) ascending.
        batch_size: Largest batch.
        rng: Where the order comes from.
        consecutive: Every batch is a stretch of consecutive rows in their order, and only the
            stretches are shuffled; otherwise the rows are.
    """
    if not consecutive:
        return make_even_batches(rng.permutation(rows.astype(np.int32)), batch_size)
    stretches = make_even_batches(rows, batch_size)
    order = rng.permutation(len(stretches.rows))
    return Batches(stretches.rows[order], stretches.mask[order])
