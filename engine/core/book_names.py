"""Names of a run's books."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

STRATEGY_BOOK = "strategy"
"""The book whose model forecasts every horizon; all others forecast the traded one."""


def name_benchmarks(kinds: Iterable[str]) -> list[str]:
    """A name a benchmark, no two alike and none that of the strategy's own book.

    The first of a kind has the kind's name, the next are `kind_2`, `kind_3` and so on. A name that
    is taken already, as `a_2` is where that is itself a kind, is passed over.

    Args:
        kinds: Of the benchmarks, in their order.
    """
    names: list[str] = []
    for kind in kinds:
        candidates = (kind if number == 1 else f"{kind}_{number}" for number in count(1))
        names.append(next(n for n in candidates if n not in {STRATEGY_BOOK, *names}))
    return names
