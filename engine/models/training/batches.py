"""Mini-batches as row positions: of one fixed shape, without dropped samples."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from engine.core.types import IntVector


class Batches(NamedTuple):
    """Rows of each batch.

    Attributes:
        rows: (steps, batch_size) int32; padding repeats a real row.
        mask: (steps, batch_size) bool; False on padding.
    """

    rows: npt.NDArray[np.int32]
    mask: npt.NDArray[np.bool_]


def make_even_batches(rows: IntVector, batch_size: int) -> Batches:
    """Splits rows, in their order, into the fewest batches, whose sizes differ by at most one.

    A plain split leaves a last batch of any size down to one, whose batch-norm statistics are
    noise; dropping it loses samples. Every batch is padded to `batch_size`, so that compiled steps
    are compiled for one shape only.

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
    """The batches of one epoch, in random order.

    Args:
        rows: (n,) in the order of time; those of several symbols alternate, in no order of size.
        batch_size: Largest batch.
        rng: Source of the order.
        consecutive: Every batch is a block of adjoining entries of `rows` in their order, and
            only the blocks are shuffled; otherwise the rows are.
    """
    if not consecutive:
        return make_even_batches(rng.permutation(rows.astype(np.int32)), batch_size)
    blocks = make_even_batches(rows, batch_size)
    order = rng.permutation(len(blocks.rows))
    return Batches(blocks.rows[order], blocks.mask[order])
