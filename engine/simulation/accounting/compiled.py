"""`fold_arrays` and `hold_after_fills`, compiled by Numba.

The compiled code is kept on disk, beside this file or in the user's cache folder; the first
process on a machine compiles it, which takes some seconds. Where no book needs it, nothing imports
this module: importing Numba takes longer than reading the bars.

Numba keeps compiled code until the file of the compiled function changes, whatever that calls in
other files, but looks it up by the variables of a closure too. The fold is a closure over a digest
of the sources that it calls, so that a change of any of them compiles it anew.
"""

from __future__ import annotations

import hashlib
import inspect
from typing import TYPE_CHECKING, Any

from numba import njit
from numba.extending import register_jitable

from engine.simulation.accounting import (
    bar_fold,
    financing,
    order_execution,
    order_state,
    positions,
    tables,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from engine.core.types import Matrix
    from engine.simulation.accounting.tables import (
        BarArrays,
        OrderArrays,
        RateArrays,
        RecordArrays,
    )

CALLED = (tables, positions, financing, order_execution, order_state, bar_fold)
"""The modules whose functions and tuples the compiled functions use."""

# Nothing here may reorder or contract sums: `step` runs the same code in Python, and the two are
# equal bit for bit.
for module in CALLED:
    for _, function in inspect.getmembers(module, inspect.isfunction):
        if function.__module__ == module.__name__:
            register_jitable(function)


def digest_sources() -> int:
    """The first 63 bits of the SHA-256 over the sources of what the fold calls."""
    sources = "".join(inspect.getsource(module) for module in CALLED)
    return int.from_bytes(hashlib.sha256(sources.encode()).digest()[:8]) >> 1


def compile_fold(sources: int) -> Callable[..., Any]:
    """Compiles `fold_arrays`, or reads the code that was compiled for the same sources.

    Args:
        sources: A number that differs between sources that compute something else; positive.
    """

    def fold(
        orders: OrderArrays,
        bars: BarArrays,
        rates: RateArrays,
        maintenance_margin: float,
        kept: RecordArrays,
    ) -> tuple[Matrix, int]:
        if sources < 0:  # never so, but what is not used is no variable of the closure
            raise ValueError("a digest is not negative")
        return bar_fold.fold_arrays(orders, bars, rates, maintenance_margin, kept)

    compiled: Callable[..., Any] = njit(cache=True, nogil=True)(fold)
    return compiled


fold_arrays = compile_fold(digest_sources())
hold_after_fills = njit(cache=True, nogil=True)(positions.hold_after_fills)
