"""Names of a run's books: the strategy's, and one for each benchmark."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STRATEGY = "strategy"
"""The book that is tested; every other book of a run is a benchmark."""


def name_benchmarks(kinds: Iterable[str]) -> tuple[str, ...]:
    """A unique name for each benchmark, in the order given.

    The first benchmark of a kind has the name of its kind, the next ones `kind_2`, `kind_3` and so
    on. A number whose name is taken already is skipped, so that kinds `a`, `a` and `a_2` give
    `a`, `a_2` and `a_2_2`.

    Args:
        kinds: Kind of each benchmark.
    """
    names: dict[str, None] = {STRATEGY: None}
    for kind in kinds:
        candidates = (kind if number == 1 else f"{kind}_{number}" for number in count(1))
        names[next(name for name in candidates if name not in names)] = None
    return tuple(names)[1:]
