"""The cutoffs: the bars after which the leakage test replaces every bar."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Literal, TypeAlias

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from engine.core.types import IntVector

CutoffKind: TypeAlias = Literal[
    "before the first window",
    "window start",
    "inside a window",
    "window end",
    "quiet bar",
    "coarser bar complete",
]
"""What is particular about a cutoff.

A `window start` keeps one bar of a window's test part. A `window end` keeps all of them and is the
bar before the next window begins: all that the next fit may learn from is known, and nothing more.
A `quiet bar` had no volume or did not move, as bars that somebody filled in do.
"""

N_CUTOFFS = 8
"""Fewest cutoffs; the turns of `alternating` lie at as many."""

N_SPREAD_CUTOFFS = 6
"""Fewest of them that are spread over the windows, beside those for special bars."""

_KIND_CYCLE: tuple[CutoffKind, ...] = (
    *("window start", "window end", "inside a window", "window end"),
    *("inside a window", "window start", "inside a window"),
)
_GOLDEN_RATIO = (5**0.5 - 1) / 2


@dataclass(frozen=True, order=True)
class Cutoff:
    """Bars up to the close of `row` are kept, every later bar is replaced.

    Attributes:
        row: Position among all bars.
        kind: What is particular about it.
    """

    row: int
    kind: CutoffKind


def choose_cutoffs(
    test_ranges: Sequence[range],
    *,
    inactive_bars: npt.NDArray[np.bool_] | None = None,
    latest_coarse_bars: Sequence[IntVector] = (),
) -> tuple[Cutoff, ...]:
    """Chooses cutoffs from the bar before the first test part to the last but one of all.

    `N_SPREAD_CUTOFFS` of them, or more where `N_CUTOFFS` asks for it, go over the windows from the
    first to the last, taking turns between
    the first bar of a window, bars inside and its last bar; where a window has no such bar left,
    the free bar closest to the middle of the widest gap is taken. One is before the first
    window, one at a quiet bar, one at the close that completes a bar of each coarser interval. The
    last bar is no cutoff: nothing comes after it.

    Args:
        test_ranges: The windows' test parts, which tile the out-of-sample bars.
        inactive_bars: (n,) of all bars, those without volume or movement.
        latest_coarse_bars: A coarser interval each: (n,) position of its newest bar known at each
            close.

    Returns:
        In time order, no row twice; fewer where there are not so many bars.
    """
    first, last = test_ranges[0].start, test_ranges[-1].stop - 2
    taken: dict[int, CutoffKind] = {first - 1: "before the first window"}
    for row, kind in _special_rows(first, last, inactive_bars, latest_coarse_bars):
        taken.setdefault(row, kind)
    spread = max(N_SPREAD_CUTOFFS, N_CUTOFFS - len(taken))
    wanted = min(len(taken) + spread, last - first + 2)
    # The last bar of all is no cutoff: the last window is met inside.
    kinds: tuple[CutoffKind, ...] = (*_KIND_CYCLE[: spread - 1], "inside a window")
    for turn, kind in enumerate(kinds):
        window = test_ranges[round(turn * (len(test_ranges) - 1) / (spread - 1))]
        row = _row_in_window(window, kind, (turn * _GOLDEN_RATIO) % 1.0)
        if first <= row <= last:
            taken.setdefault(row, kind)
    while len(taken) < wanted:
        row = _widest_gap_middle(sorted(taken), last)
        taken[row] = _classify_row(row, test_ranges)
    return tuple(Cutoff(row, kind) for row, kind in sorted(taken.items()))


def _special_rows(
    first: int,
    last: int,
    inactive_bars: npt.NDArray[np.bool_] | None,
    latest_coarse_bars: Sequence[IntVector],
) -> Iterator[tuple[int, CutoffKind]]:
    """One bar of each special kind, which a spread over the windows would rarely include."""
    if inactive_bars is not None and len(rows := np.flatnonzero(inactive_bars[first : last + 1])):
        yield first + int(rows[len(rows) // 2]), "quiet bar"
    for latest in latest_coarse_bars:
        steps = np.flatnonzero(np.diff(latest[first - 1 : last + 1]))
        if len(steps):
            yield first + int(steps[len(steps) // 2]), "coarser bar complete"


def _row_in_window(window: range, kind: CutoffKind, fraction: float) -> int:
    if kind == "window start":
        return window.start
    if kind == "window end":
        return window.stop - 1
    return window.start + int(fraction * len(window))


def _widest_gap_middle(taken: Sequence[int], last: int) -> int:
    """The middle of the longest run of free rows."""
    edges = [*taken, last + 1]
    widths = [after - before for before, after in pairwise(edges)]
    index = int(np.argmax(widths))
    return edges[index] + max(1, widths[index] // 2)


def _classify_row(row: int, test_ranges: Sequence[range]) -> CutoffKind:
    window = next(test for test in test_ranges if row in test)
    if row == window.start:
        return "window start"
    return "window end" if row == window.stop - 1 else "inside a window"
